"""Trends: the public shape of ``semantest trends``, its table and its CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.core.analysis.flakiness import FAILED, FLAKY
from semantest_recorder.core.analysis.trend import Measure, TrendChange, TrendPoint
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.aggregate import counts_of, iso_time
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import REPORT_SCHEMA, Counts, Public
from semantest_recorder.reports.sparkline import sparkline
from semantest_recorder.reports.spreadsheet import no_formula
from semantest_recorder.reports.window import WindowInfo, window_info, window_words
from semantest_recorder.reports.wording import day_and_minute, duration, percent, plural

if TYPE_CHECKING:
    from rich.text import Text

MEASURES: Final[dict[Measure, str]] = {"passRate": "pass rate", "flakyRate": "flaky rate", "durationMs": "duration"}


class Point(Public):
    """A run, or the runs of a day or week (UTC); ``name``: the run's id, ``2026-11-21`` or ``2026-W47``.

    The other fields are those of ``TrendPoint`` (core/analysis/trend.py), which tells what they mean.
    """

    name: str
    start_at: str | None
    start_ms: float
    runs: int
    counts: Counts
    pass_rate: float | None
    flaky_rate: float | None
    duration_ms: float | None
    added: int | None
    shards_missing: int


class Change(Public):
    """From the point called ``since`` on ``measure`` is another one: medians of both sides, and Pettitt's p."""

    measure: Measure
    since: str
    before: float
    after: float
    p: float


class Trends(Public, kw_only=True):
    """What ``semantest trends --json`` prints, the oldest point first."""

    schema: int = REPORT_SCHEMA
    window: WindowInfo
    by: str
    points: list[Point]
    changes: list[Change]


def trends(
    runs: Sequence[WindowRun], branch: str | None, by: str, points: Sequence[TrendPoint], changes: Sequence[TrendChange]
) -> Trends:
    """The public shape of ``points`` and of the changes between them."""
    return Trends(
        window=window_info(runs, branch),
        by=by,
        points=[_point(point) for point in points],
        changes=[
            Change(change.measure, points[change.place].name, change.before, change.after, change.p)
            for change in changes
        ],
    )


def _point(point: TrendPoint) -> Point:
    return Point(
        name=point.name,
        start_at=iso_time(point.start_ms),
        start_ms=point.start_ms,
        runs=point.runs,
        counts=counts_of(point.states, closed=True),
        pass_rate=point.pass_rate,
        flaky_rate=point.flaky_rate,
        duration_ms=point.duration_ms,
        added=point.added,
        shards_missing=point.shards_missing,
    )


def trend_lines(found: Trends, limit: int, characters: str) -> Iterator[Text]:
    """The measures drawn, where they changed, and a table of the ``limit`` newest points (0: all)."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    from semantest_recorder.reports.columns import columns  # noqa: PLC0415

    yield Text(f"Trends of {inert_line(window_words(found.window))}, by {found.by}")
    yield Text()
    for measure, name in MEASURES.items():
        yield Text(f"{name:<12}{_drawn(measure, found.points, characters)}")
    yield Text()
    shown = found.points[-limit:]
    headings = _headings(found.by)
    yield from columns(headings, [_cells(point, found.by) for point in shown], headings[1:])
    if len(shown) < len(found.points):
        yield Text(f"... and {len(found.points) - len(shown)} earlier ones: --limit 0 shows all")
    if found.changes:
        yield Text()
        yield Text("Changed for good", "bold")
    for change in found.changes:
        before, after = _words(change.measure, change.before), _words(change.measure, change.after)
        yield Text(f"  {MEASURES[change.measure]}: {before} before, {after} since {inert_line(change.since)}")


def trend_csv(found: Trends) -> str:
    """A line of names and one for each point; lines end as RFC 4180 says, an empty cell is not known."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    states = ("total", *FINAL_STATES)
    writer.writerow(
        ("name", "start_at", "runs", *states, "pass_rate", "flaky_rate", "duration_ms", "added", "shards_missing")
    )
    for point in found.points:
        counts = msgspec.to_builtins(point.counts)
        rates = (point.pass_rate, point.flaky_rate, point.duration_ms, point.added, point.shards_missing)
        row = (no_formula(point.name), point.start_at, point.runs, *(counts[state] for state in states), *rates)
        writer.writerow(row)
    return stream.getvalue()


def _drawn(measure: Measure, points: Sequence[Point], characters: str) -> str:
    series = [_value(measure, point) for point in points]
    known = [value for value in series if value is not None]
    if not known:
        return "not known"
    least, most, now = (_words(measure, value) for value in (min(known), max(known), known[-1]))
    return f"{sparkline(series, characters)}  {now if least == most else f'{least} to {most}, last {now}'}"


def _value(measure: Measure, point: Point) -> float | None:
    return {"passRate": point.pass_rate, "flakyRate": point.flaky_rate, "durationMs": point.duration_ms}[measure]


def _words(measure: Measure, value: float | None) -> str:
    if value is None:
        return "?"
    return duration(value) if measure == "durationMs" else percent(value)


def _headings(by: str) -> tuple[str, ...]:
    return (by, "started" if by == "run" else "runs", "tests", "failed", "flaky", "pass rate", "took", "added")


def _cells(point: Point, by: str) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415

    counts = msgspec.to_builtins(point.counts)
    failed, missing = sum(counts[state] for state in FAILED), point.shards_missing
    return [
        Text(inert_line(point.name)),
        Text(day_and_minute(point.start_ms) if by == "run" else str(point.runs)),
        Text(str(counts["total"]) + (f" ({plural(missing, 'shard')} missing)" if missing else "")),
        Text(str(failed), "bold red" if failed else ""),
        Text(str(counts[FLAKY]), "bold magenta" if counts[FLAKY] else ""),
        Text(_words("passRate", point.pass_rate)),
        Text(duration(point.duration_ms)),
        Text("?" if point.added is None else str(point.added)),
    ]
