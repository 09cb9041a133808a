"""``/trends``: how a suite goes on from run to run, day to day or week to week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, cast, get_args

from semantest_recorder.answers.trends import trends
from semantest_recorder.core.analysis.trend import Period
from semantest_recorder.pages.charts import Drawn, chart, chart_of_shares, drawn
from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.table import Cell, Table
from semantest_recorder.pages.windows import closed_runs, window_choices, window_of
from semantest_recorder.reports.trend_table import Change, Point, Trends
from semantest_recorder.reports.wording import duration, nonzero, percent

_SHOWN = 100
_STATES = ("passed", "failed", "error", "flaky", "skipped", "xfailed", "xpassed", "crashed", "timeout", "lost")
_COLUMNS = ("name", "started", "runs", "total", *_STATES, "pass_rate", "flaky_rate", "duration_ms", "added")


class Measured(NamedTuple):
    """One measure: its name, its chart, what it is ``now``, and where it changed for good."""

    title: str
    drawn: Drawn
    now: str
    changes: list[Change]


#: Parameters of the address.
_ASKS: Final = ("window", "branch", "by")


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    stamp = closed_runs(database)
    return [Page("/trends", "trends.html", "trends", *views, stamp=stamp, warmed=True, asks=_ASKS)]


def _found(database: Path, visit: Visit) -> Trends:
    return trends(database, window_of(visit), cast("Period", visit.choice("by", get_args(Period), "run")))


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    found = _found(database, visit)
    points = found.points
    measured = [
        _measured(found, "Pass rate", "passRate", [point.pass_rate for point in points]),
        _measured(found, "Flaky rate", "flakyRate", [point.flaky_rate for point in points]),
        _measured(found, "Duration", "durationMs", [point.duration_ms for point in points]),
        _measured(
            found,
            "Tests" if found.by == "run" else "Tests of all runs",
            "",
            [float(point.counts.total) for point in points],
        ),
    ]
    return {"found": found, "measured": measured, "shown": points[::-1][:_SHOWN], **window_choices(database)}


def _measured(found: Trends, title: str, measure: str, values: Sequence[float | None]) -> Measured:
    def words(value: float | None) -> str:
        if value is None:
            return "not known"
        return duration(value) if measure == "durationMs" else percent(value) if measure else f"{value:,.0f}"

    seen = chart_of_shares(values) if measure == "passRate" else chart(values)
    told = [words(value) for value in values]
    names = [f"{point.name}: {said}" for point, said in zip(found.points, told, strict=True)]
    changes = [change for change in found.changes if change.measure == measure]
    places = {point.name: place for place, point in enumerate(found.points)}
    return Measured(title, drawn(seen, names, words, [places[change.since] for change in changes]), told[-1], changes)


def _table(database: Path, visit: Visit) -> Table:
    return Table("trends", _COLUMNS, [_row(point) for point in _found(database, visit).points])


def _row(point: Point) -> list[Cell]:
    counts = dict(nonzero(point.counts))
    states = [counts.get(state, 0) for state in _STATES]
    measures = (point.pass_rate, point.flaky_rate, point.duration_ms, point.added)
    return [point.name, point.start_at, point.runs, point.counts.total, *states, *measures]
