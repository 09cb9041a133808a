"""A database whose file is removed or replaced while it is written: seen, and gone on with in the file at the path.

SQLite would write into the removed file without a word, and all of it would be gone with the process.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from semantest_recorder.core.batch import Refused
from semantest_recorder.core.marking import marked
from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.marks import stored_marks
from semantest_recorder.store.queries import statements
from semantest_recorder.store.replay import groups

_log = logging.getLogger(__name__)
_SQL = statements("replay.sql")
_COMPANIONS = ("-wal", "-shm")


class OpenFiles:
    """Which files a connection to the database at ``path`` has opened, at the time of making this."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = _identity(path)
        self._companions = {part: _identity(part) for part in (_beside(path, suffix) for suffix in _COMPANIONS)}

    def are_in_place(self) -> bool:
        """Whether the file at the path still is the one that was opened."""
        return self._database is not None and _identity(self._path) == self._database

    def clear_the_way(self) -> None:
        """Removes what a removed database left beside it.

        Another database at the path must never meet them: it would read this one's log, and cut the memory that this
        one still maps. Raises ``CannotOpen``.
        """
        for part, opened in self._companions.items():
            if opened is not None and _identity(part) == opened:
                try:
                    part.unlink(missing_ok=True)
                except OSError as error:
                    reason = f"{part.name} of a removed database cannot be removed: {error.strerror}"
                    raise CannotOpen(self._path, reason) from None


def complete(removed: sqlite3.Connection) -> None:
    """Brings all commits into the database file itself: it may only have been moved, without its log."""
    try:
        removed.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        _log.warning("a removed database could not be completed: %s", error)


def carry_over(removed: sqlite3.Connection, into: Ingest, run_ids: Iterable[str], path: Path) -> None:
    """Takes the runs that are not over, and those of ``run_ids``, from a removed database into another one.

    Their clients have an acknowledgement and may send nothing of it again. What was over is gone with its file: who
    removed that wanted it so. May be repeated. Raises ``CannotOpen`` when the database at ``path`` does not take them.
    """
    names = msgspec.json.encode(sorted(run_ids)).decode()
    for group in groups(removed, removed.execute(_SQL["log_of_runs"], (names,)).fetchall()):
        for verdict in into.commit([marked(batch, stored_marks(removed, batch)) for batch in group]):
            if isinstance(verdict, Refused):
                raise CannotOpen(path, f"it does not take what was recorded before: {verdict.message}")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
