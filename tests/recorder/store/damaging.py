"""Large databases with a page that cannot be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

#: Larger files are not read through when they are opened.
CHECKED_BYTES = 64 * 1024 * 1024


def grow(database: Path) -> None:
    """Makes it larger than what is read through at start."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("CREATE TABLE ballast (bytes BLOB)")
        connection.execute("INSERT INTO ballast VALUES (zeroblob(?))", (CHECKED_BYTES,))
    assert database.stat().st_size > CHECKED_BYTES


def damage(database: Path, table: str) -> None:
    """Overwrites the first page of a table or an index."""
    with closing(sqlite3.connect(database)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
