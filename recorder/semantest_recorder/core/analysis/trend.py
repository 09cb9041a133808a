"""How a suite goes on from run to run, or from day to day: the points of a trend and where it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from statistics import median
from typing import Final, Literal, NamedTuple

import msgspec

from semantest_recorder.core.analysis.change_point import ChangePoint, change_points
from semantest_recorder.core.analysis.flakiness import FLAKY, JUDGED, PASSED
from semantest_recorder.core.analysis.window import WindowRun

Period = Literal["run", "day", "week"]
Measure = Literal["passRate", "flakyRate", "durationMs"]

#: A run of fewer tests than this share of the usual (median) number is no run of the whole suite.
WHOLE_SHARE: Final = 0.5
#: The end of the year 9999.
_LAST_S: Final = 253_402_300_799.0
#: A change matters from so much on: parts of one for rates, a factor for durations.
RATE_CHANGE: Final = 0.005
DURATION_CHANGE: Final = 1.1


class RunNumbers(NamedTuple):
    """A run and the number of its tests in each state; ``added``: in no run before, ``None`` when nobody knows."""

    run: WindowRun
    states: Mapping[str, int]
    added: int | None


class TrendPoint(msgspec.Struct):
    """A run, or the runs of a day or week (UTC; weeks begin on Monday), from ``start_ms`` on.

    ``duration_ms`` is the median of its runs. ``pass_rate`` and ``flaky_rate`` are shares of the results that say
    whether a test works, ``None`` when there are none. ``shards_missing``: shards that did not come.
    """

    name: str
    start_ms: float
    runs: int
    states: dict[str, int]
    pass_rate: float | None
    flaky_rate: float | None
    duration_ms: float | None
    added: int | None
    shards_missing: int = 0


class TrendChange(NamedTuple):
    """From the point at ``place`` on a measure stays another one."""

    measure: Measure
    place: int
    before: float
    after: float
    p: float


def trend(numbers: Iterable[RunNumbers], period: Period) -> list[TrendPoint]:
    """The points of runs that come the oldest first."""
    return [
        _point(name, start_ms, list(group))
        for (name, start_ms), group in groupby(numbers, key=lambda one: _period_of(one.run, period))
    ]


def trend_changes(points: Sequence[TrendPoint]) -> list[TrendChange]:
    """Where pass rate, flaky rate and duration changed for good, the earliest first.

    Points of a part of the suite are left out: their durations and rates are those of other tests.
    """
    usual = median(map(_tests_per_run, points)) if points else 0.0
    whole = [index for index, point in enumerate(points) if _tests_per_run(point) >= WHOLE_SHARE * usual]
    found: list[TrendChange] = []
    for measure in ("passRate", "flakyRate", "durationMs"):
        values = [(index, value) for index in whole if (value := _value(points[index], measure)) is not None]
        found += [
            TrendChange(measure, values[change.place][0], change.before, change.after, change.p)
            for change in change_points([value for _, value in values])
            if _matters(measure, change)
        ]
    return sorted(found, key=lambda change: change.place)


def _point(name: str, start_ms: float, group: Sequence[RunNumbers]) -> TrendPoint:
    states: dict[str, int] = {}
    for one in group:
        for state, number in one.states.items():
            states[state] = states.get(state, 0) + number
    judged = sum(number for state, number in states.items() if state in JUDGED)
    flaky = states.get(FLAKY, 0)
    passed = flaky + sum(number for state, number in states.items() if state in PASSED)
    took = [took for one in group if (took := one.run.duration_ms) is not None]
    added = [one.added for one in group]
    return TrendPoint(
        name=name,
        start_ms=start_ms,
        runs=len(group),
        states=states,
        pass_rate=passed / judged if judged else None,
        flaky_rate=flaky / judged if judged else None,
        duration_ms=median(took) if took else None,
        added=None if None in added else sum(number for number in added if number is not None),
        shards_missing=sum(one.run.shards_missing for one in group),
    )


def _period_of(run: WindowRun, period: Period) -> tuple[str, float]:
    """The name of the period that a run is in, and when it begins."""
    if period == "run":
        return run.id, run.since_ms
    seconds = min(max(run.since_ms / 1000, 0.0), _LAST_S)  # a clock may have said anything
    day = datetime.fromtimestamp(seconds, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "week":
        day -= timedelta(days=day.weekday())
        return "{}-W{:02d}".format(*day.isocalendar()), day.timestamp() * 1000
    return day.date().isoformat(), day.timestamp() * 1000


def _tests_per_run(point: TrendPoint) -> float:
    return sum(point.states.values()) / point.runs


def _value(point: TrendPoint, measure: Measure) -> float | None:
    return {"passRate": point.pass_rate, "flakyRate": point.flaky_rate, "durationMs": point.duration_ms}[measure]


def _matters(measure: Measure, change: ChangePoint) -> bool:
    less, more = sorted((change.before, change.after))
    return more >= DURATION_CHANGE * less if measure == "durationMs" else more - less >= RATE_CHANGE
