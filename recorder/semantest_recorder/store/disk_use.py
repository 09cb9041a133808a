"""How much of the disk a database takes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

#: The file, and its log, which holds the latest commits until they are written back; its index of the log is no data.
_LOG = "-wal"


def bytes_of_log(database: Path) -> int:
    """The bytes of the database's log; 0 when there is none."""
    return _bytes_of(database, _LOG)


def bytes_on_disk(database: Path) -> int:
    """The bytes of the database and its log; what is not there has none."""
    return _bytes_of(database, "") + _bytes_of(database, _LOG)


def _bytes_of(database: Path, suffix: str) -> int:
    with suppress(OSError):
        return database.with_name(database.name + suffix).stat().st_size
    return 0
