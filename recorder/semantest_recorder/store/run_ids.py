"""Whether there is a run of an id: asked in the event loop, so over a connection that stays open."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from semantest_recorder.store.errors import CannotOpen, NoDatabase
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("status.sql")


class RunIds:
    """The ids of the database at ``path``; only for one thread. Opened anew when another file is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None

    def __contains__(self, run_id: object) -> bool:
        """Whether there is a run of this very id; not in a database that is not there. Raises ``StoreError``."""
        try:
            return self._open().execute(_SQL["has_run"], (run_id,)).fetchone() is not None
        except NoDatabase:
            return False
        except sqlite3.Error as error:
            self.close()
            raise CannotOpen(self._path, str(error)) from None

    def close(self) -> None:
        """Until it is asked again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._file = None

    def _open(self) -> sqlite3.Connection:
        try:
            status = self._path.stat()
        except OSError as error:
            self.close()
            if isinstance(error, FileNotFoundError):
                raise NoDatabase(self._path) from None
            raise CannotOpen(self._path, error.strerror or str(error)) from None
        file = status.st_dev, status.st_ino
        if self._connection is None or file != self._file:
            self.close()
            self._connection, self._file = connect_read_only(self._path), file
        return self._connection
