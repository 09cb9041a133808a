"""When the database can take nothing now, whatever is written."""

from __future__ import annotations

import sqlite3

#: SQLite's primary error codes for a store that cannot take anything now; other errors are about what was written.
_FULL = sqlite3.SQLITE_FULL
_UNUSABLE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    }
)
#: The tables are not those of this schema version: no event can be blamed for it.
_MISFIT = sqlite3.SQLITE_ERROR


def unusable(error: Exception) -> tuple[str, str] | None:
    """``(code, message)`` when the store cannot take anything now."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _MISFIT:
        return "STORE_ERROR", f"the database's tables are not those of this version ({error}): move the file away"
    if code not in _UNUSABLE:
        return None
    if code == _FULL:
        return "STORE_FULL", "the disk or the database is full: make room, nothing is lost"
    return "STORE_ERROR", f"the database cannot be written: {error}"
