"""A run while it happens with all that a page shows of it: one look at it, whoever gathers its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from semantest_recorder.core.watched_run import WatchedRun
from semantest_recorder.reports.checkout import run_checkout
from semantest_recorder.reports.live import LiveView, UsualOf, counted_view

#: Failures, and tests that come next, that are shown.
FAILURES, WAITING = 20, 8


class LiveLook(NamedTuple):
    """``view`` says what runs and what failed; the rest what is to come.

    ``idle``: processes that run no test now; ``waiting``: the tests that come next; ``rate``: tests in a second;
    ``left_ms``: how long the rest is expected to take. ``None``: not known. ``checkout``: branch and commit.
    """

    view: LiveView
    started_ms: float | None
    ended_ms: float | None
    idle: Sequence[str]
    waiting: Sequence[str]
    checkout: tuple[str | None, str | None]
    rate: float | None = None
    left_ms: float | None = None


def look_at(watched: WatchedRun, now_ms: float, usual_of: UsualOf) -> LiveLook:
    """A look at a run that is settled."""
    run = watched.run
    bad = watched.bad(FAILURES)
    view = counted_view(run, watched.numbers, bad, watched.attempts(bad), now_ms, usual_of)
    busy = {test.worker for test in view.running}
    return LiveLook(
        view,
        run.started_ms,
        run.ended_ms,
        [worker for worker in watched.workers() if worker not in busy],
        watched.waiting(WAITING),
        run_checkout(run),
        watched.rate(now_ms),
        watched.left_ms(now_ms),
    )
