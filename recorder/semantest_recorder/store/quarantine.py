"""What the database knows of the tests in quarantine."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from semantest_recorder.core.quarantine_standing import PastRun, PastState
from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("quarantine.sql")


class QuarantineHistory:
    """The last runs of a database. Methods raise what ``store.reader.Reader`` raises."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def runs(self, limit: int) -> list[PastRun]:
        """The ``limit`` runs that ended last, newest first."""
        return [
            PastRun(key, run_id, planned, bool(whole)) for key, run_id, planned, whole in self._all("past_runs", limit)
        ]

    def tests_of(self, run: PastRun) -> list[str]:
        """The planned tests of a run, in the order of the plan."""
        return [row[0] for row in self._all("tests_of_run", run.key)]

    def all_tests(self) -> list[str]:
        """Every test that any run has."""
        return [row[0] for row in self._all("all_tests")]

    def states(self, runs: Sequence[PastRun], test_ids: Sequence[str]) -> list[PastState]:
        """What became of these tests in these runs, in the order of the runs."""
        return [PastState(*row) for row in self._all("past_states", _list([run.key for run in runs]), _list(test_ids))]

    def _all(self, query: str, *arguments: object) -> list[tuple]:  # type: ignore[type-arg]
        with closing(connect_read_only(self._path)) as connection:
            try:
                return connection.execute(_SQL[query], arguments).fetchall()
            except sqlite3.Error as error:
                raise CannotOpen(self._path, str(error)) from None


def _list(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode()
