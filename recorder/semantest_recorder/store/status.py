"""What is asked about runs while they go on: their counts, their results page by page, totals of everything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.store.errors import CannotOpen, NoDatabase
from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import connect_read_only

_SQL = statements("status.sql")


class Totals(msgspec.Struct):
    """How much a database holds, and how many tests of runs that are not over are in each state."""

    events: int
    runs: int
    results: int
    suites: int
    active: dict[str, int]


class ResultsPage(msgspec.Struct):
    """Some results of a run: rows of ``results_page``, and by test key errors and details. ``last``: the last key."""

    rows: list[tuple[Any, ...]]
    errors: dict[int, tuple[Any, ...]]
    details: dict[int, list[tuple[str, str]]]
    last: int | None


class Status:
    """Queries of the database at ``path``; every method raises what ``Reader`` raises."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def has_run(self, run_id: str) -> bool:
        """Whether there is a run of this very id; not in a database that is not there."""
        try:
            with self._connection() as connection:
                return connection.execute(_SQL["has_run"], (run_id,)).fetchone() is not None
        except NoDatabase:
            return False

    def open_runs(self) -> list[tuple[str, str | None]]:
        """The ids of runs that are not over, oldest first, and why they are being cancelled, if they are."""
        with self._connection() as connection:
            return connection.execute(_SQL["open_runs"]).fetchall()

    def counts(self, run_id: str) -> tuple[dict[str, int], tuple[int, int]]:
        """How many tests of a run are in each state; how many suites it has, and how many have ended."""
        with self._connection() as connection:
            suites = connection.execute(_SQL["suite_counts"], (run_id,)).fetchone()
            return dict(connection.execute(_SQL["result_counts"], (run_id,)).fetchall()), suites

    def totals(self) -> Totals:
        """Totals over all runs."""
        with self._connection() as connection:
            events, runs, results, suites = connection.execute(_SQL["totals"]).fetchone()
            active = dict(connection.execute(_SQL["active_counts"]).fetchall())
            return Totals(events, runs, results, suites, active)

    def results(self, run_id: str, after: int, limit: int) -> ResultsPage:
        """Up to ``limit`` results of a run whose test keys are above ``after``."""
        with self._connection() as connection:
            rows = connection.execute(_SQL["results_page"], (run_id, after, limit)).fetchall()
            if not rows:
                return ResultsPage([], {}, {}, None)
            span = (run_id, rows[0][0], rows[-1][0])
            errors = {row[0]: row[1:] for row in connection.execute(_SQL["errors_of_tests"], span).fetchall()}
            details: dict[int, list[tuple[str, str]]] = {}
            for key, kind, payload in connection.execute(_SQL["details_of_tests"], span).fetchall():
                details.setdefault(key, []).append((kind, payload))
            return ResultsPage(rows, errors, details, rows[-1][0] if len(rows) == limit else None)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(connect_read_only(self._path)) as connection:
            try:
                yield connection
            except sqlite3.Error as error:
                raise CannotOpen(self._path, str(error)) from None
