"""What the recorder counts of its own work: plain numbers, added to where things happen, read by whoever shows them.

An addition is one or two operations of the interpreter, and none is made for a single event of a batch. Each number has
one thread that adds to it; whoever reads them from another one may see a count before the sum that belongs to it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

#: Upper ends of the ranges of times, in seconds: from a commit in memory to a disk that hardly takes anything.
LATENCY_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HistogramReading(NamedTuple):
    """A histogram at one moment. ``counts`` has one number more than ``bounds``: for what is above all of them."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


class Histogram:
    """How many values were in which range. ``bounds`` are the upper ends of the ranges, ascending, each included."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float] = LATENCY_S) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Counts a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> HistogramReading:
        """The numbers of this moment."""
        return HistogramReading(self._bounds, tuple(self._counts), self._total)


class IngestMeasures:
    """Of what clients send. Keys are error codes and reasons of our own: nothing that a client may choose.

    ``acks``: seconds from a batch that came in to its verdict, with its client. ``duplicate_events``: acknowledged and
    not stored, for they were before, or their run was deleted. ``refused_batches`` and ``refused_messages``: by code.
    ``delays``: batches that were told to come later, by reason: ``pending`` (too much waits for the writer, or is
    unacknowledged), ``rate`` (the limit of the policy) and ``sources`` (too many sources of one token); ``delayed_s``:
    for how many seconds, all together.
    """

    __slots__ = ("acks", "delayed_s", "delays", "duplicate_events", "refused_batches", "refused_messages")

    def __init__(self) -> None:
        self.acks = Histogram()
        self.duplicate_events = 0
        self.refused_batches: Counter[str] = Counter()
        self.refused_messages: Counter[str] = Counter()
        self.delays: Counter[str] = Counter()
        self.delayed_s: dict[str, float] = {}

    def delayed(self, reason: str, wait_ms: float) -> None:
        """A batch has to come again later."""
        self.delays[reason] += 1
        self.delayed_s[reason] = self.delayed_s.get(reason, 0.0) + wait_ms / 1000


class StoreMeasures:
    """Of the writer. ``commits``: seconds of each transaction, those that failed included.

    ``ended_runs``: by state, and ``ended_tests``: by final state, of runs as they closed. One that opened again, since
    events of it came late, is counted again.
    """

    __slots__ = ("commits", "ended_runs", "ended_tests")

    def __init__(self) -> None:
        self.commits = Histogram()
        self.ended_runs: Counter[str] = Counter()
        self.ended_tests: Counter[str] = Counter()


class Load(NamedTuple):
    """How much the hub has to do with at one moment; ``queued_bytes``: events and answers that wait to be sent.

    ``oldest_wait_ms``: for how long the batch that waits longest for its commit has been waiting.
    """

    connections: int
    subscribers: int
    sources: int
    open_runs: int
    queued_bytes: int
    waiting_queries: int
    replays: int
    postponed_batches: int
    counts: Mapping[str, int]
    oldest_wait_ms: float
