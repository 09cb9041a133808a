"""The write-ahead log beside a database: how large it may become, whoever reads meanwhile."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from time import monotonic, sleep

_log = logging.getLogger(__name__)
#: What the log may hold, in bytes.
LIMIT_BYTES = 64 * 1024 * 1024
#: How long those who read in it are waited for, once it is larger, in seconds.
_PATIENCE_S = 1.0
_POLL_S = 0.005


def limit_log(connection: sqlite3.Connection) -> None:
    """Lets SQLite shorten the log to its limit whenever it can begin it anew."""
    connection.execute(f"PRAGMA journal_size_limit = {LIMIT_BYTES}")


def empty_log(connection: sqlite3.Connection, patience_s: float = 0.0) -> bool:
    """Writes the log back and shortens it to nothing; whether nobody read in it for longer than ``patience_s``.

    Raises ``sqlite3.Error``.
    """
    ends_s = monotonic() + patience_s
    (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
    # SQLite itself would wait for the place that a reader had, though the next one who takes it harms nobody.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while not (emptied := _try_to_empty(connection)) and monotonic() < ends_s:
            sleep(_POLL_S)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")
    return emptied


def _try_to_empty(connection: sqlite3.Connection) -> bool:
    ((busy, _pages, _written),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not busy


class LogBound:
    """Keeps the log of the database at ``path`` small.

    SQLite begins it anew only at a moment when nobody reads in it. Queries that overlap leave no such moment, and it
    would grow for as long as they come: so those that read now are waited for, while those that come read the database
    itself. A reader who does not end is waited for once for every ``LIMIT_BYTES`` more, and is told.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._log = self._path.with_name(f"{self._path.name}-wal")
        self._due = LIMIT_BYTES
        self._told = False

    def keep(self, connection: sqlite3.Connection) -> None:
        """To be called behind a commit, by who writes."""
        size = self._size()
        if size <= LIMIT_BYTES:
            self._due, self._told = LIMIT_BYTES, False
        if size <= self._due:
            return
        try:
            emptied = empty_log(connection, _PATIENCE_S)
        except sqlite3.Error as error:  # the next commit meets it as well
            _log.warning("the log of %s could not be written back: %s", self._path, error)
            emptied = False
        if not emptied and not self._told:
            self._told = True
            _log.warning("somebody reads in %s without an end: its log has grown to %d MiB", self._path, size >> 20)
        self._due = size + LIMIT_BYTES

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0
