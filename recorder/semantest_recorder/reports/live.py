"""A run while it happens, as numbers and lists for a display. Pure: the rows come in, ``now`` is an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import median, quantiles

import msgspec

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES
from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.core.rows import AttemptRow, ResultRow, RunRow
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, counts_of
from semantest_recorder.reports.report import REPORT_SCHEMA, Counts, Public

_LATEST_FAILURES = 5
#: Of fewer times the 95th percentile is little else than the longest, and that may have been an exception.
_ENOUGH_TIMES = 20
_FEW_TIMES_FACTOR = 3.0
_GREEN = frozenset({"passed", "flaky", "xpassed"})


class Usual(msgspec.Struct):
    """How long a test took before: milliseconds."""

    median_ms: float
    p95_ms: float


class RunningTest(Public):
    """What a worker does now. ``slow``: longer than 95 % of the times before, which is ``p95_ms``."""

    worker: str
    test_id: str
    attempt: int
    phase: str
    elapsed_ms: float
    usual_ms: float | None
    slow: bool
    started_ms: float | None = None
    p95_ms: float | None = None


class LatestFailure(Public):
    """A test that is not green any more. ``forgiven``: that does not count, for it is in quarantine."""

    test_id: str
    state: str
    message: str | None
    forgiven: bool
    ended_ms: float | None = None


class LiveView(Public, kw_only=True):
    """One look at a run; also a line of ``semantest watch --json``. ``gaps`` counts records that cannot be read.

    ``quarantined``: failed tests that do not count; ``shard_count`` and ``shards_missing`` as in a ``RunHead``.
    """

    schema: int = REPORT_SCHEMA
    type: str = "snapshot"
    run: str
    name: str | None
    state: str
    stop_reason: str | None
    gaps: int
    quarantined: int
    elapsed_ms: float | None
    done: int
    counts: Counts
    running: list[RunningTest]
    failures: list[LatestFailure]
    shard_count: int = 0
    shards_missing: int = 0


#: The usual time of a test id, ``None`` for a test that never passed before.
UsualOf = Callable[[str], Usual | None]


def live_view(
    run: RunRow, results: Iterable[ResultRow], attempts: Iterable[AttemptRow], now_ms: float, usual_of: UsualOf
) -> LiveView:
    """The run as all its rows say at ``now_ms``. ``attempts`` may be only those of running and of bad tests."""
    numbers: dict[str, int] = {}
    bad: list[ResultRow] = []
    for result in results:
        numbers[result.state] = numbers.get(result.state, 0) + 1
        if result.state in BAD_STATES:
            bad.append(result)
    bad.sort(key=lambda row: -(row.ended_ms or row.started_ms or 0.0))
    return counted_view(run, numbers, bad[:_LATEST_FAILURES], attempts, now_ms, usual_of)


def counted_view(
    run: RunRow,
    numbers: Mapping[str, int],
    bad: Iterable[ResultRow],
    attempts: Iterable[AttemptRow],
    now_ms: float,
    usual_of: UsualOf,
) -> LiveView:
    """The same of a run whose tests were counted: ``numbers`` says how many are in each state.

    ``bad`` are the failures to show, newest first; ``attempts`` those of running and of bad tests.
    """
    attempts = list(attempts)
    messages = {row.test_id: row.error_message or row.reason for row in attempts if row.outcome is not None}
    closed = run.state in CLOSED_RUN_STATES
    until = run.ended_ms if closed else now_ms
    return LiveView(
        run=run.id,
        name=run.name,
        state=run.state,
        stop_reason=run.stop_reason,
        gaps=run.gaps,
        quarantined=run.quarantined,
        elapsed_ms=max(0.0, until - run.started_ms) if until is not None and run.started_ms is not None else None,
        done=sum(numbers.get(state, 0) for state in FINAL_STATES),
        counts=counts_of(numbers, closed=closed),
        running=[] if closed else [_running(row, now_ms, usual_of) for row in attempts if row.outcome is None],
        failures=[
            LatestFailure(row.test_id, row.state, messages.get(row.test_id) or row.reason, row.forgiven, row.ended_ms)
            for row in bad
        ],
        shard_count=run.shard_count,
        shards_missing=run.shards_missing,
    )


def usual_time(history: Iterable[PastRun]) -> Usual | None:
    """Median and 95th percentile of the green results of a test; ``None`` without any.

    Where there are few of them, the percentile is at most three times the median.
    """
    times = [row.duration_ms for row in history if row.state in _GREEN]
    if not times:
        return None
    middle = median(times)
    p95 = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else middle
    return Usual(middle, p95 if len(times) >= _ENOUGH_TIMES else min(p95, middle * _FEW_TIMES_FACTOR))


def _running(row: AttemptRow, now_ms: float, usual_of: UsualOf) -> RunningTest:
    elapsed = max(0.0, now_ms - row.started_ms) if row.started_ms is not None else 0.0
    usual = usual_of(row.test_id)
    return RunningTest(
        worker=row.worker,
        test_id=row.test_id,
        attempt=row.attempt,
        phase=row.phase or "setup",  # the shipper tells of a phase that lasts
        elapsed_ms=elapsed,
        usual_ms=usual.median_ms if usual else None,
        slow=usual is not None and elapsed > usual.p95_ms,
        started_ms=row.started_ms,
        p95_ms=usual.p95_ms if usual else None,
    )
