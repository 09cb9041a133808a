"""Gives the room of deleted rows back to the disk, in a database that nobody else uses."""

from __future__ import annotations

import sqlite3

_INCREMENTAL = 2
#: Below it a file that cannot be shortened in place is not worth being written anew.
_SHARE = 0.1


def shorten(connection: sqlite3.Connection) -> None:
    """Writes a file of an older version anew, once, when a tenth of it is free; later it is shortened in place.

    Such files were made without ``auto_vacuum``, which only ``VACUUM`` can give them. Then the log is emptied.
    Raises ``sqlite3.Error``; the database is as it was then.
    """
    mode, free, pages = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("auto_vacuum", "freelist_count", "page_count")
    )
    if mode != _INCREMENTAL and free >= pages * _SHARE:
        connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
        connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
