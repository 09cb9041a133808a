"""How much of the disk a database and what lies beside it take."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pytest_semantest.protocol.artifacts import ARTIFACTS

#: The file, and its log, which holds the latest commits until they are written back; its index of the log is no data.
_LOG = "-wal"


def bytes_of_log(database: Path) -> int:
    """The bytes of the database's log; 0 when there is none."""
    return _bytes_of(database, _LOG)


def bytes_on_disk(database: Path) -> int:
    """The bytes of the database and its log; what is not there has none."""
    return _bytes_of(database, "") + _bytes_of(database, _LOG)


def bytes_of_artifacts(directory: Path) -> int:
    """The bytes of all artifacts in a ``.semantest`` folder; looks at each file. What goes meanwhile has none."""
    total = 0
    for path in (directory / ARTIFACTS).glob("[0-9a-f][0-9a-f]/*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total


def _bytes_of(database: Path, suffix: str) -> int:
    with suppress(OSError):
        return database.with_name(database.name + suffix).stat().st_size
    return 0
