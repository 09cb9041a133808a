"""A connection for one question."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.read_only import connect_read_only


@contextmanager
def snapshot(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees the database as it is now, whatever is written while the block lasts.

    Raises what ``connect_read_only`` raises; errors of SQLite in the block become ``CannotOpen``.
    """
    with closing(connect_read_only(database)) as connection:
        try:
            connection.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise CannotOpen(database, str(error)) from None
