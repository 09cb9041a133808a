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
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("status.sql")
#: What a page of results, or the details of one test, hold at most: characters, and events.
_PAGE_BYTES = 4 * 1024 * 1024
_DETAILS_MAX = 5000


class Totals(msgspec.Struct):
    """How much a database holds, and how many tests of runs that are not over are in each state."""

    events: int
    runs: int
    results: int
    suites: int
    active: dict[str, int]


class ResultsPage(msgspec.Struct):
    """Some results of a run: rows of ``results_page``, and by test key errors and details.

    ``last``: the last key, if there may be more; ``cut``: keys of tests that have more details than is read of one.
    """

    rows: list[tuple[Any, ...]] = msgspec.field(default_factory=list)
    errors: dict[int, tuple[Any, ...]] = msgspec.field(default_factory=dict)
    details: dict[int, list[tuple[str, float, str]]] = msgspec.field(default_factory=dict)
    last: int | None = None
    cut: set[int] = msgspec.field(default_factory=set)


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
        """Up to ``limit`` results of a run whose test keys are above ``after``; fewer when they say very much."""
        page, size = ResultsPage(), 0
        with self._connection() as connection:
            connection.execute("BEGIN")  # one snapshot: a cleanup may delete runs meanwhile
            rows = connection.execute(_SQL["results_page"], (run_id, after, limit)).fetchall()
            for row in rows:
                if size > _PAGE_BYTES:
                    break
                size += self._add(connection, page, run_id, row)
        page.last = page.rows[-1][0] if len(page.rows) == limit or len(page.rows) < len(rows) else None
        return page

    @staticmethod
    def _add(connection: sqlite3.Connection, page: ResultsPage, run_id: str, row: tuple[Any, ...]) -> int:
        """Adds one result with its error and its details; how much text they have."""
        key, size = row[0], 0
        page.rows.append(row)
        error = connection.execute(_SQL["error_of_test"], (run_id, key)).fetchone()
        if error is not None:
            page.errors[key] = error
            size += len(error[1]) + len(error[4] or "")
        found = connection.execute(_SQL["details_of_test"], (run_id, key, _DETAILS_MAX + 1)).fetchall()
        for kind, at, *place in found[:_DETAILS_MAX]:
            if size > _PAGE_BYTES:
                page.cut.add(key)
                break
            (payload,) = connection.execute(_SQL["payload"], place).fetchone()
            page.details.setdefault(key, []).append((kind, at, payload))
            size += len(payload)
        if len(found) > _DETAILS_MAX:
            page.cut.add(key)
        return size

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(connect_read_only(self._path)) as connection:
            try:
                yield connection
            except sqlite3.Error as error:
                raise CannotOpen(self._path, str(error)) from None
