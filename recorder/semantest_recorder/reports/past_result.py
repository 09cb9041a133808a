"""The public shape of a test in one of its runs, for everything that shows its history."""

from __future__ import annotations

from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.report import Public


class PastResult(Public):
    """The test in one run, and what it was called there. ``dirty``: whether files were changed since the commit."""

    run: str
    run_state: str
    started_at: str | None
    started_ms: float | None
    branch: str | None
    commit: str | None
    state: str
    attempts: int
    duration_ms: float
    worker: str | None
    reason: str | None
    test: str
    dirty: bool | None


def past_result(run: PastRun) -> PastResult:
    """The public shape of ``run``."""
    return PastResult(
        run=run.run_id,
        run_state=run.run_state,
        started_at=iso_time(run.since_ms),
        started_ms=run.since_ms,
        branch=run.branch,
        commit=run.commit,
        state=run.state,
        attempts=run.attempts,
        duration_ms=run.duration_ms,
        worker=run.worker,
        reason=run.reason,
        test=run.test_id,
        dirty=None if run.dirty is None else bool(run.dirty),
    )
