"""The runs that an analysis looked at, as it tells them."""

from __future__ import annotations

from collections.abc import Sequence

from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.report import Public
from semantest_recorder.reports.wording import day_and_minute


class RunPlace(Public):
    """A run of the window; ``since_ms`` is when it started, by which runs are ordered."""

    run: str
    commit: str | None
    branch: str | None
    since_at: str | None
    since_ms: float


class WindowInfo(Public):
    """How many runs were looked at, from the ``first`` to the ``last``; ``branch``: of this one only."""

    runs: int
    branch: str | None
    first: RunPlace
    last: RunPlace


def run_place(run: WindowRun) -> RunPlace:
    """A run as JSON tells it."""
    return RunPlace(run.id, run.commit, run.branch, iso_time(run.since_ms), run.since_ms)


def window_info(runs: Sequence[WindowRun], branch: str | None) -> WindowInfo:
    """The window of ``runs``, at least one, the oldest first."""
    return WindowInfo(len(runs), branch, run_place(runs[0]), run_place(runs[-1]))


def window_words(window: WindowInfo) -> str:
    """``the last 40 runs of main, 10-22 09:30 to 11-21 09:30``."""
    since, until = day_and_minute(window.first.since_ms), day_and_minute(window.last.since_ms)
    return f"{window_run_words(window)}, {since if since == until else f'{since} to {until}'}"


def window_run_words(window: WindowInfo) -> str:
    """``the last 40 runs of main``: without when they were."""
    runs = f"the last {window.runs} runs" if window.runs > 1 else "1 run"
    return f"{runs} of {window.branch}" if window.branch is not None else runs


def place_words(place: RunPlace) -> str:
    """``20261121-093000-a1b2c3 (11-21 09:30, 1a2b3c4d5e)``."""
    commit = f", {place.commit[:10]}" if place.commit else ""
    return f"{place.run} ({day_and_minute(place.since_ms)}{commit})"
