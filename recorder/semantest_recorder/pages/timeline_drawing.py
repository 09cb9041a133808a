"""Where the parts of a timeline are drawn, and what they say (pure): all places in percent of the width."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from semantest_recorder.answers.run_timeline import Timeline
from semantest_recorder.core.worker_timeline import Bar, Block, Lane, LaneTotal
from semantest_recorder.pages.words import address, run_address
from semantest_recorder.reports.state_letters import LETTERS
from semantest_recorder.reports.wording import duration, plural, state_word

#: From this width on, in percent, a letter has room in a bar.
_LETTER: Final = 1.6
_THINNEST: Final = 0.15
_TICKS: Final = 8


class Piece(NamedTuple):
    """A rectangle: ``state`` colours it, ``said`` is what it tells, ``address`` where it leads."""

    x: float
    width: float
    state: str
    letter: str
    said: str
    address: str
    is_block: bool
    is_retry: bool


class DrawnLane(NamedTuple):
    """A worker: its name, from where to where it was there, what it ran, and where it crashed."""

    lane: Lane
    name: str
    x: float
    width: float
    pieces: list[Piece]
    crash: float | None
    total: LaneTotal | None


class Tick(NamedTuple):
    """A line of the axis."""

    x: float
    said: str


class Scale:
    """From moments to places; ``first_ms`` is the begin of the run."""

    def __init__(self, timeline: Timeline) -> None:
        self._begin, self.first_ms = timeline.begin_ms, timeline.first_ms
        self.span = timeline.end_ms - timeline.begin_ms

    def x(self, moment_ms: float) -> float:
        """The place of a moment; those before and after the part are at its edges."""
        return round(100 * min(max((moment_ms - self._begin) / self.span, 0.0), 1.0), 3)

    def extent(self, start_ms: float, end_ms: float) -> tuple[float, float]:
        """``(x, width)``, wide enough to be seen."""
        x = self.x(start_ms)
        return x, round(max(self.x(end_ms) - x, _THINNEST), 3)

    def since(self, moment_ms: float) -> str:
        """How long after the begin of the run a moment is."""
        return duration(max(0.0, moment_ms - self.first_ms))


def drawn_lanes(timeline: Timeline, run_id: str, path: str) -> list[DrawnLane]:
    """The lanes with their pieces, those that are bad above the others. ``path``: that of the page."""
    scale = Scale(timeline)
    pieces: dict[int, list[Piece]] = {lane.key: [] for lane in timeline.lanes}
    for block in timeline.blocks:
        if block.lane in pieces:
            pieces[block.lane].append(_block(block, scale, timeline, run_id, path))
    for bar in timeline.bars:
        if bar.lane in pieces:
            pieces[bar.lane].append(_bar(bar, scale, timeline, run_id))
    names = _names(timeline.lanes)
    return [_lane(lane, names[lane.key], scale, pieces[lane.key], timeline) for lane in timeline.lanes]


def ticks(timeline: Timeline) -> list[Tick]:
    """Lines at round times since the begin of the run."""
    scale = Scale(timeline)
    begin = timeline.begin_ms - timeline.first_ms
    step = _round_step(scale.span / _TICKS)
    first = math.ceil(begin / step)
    places = (step * number for number in range(first, first + 2 * _TICKS) if step * number <= begin + scale.span)
    return [Tick(scale.x(timeline.first_ms + place), _tick_words(place, step)) for place in places]


def _lane(lane: Lane, name: str, scale: Scale, pieces: list[Piece], timeline: Timeline) -> DrawnLane:
    start = lane.started_ms if lane.started_ms is not None else timeline.first_ms
    end = lane.last_ms if lane.last_ms is not None else timeline.last_ms
    x, width = scale.extent(start, end)
    seen = lane.crashed_ms is not None and timeline.begin_ms <= lane.crashed_ms <= timeline.end_ms
    crash = scale.x(lane.crashed_ms) if seen and lane.crashed_ms is not None else None
    drawn = sorted(pieces, key=lambda piece: (piece.state != "passed", piece.x))
    return DrawnLane(lane, name, x, width, drawn, crash, timeline.totals.get(lane.key))


def _bar(bar: Bar, scale: Scale, timeline: Timeline, run_id: str) -> Piece:
    outcome = bar.outcome or "running"
    end = timeline.last_ms if bar.ended_ms is None else bar.ended_ms
    x, width = scale.extent(bar.started_ms, end)
    attempt = f", attempt {bar.attempt}" if bar.attempt > 1 else ""
    said = (
        f"{bar.test_id}: {state_word(outcome)}{attempt}, {duration(bar.duration_ms)}, at {scale.since(bar.started_ms)}"
    )
    letter = LETTERS.get(outcome, "") if width >= _LETTER else ""
    return Piece(
        x, width, outcome, letter, said, _result(run_id, bar.test_id), is_block=False, is_retry=bar.attempt > 1
    )


def _block(block: Block, scale: Scale, timeline: Timeline, run_id: str, path: str) -> Piece:
    """A block leads to its only test, or to the part of the timeline that shows more of it."""
    x, width = scale.extent(block.started_ms, block.ended_ms)
    test_id = timeline.names.get(block.test_key) if block.test_key is not None and block.attempts == 1 else None
    at = f"at {scale.since(block.started_ms)}"
    if test_id is not None:
        said = f"{test_id}: {state_word(block.worst)}, {duration(block.busy_ms)}, {at}"
        goal = _result(run_id, test_id)
    else:
        what = "passed" if block.worst == "passed" else f"the worst {state_word(block.worst)}"
        said = f"{plural(block.attempts, 'test')}, {what}, {duration(block.busy_ms)} in all, {at}"
        begin, end = _around(block, timeline)
        goal = address(path, **{"from": str(begin), "to": str(end)})
    return Piece(x, width, block.worst, "", said, goal, is_block=True, is_retry=block.retries > 0)


def _around(block: Block, timeline: Timeline) -> tuple[int, int]:
    """The part of the run that shows the block with something beside it, in ms since its begin."""
    beside = max(2.0, (block.ended_ms - block.started_ms) / 4)
    begin = max(0.0, block.started_ms - timeline.first_ms - beside)
    return math.floor(begin), math.ceil(block.ended_ms - timeline.first_ms + beside)


def _result(run_id: str, test_id: str) -> str:
    return run_address(run_id, "/test", id=test_id)


def _names(lanes: list[Lane]) -> dict[int, str]:
    """What workers are called: those of several sessions with the end of their session's name."""
    several = len({lane.session for lane in lanes}) > 1
    return {lane.key: f"{lane.worker} ({lane.session[-6:]})" if several else lane.worker for lane in lanes}


def _round_step(least_ms: float) -> float:
    """The smallest round step that is not below ``least_ms``."""
    return next(step for step in _steps() if step >= least_ms)


def _steps() -> Iterator[float]:
    yield from (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
    for unit in (1_000.0, 60_000.0):
        yield from (unit * count for count in (1, 2, 5, 10, 15, 30))
    hours = 1
    while True:
        yield 3_600_000.0 * hours
        hours *= 2


def _tick_words(place_ms: float, step_ms: float) -> str:
    """``250 ms``, ``12 s``, ``3:20 min``, ``1:05 h``: no finer than the step."""
    if step_ms < 1000:
        return f"{place_ms / 1000:.3f} s" if place_ms >= 1000 else f"{place_ms:.0f} ms"
    seconds = round(place_ms / 1000)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02} min"
    return f"{seconds // 3600}:{seconds // 60 % 60:02} h"
