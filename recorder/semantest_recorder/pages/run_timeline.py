"""``/runs/{run}/timeline``: what the workers of a run did when."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from semantest_recorder.answers.run_timeline import Timeline, attempt_times, run_timeline
from semantest_recorder.core.worker_timeline import Bar, balance
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.run_head import OPEN_STATES, as_of, run_head, run_stamp
from semantest_recorder.pages.table import Table
from semantest_recorder.pages.timeline_drawing import drawn_lanes, ticks
from semantest_recorder.pages.words import address
from semantest_recorder.reports.aggregate import iso_time

_COLUMNS: Final = ("worker", "test", "attempt", "outcome", "started", "duration_ms")
#: Of the attempts of the part that is looked at.
_LONGEST: Final = 20
#: In ms: a hundred years.
_LATEST: Final = 3_200_000_000_000


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    return [
        Page(
            "/runs/{run}/timeline", "run_timeline.html", "runs", *views, stamp=run_stamp(database), asks=("from", "to")
        )
    ]


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    head = run_head(database, visit, "timeline")
    head |= as_of(database, visit, head["run"])
    run_id = head["run"].id
    begin, end = _moment(visit, "from"), _moment(visit, "to")
    if begin is not None and end is not None and begin >= end:
        raise Misunderstood(f"from={begin} is not before to={end}")
    is_open = head["run"].state in OPEN_STATES
    timeline = run_timeline(database, run_id, begin or 0, end, time.time() * 1000 if is_open else 0.0)
    if timeline is None or not timeline.lanes:
        return {**head, "timeline": None}
    is_whole = (timeline.begin_ms, timeline.end_ms) == (timeline.first_ms, timeline.last_ms)
    drawn = drawn_lanes(timeline, run_id, visit.path)
    return {
        **head,
        "timeline": timeline,
        "lanes": drawn,
        "ticks": ticks(timeline),
        "balance": balance(timeline.totals) if is_whole and not is_open else None,
        "last_ms": max((total.last_ms for total in timeline.totals.values()), default=0.0),
        "longest": _longest(timeline),
        "is_whole": is_whole,
        "links": _links(timeline, visit.path),
        "names": {one.lane.key: one.name for one in drawn},
    }


def _table(database: Path, visit: Visit) -> Table:
    run = run_head(database, visit, "timeline")["run"]
    rows = [
        (one.worker, one.test_id, one.attempt, one.outcome or "running", iso_time(one.started_ms), one.duration_ms)
        for one in attempt_times(database, run.id)
    ]
    return Table("timeline", _COLUMNS, rows)


def _moment(visit: Visit, name: str) -> int | None:
    text = visit.asked(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 14 and int(text) <= _LATEST):
        raise Misunderstood(f"{name}={text[:40]} is no number of milliseconds since the begin of the run")
    return int(text)


def _longest(timeline: Timeline) -> list[Bar]:
    return sorted(timeline.bars, key=lambda bar: -bar.duration_ms)[:_LONGEST]


def _links(timeline: Timeline, path: str) -> dict[str, str]:
    """Where the page leads that shows less, more, or what is beside; what would show the same is not there."""
    begin, end = timeline.begin_ms - timeline.first_ms, timeline.end_ms - timeline.first_ms
    whole, span = timeline.last_ms - timeline.first_ms, end - begin
    parts = {
        "in": (begin + span / 4, end - span / 4),
        "out": (begin - span / 2, end + span / 2),
        "earlier": (begin - span / 2, end - span / 2),
        "later": (begin + span / 2, end + span / 2),
    }
    if begin <= 0:
        del parts["earlier"]
    if end >= whole:
        del parts["later"]
    if span <= 4:
        del parts["in"]
    links = {name: _part(path, *part, whole, keep=name in ("earlier", "later")) for name, part in parts.items()}
    if begin <= 0 and end >= whole:
        del links["out"]
    else:
        links["whole"] = path
    return links


def _part(path: str, begin: float, end: float, whole: float, *, keep: bool) -> str:
    """The address of a part; ``keep``: it is moved into the run as it is, else cut off."""
    if keep:
        moved = min(max(begin, 0.0), whole - (end - begin))
        begin, end = moved, moved + (end - begin)
    first, last = max(0, round(begin)), min(round(whole), round(end))
    return path if first <= 0 and last >= round(whole) else address(path, **{"from": str(first), "to": str(last)})
