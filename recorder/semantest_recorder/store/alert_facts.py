"""What rules are judged by, read over one read-only connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from semantest_recorder.core.alerts.alert import Alert, State
from semantest_recorder.core.alerts.delivery import Delivery
from semantest_recorder.core.alerts.judging import JudgedRun
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.core.analysis.flakiness import FAILED, Flakiness
from semantest_recorder.core.analysis.time_shift import PASSES
from semantest_recorder.store.alerts import (
    JUDGED_WITHIN_MS,
    MOST_ALERTS,
    AlertPlace,
    alerts_of,
    count_alerts,
    count_queued,
    deliveries_in,
    listed_alerts,
    silences_in,
)
from semantest_recorder.store.analysis_flaky import flaky_tests
from semantest_recorder.store.analysis_window import window
from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

T = TypeVar("T")
_SQL = statements("alerts.sql")
#: Runs that are judged at a time; the others are next.
_RUNS_AT_ONCE: Final = 20
#: A run may be over before its shipper has told its branch: one without any context is waited for so long.
_CONTEXT_MS: Final = 5_000.0
#: A run may have begun so long before it was over.
_LONGEST_MS: Final = 7 * 86_400_000.0
_BAD: Final = FAILED | {"lost"}


class Firing(NamedTuple):
    """A subject of a rule that fires."""

    subject: str
    test_id: str | None
    branch: str | None


class Unjudged(NamedTuple):
    """Runs to judge; ``has_more``: there are others, now or soon."""

    runs: list[JudgedRun]
    has_more: bool


class Running(NamedTuple):
    """An attempt that goes on, for how long by the clocks of those who saw it."""

    run_id: str
    branch: str | None
    test_id: str
    worker: str
    elapsed_ms: float
    pull_request: str | None


class AlertFacts:
    """Queries on the database at ``path``, to be closed. Everything raises what ``Reader`` raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect_read_only(path)

    def close(self) -> None:
        """Lets go of the database."""
        self._connection.close()

    def unjudged(self, now_ms: float) -> Unjudged:
        """Some runs that are over and were not judged as they are now, the oldest first."""
        within = now_ms - JUDGED_WITHIN_MS
        rows = self._all("unjudged", within - _LONGEST_MS, within, _RUNS_AT_ONCE)
        known = [row for row in rows if row[-1] or not self._is_fresh(row[0], now_ms)]
        is_all = len(known) == len(rows) < _RUNS_AT_ONCE
        return Unjudged([self._judged(row[:-1]) for row in known], not is_all)

    def open_runs(self, run_ids: Iterable[str], now_ms: float) -> list[JudgedRun]:
        """Those of these runs that go on; their duration is that up to now."""
        return [_run(row, 0) for row in self._all("open_runs", _list(run_ids), now_ms)]

    def earlier_durations(self, run_id: str) -> list[float]:
        """Milliseconds that earlier runs of the branch took, the newest first; of those of about as many tests."""
        return [row[0] for row in self._all("durations", run_id, PASSES)]

    def firing(self, rule: Rule) -> list[Firing]:
        """What fires of a rule."""
        return [Firing(*row) for row in self._all("firing", rule.name)]

    def alerts(self, rule: Rule) -> list[Alert]:
        """What fires of a rule, or was told to fire last."""
        return self._guarded(lambda: alerts_of(self._connection, rule))

    def silences(self, now_ms: float) -> list[Silence]:
        """Those that hold now."""
        return self._guarded(lambda: silences_in(self._connection, now_ms))

    def states(self, run_id: str, test_ids: Iterable[str]) -> dict[str, str]:
        """The states of these tests in a run."""
        return dict(self._all("states", run_id, _list(test_ids)))

    def collected(self, run_id: str, ids: Iterable[str]) -> set[str]:
        """Those of these files, folders and classes below which a run has tests."""
        return {row[0] for row in self._all("collected", run_id, _list(ids))}

    def gone(self, run_id: str, rule: Rule, subjects: Iterable[str]) -> set[str]:
        """The tests of these subjects, which fire, that a run should have collected and did not."""
        return {row[0] for row in self._all("gone", run_id, rule.name, _list(subjects))}

    def forgiven(self, run_id: str) -> set[str]:
        """The tests of a run that failed in quarantine."""
        return {row[0] for row in self._all("forgiven", run_id)}

    def running(self, run_ids: Iterable[str], now_ms: float) -> list[Running]:
        """What runs now in these runs."""
        return [Running(*row) for row in self._all("running", _list(run_ids), now_ms) if row[4] is not None]

    def flaky(self, rule: Rule) -> dict[str, Flakiness]:
        """The flaky tests in the last runs that a rule is about, by their present ids."""
        identity = read_identity(self._path)

        def find() -> dict[str, Flakiness]:
            runs = window(
                self._connection, most=rule.runs, wanted=lambda run: rule.is_about(run.branch, run.pull_request)
            )
            return flaky_tests(self._connection, runs, identity).tests

        return self._guarded(find)

    def _judged(self, row: Sequence[Any]) -> JudgedRun:
        (bad,) = self._all("count_bad", row[0], _list(sorted(_BAD)))[0]
        return _run(row, bad)

    def _is_fresh(self, run_id: str, now_ms: float) -> bool:
        """Whether something of the run came a moment ago."""
        ((last_ms,),) = self._all("last_received", run_id)
        return last_ms is not None and now_ms - last_ms < _CONTEXT_MS

    def _all(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self._guarded(lambda: self._connection.execute(_SQL[query], arguments).fetchall())

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except sqlite3.Error as error:
            raise CannotOpen(self._path, str(error)) from None


def _run(row: Sequence[Any], bad: int) -> JudgedRun:
    run_id, state, branch, pull_request, tests, duration_ms, is_empty = row
    request = None if pull_request is None else str(pull_request)
    place = None if branch is None else str(branch)
    return JudgedRun(
        id=run_id,
        state=state,
        branch=place,
        pull_request=request,
        tests=tests,
        bad=bad,
        is_empty=bool(is_empty),
        duration_ms=duration_ms,
    )


def _list(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()


class StoredAlerts(NamedTuple):
    """Alerts at one moment, with their places; ``counts``: of all, by state; ``deliveries``: the newest ones.

    ``queued``: how many deliveries wait.
    """

    listed: list[tuple[Alert, AlertPlace]]
    counts: Mapping[State, int]
    silences: list[Silence]
    deliveries: list[Delivery]
    dead: list[Delivery]
    queued: int

    @property
    def alerts(self) -> list[Alert]:
        """The alerts alone."""
        return [alert for alert, _place in self.listed]


def read_alerts(
    path: Path,
    now_ms: float,
    deliveries: int = 500,
    state: State | None = None,
    most: int = MOST_ALERTS,
    after: Callable[[sqlite3.Connection], AlertPlace | None] = lambda _connection: None,
) -> StoredAlerts:
    """What the database at ``path`` says, in one snapshot: alerts as ``listed_alerts``, behind the place ``after``.

    Raises what ``Reader`` and ``after`` raise.
    """
    with closing(connect_read_only(path)) as connection:
        try:
            connection.execute("BEGIN")
            recent = deliveries_in(connection, "recent", deliveries)
            return StoredAlerts(
                listed_alerts(connection, state, most, after(connection)),
                count_alerts(connection),
                silences_in(connection, now_ms),
                recent,
                deliveries_in(connection, "dead"),
                count_queued(connection),
            )
        except sqlite3.Error as error:
            raise CannotOpen(path, str(error)) from None
