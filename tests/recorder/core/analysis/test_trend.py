"""Points of runs, days and weeks, and where they changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from semantest_recorder.core.analysis.trend import Period, RunNumbers, trend, trend_changes
from semantest_recorder.core.analysis.window import WindowRun


def numbers(
    at: str | float, *, took: float | None = 60_000.0, added: int | None = 0, states: dict[str, int] | None = None
) -> RunNumbers:
    since = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000 if isinstance(at, str) else at
    ended = None if took is None else since + took
    run = WindowRun(1, f"run-{at}", "passed", since, since, ended, "main", "c0ffee")
    return RunNumbers(run, states or {"passed": 10}, added)


@pytest.mark.parametrize(
    ("period", "names"),
    [
        ("run", ["run-2025-12-29T00:00", "run-2025-12-29T23:59", "run-2026-01-04T12:00", "run-2026-01-05T00:00"]),
        ("day", ["2025-12-29", "2026-01-04", "2026-01-05"]),
        ("week", ["2026-W01", "2026-W02"]),
    ],
)
def test_periods(period: Period, names: list[str]) -> None:
    days = ("2025-12-29T00:00", "2025-12-29T23:59", "2026-01-04T12:00", "2026-01-05T00:00")
    points = trend([numbers(day) for day in days], period)
    assert [point.name for point in points] == names
    assert sum(point.runs for point in points) == 4


def test_rates_are_of_tests_that_say_whether_they_work() -> None:
    states = {"passed": 6, "flaky": 1, "xpassed": 1, "failed": 1, "timeout": 1, "skipped": 30, "not_run": 5, "lost": 1}
    (point,) = trend([numbers("2026-01-01", states=states)], "run")
    assert point.pass_rate == 0.8
    assert point.flaky_rate == 0.1
    (point,) = trend([numbers("2026-01-01", states={"skipped": 3})], "run")
    assert (point.pass_rate, point.flaky_rate) == (None, None)


def test_runs_of_a_day_are_taken_together() -> None:
    runs = [
        numbers("2026-01-01T01:00", took=10.0, added=2, states={"passed": 1}),
        numbers("2026-01-01T02:00", took=None, added=3, states={"passed": 2, "failed": 1}),
        numbers("2026-01-01T03:00", took=30.0, added=0, states={"passed": 1}),
    ]
    (point,) = trend(runs, "day")
    assert (point.states, point.duration_ms, point.added) == ({"passed": 4, "failed": 1}, 20.0, 5)
    (point,) = trend([*runs, numbers("2026-01-01T04:00", added=None)], "day")
    assert point.added is None, "of one run nobody knows"


def test_a_change_is_found_beside_runs_of_a_part_of_the_suite() -> None:
    runs = [numbers(float(n), took=100.0 if n < 12 else 200.0, states={"passed": 100}) for n in range(24)]
    runs[5] = numbers(5.0, took=1.0, states={"passed": 3})
    (change,) = trend_changes(trend(runs, "run"))
    assert (change.measure, change.place, change.before, change.after) == ("durationMs", 12, 100.0, 200.0)


def test_a_change_that_is_small_is_not_told() -> None:
    runs = [numbers(float(n), states={"passed": 999 if n < 12 else 998, "failed": 1 + n // 12}) for n in range(24)]
    assert trend_changes(trend(runs, "run")) == []
    runs = [numbers(float(n), states={"passed": 990 - n // 12 * 80, "failed": 10 + n // 12 * 80}) for n in range(24)]
    assert [change.measure for change in trend_changes(trend(runs, "run"))] == ["passRate"]


def test_nothing_has_no_trend() -> None:
    assert trend([], "day") == []
    assert trend_changes([]) == []


@pytest.mark.parametrize("since", [-1e300, 1e300])
def test_a_clock_that_is_far_off(since: float) -> None:
    assert len(trend([numbers(since)], "week")) == 1
