"""How much of the disk a database takes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

#: The file, and its log, which holds the latest commits until they are written back; its index of the log is no data.
_PARTS = ("", "-wal")


def bytes_on_disk(database: Path) -> int:
    """The bytes of the database and its log; what is not there has none."""
    size = 0
    for suffix in _PARTS:
        with suppress(OSError):
            size += database.with_name(database.name + suffix).stat().st_size
    return size
