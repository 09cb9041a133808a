"""What the workers of a run did when, and how evenly the work was spread (pure). All times in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Lane(NamedTuple):
    """A process that runs tests. ``last_ms``: of its end, or of the last that was heard of it."""

    key: int
    session: str
    worker: str
    state: str
    started_ms: float | None
    last_ms: float | None
    crash_reason: str | None
    crashed_ms: float | None


class Bar(NamedTuple):
    """One attempt that is long enough to be seen; ``outcome`` and ``ended_ms`` are ``None`` while it runs."""

    lane: int
    test_id: str
    attempt: int
    outcome: str | None
    started_ms: float
    ended_ms: float | None
    duration_ms: float


class Block(NamedTuple):
    """Attempts that are too short: how many, their time, the worst outcome.

    ``test_key``: of one of them, where they did not simply pass.
    """

    lane: int
    attempts: int
    busy_ms: float
    started_ms: float
    ended_ms: float
    worst: str
    retries: int = 0
    test_key: int | None = None


class LaneTotal(NamedTuple):
    """All that a worker did; ``longest_ms``: its longest attempt that is long enough to be seen."""

    attempts: int
    busy_ms: float
    first_ms: float
    last_ms: float
    longest_ms: float
    retries: int

    @property
    def idle_ms(self) -> float:
        """The time between its first and its last test in which it ran none."""
        return max(0.0, self.last_ms - self.first_ms - self.busy_ms)


class Balance(NamedTuple):
    """How evenly the work was spread. ``critical``: the worker that ended last.

    ``took_ms``: from the first start to the last end; ``workers``: how many worked at a time; ``even_ms``: what the
    same work takes when all of them end together, or its longest test where that takes longer; ``saved_ms``: the
    difference.
    """

    critical: int
    took_ms: float
    workers: int
    even_ms: float
    saved_ms: float


def lane_totals(bars: Iterable[Bar], blocks: Iterable[Block]) -> dict[int, LaneTotal]:
    """What each worker did, by its key, from all its attempts; one that is not over counts as far as it is known."""
    found: dict[int, LaneTotal] = {}
    for bar in bars:
        ended_ms = bar.started_ms + bar.duration_ms if bar.ended_ms is None else bar.ended_ms
        retries = int(bar.attempt > 1)
        own = LaneTotal(1, bar.duration_ms, bar.started_ms, ended_ms, bar.duration_ms, retries)
        found[bar.lane] = _together(found.get(bar.lane), own)
    for block in blocks:
        times = block.busy_ms, block.started_ms, block.ended_ms
        own = LaneTotal(block.attempts, *times, 0.0, block.retries)
        found[block.lane] = _together(found.get(block.lane), own)
    return found


def balance(totals: Mapping[int, LaneTotal]) -> Balance | None:
    """How evenly the work was spread over workers that ran something; ``None`` when it was at most one."""
    if len(totals) < 2:
        return None
    critical = max(totals, key=lambda lane: totals[lane].last_ms)
    took_ms = totals[critical].last_ms - min(total.first_ms for total in totals.values())
    workers = _at_a_time(list(totals.values()))
    even_ms = sum(total.last_ms - total.first_ms for total in totals.values()) / workers
    even_ms = min(took_ms, max(even_ms, *(total.longest_ms for total in totals.values())))
    return Balance(critical, took_ms, workers, even_ms, took_ms - even_ms)


def _at_a_time(totals: Sequence[LaneTotal]) -> int:
    """How many worked at the same time at most: another takes the place of a worker that died."""
    moments = [(total.first_ms, 1) for total in totals] + [(total.last_ms, -1) for total in totals]
    most = now = 0
    for _moment, change in sorted(moments):
        now += change
        most = max(most, now)
    return max(most, 1)


def joined_blocks(blocks: Sequence[Block], gap_ms: float, longest_ms: float) -> list[Block]:
    """Blocks of a lane that follow each other within ``gap_ms`` and are equally bad as one, up to ``longest_ms``."""
    joined = list[Block]()
    for block in sorted(blocks, key=lambda one: (one.lane, one.worst, one.started_ms)):
        last = joined[-1] if joined else None
        if (
            last is not None
            and (last.lane, last.worst) == (block.lane, block.worst)
            and block.started_ms - last.ended_ms <= gap_ms
            and block.ended_ms - last.started_ms <= longest_ms
        ):
            joined[-1] = last._replace(
                attempts=last.attempts + block.attempts,
                busy_ms=last.busy_ms + block.busy_ms,
                ended_ms=max(last.ended_ms, block.ended_ms),
                retries=last.retries + block.retries,
            )
        else:
            joined.append(block)
    return joined


def _together(one: LaneTotal | None, other: LaneTotal) -> LaneTotal:
    if one is None:
        return other
    return LaneTotal(
        one.attempts + other.attempts,
        one.busy_ms + other.busy_ms,
        min(one.first_ms, other.first_ms),
        max(one.last_ms, other.last_ms),
        max(one.longest_ms, other.longest_ms),
        one.retries + other.retries,
    )
