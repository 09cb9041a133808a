"""When the workers of a run ran its tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_semantest.protocol.identity import MAIN_WORKER
from semantest_recorder.answers.connection import snapshot
from semantest_recorder.core.worker_timeline import Bar, Block, Lane, LaneTotal, joined_blocks, lane_totals
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.result_list import run_key_of
from semantest_recorder.store.worker_timeline import AttemptTime, WorkerTimeline

__all__ = ["AttemptTime", "Timeline", "attempt_times", "run_timeline"]

#: Into how many parts the time is cut that is looked at: for each lane, and of all lanes together.
_PARTS, _PARTS_OF_ALL = 300, 6000
#: A block is at most this share of what is looked at: going into one always shows more.
_BLOCK_SHARE = 0.05
#: Attempts that are drawn one by one.
_BARS = 2000


class Timeline(NamedTuple):
    """The part from ``begin_ms`` to ``end_ms`` of a run that lasted from ``first_ms`` to ``last_ms`` (since the epoch).

    ``lanes`` are those that run tests; ``totals``: what they did in that part, by lane; ``names``: ids of the tests of
    blocks that hold only one.
    """

    first_ms: float
    last_ms: float
    begin_ms: float
    end_ms: float
    lanes: list[Lane]
    bars: list[Bar]
    blocks: list[Block]
    totals: dict[int, LaneTotal]
    names: dict[int, str]


def run_timeline(
    database: Path, run_id: str, begin: float = 0.0, end: float | None = None, now_ms: float = 0.0
) -> Timeline | None:
    """The part of the run between two times in ms since its begin; ``None`` when no process told when it ran.

    What is not over lasts until ``now_ms`` (since the epoch), or until the last that was heard of it. Raises
    ``RunNotFound`` and what ``Reader`` raises.
    """
    with snapshot(database) as connection:
        run_key = run_key_of(connection, run_id)
        if run_key is None:
            raise RunNotFound(run_id, [])
        timeline = WorkerTimeline(connection, run_key)
        lanes = [_until(lane, now_ms) for lane in timeline.lanes()]
        limits = _limits(lanes)
        if limits is None:
            return None
        first_ms, last_ms = limits
        begin_ms = first_ms + min(begin, last_ms - first_ms - 1.0)
        end_ms = last_ms if end is None else min(max(first_ms + end, begin_ms + 1.0), last_ms)
        parts = max(60, min(_PARTS, _PARTS_OF_ALL // len(lanes)))
        found, blocks = _cut(timeline, begin_ms, end_ms, parts)
        bars = [_so_far(bar, last_ms - 1.0) for bar in found]
        joined = joined_blocks(blocks, (end_ms - begin_ms) / parts, _BLOCK_SHARE * (end_ms - begin_ms))
        single = (block.test_key for block in joined if block.attempts == 1 and block.test_key is not None)
        names = timeline.names(single)
    totals = lane_totals(bars, blocks)
    shown = [lane for lane in lanes if lane.worker != MAIN_WORKER or lane.key in totals]
    return Timeline(first_ms, last_ms, begin_ms, end_ms, shown, bars, joined, totals, names)


def attempt_times(database: Path, run_id: str) -> list[AttemptTime]:
    """All attempts of the run in the order in which they began. Raises as :func:`run_timeline`."""
    with snapshot(database) as connection:
        run_key = run_key_of(connection, run_id)
        if run_key is None:
            raise RunNotFound(run_id, [])
        return WorkerTimeline(connection, run_key).attempts()


def _cut(timeline: WorkerTimeline, begin_ms: float, end_ms: float, parts: int) -> tuple[list[Bar], list[Block]]:
    """Attempts that are longer than one of so many parts of the time, and the others in blocks."""
    part_ms = (end_ms - begin_ms) / parts
    bars = timeline.bars(begin_ms, end_ms, part_ms, _BARS)
    return bars, timeline.blocks(begin_ms, end_ms, part_ms, part_ms)


def _limits(lanes: Sequence[Lane]) -> tuple[float, float] | None:
    """From when to when the processes ran, a bit more than all of it; at least 1 ms."""
    starts = [lane.started_ms for lane in lanes if lane.started_ms is not None]
    ends = [lane.last_ms for lane in lanes if lane.last_ms is not None]
    if not starts or not ends:
        return None
    return min(starts), max(min(starts), *ends) + 1.0


def _until(lane: Lane, now_ms: float) -> Lane:
    return lane._replace(last_ms=max(lane.last_ms or now_ms, now_ms)) if lane.state == "open" else lane


def _so_far(bar: Bar, now_ms: float) -> Bar:
    return bar if bar.ended_ms is not None else bar._replace(duration_ms=max(0.0, now_ms - bar.started_ms))
