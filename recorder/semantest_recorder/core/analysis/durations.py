"""How long tests take: percentiles, and the slowest of many without looking at every number."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import ceil
from statistics import median
from typing import Final, Literal, NamedTuple, TypeVar

from semantest_recorder.core.analysis.change_point import change_points

Rank = Literal["p50", "p95", "total"]
Key = TypeVar("Key", bound=Hashable)

#: A change of durations is told from this factor and so many milliseconds on: less is nobody's trouble.
CHANGE_FACTOR: Final = 1.2
CHANGE_MS: Final = 10.0


class Sample(NamedTuple):
    """So many milliseconds in the run at place ``run``."""

    run: int
    ms: float


class Sum(NamedTuple):
    """What is known of durations at little cost: their number (at least one), sum and maximum, in milliseconds."""

    number: int
    total: float
    longest: float


class Durations(NamedTuple):
    """Milliseconds. ``p50`` is the median, ``p95`` the duration that 95 % do not exceed."""

    number: int
    p50: float
    p95: float
    longest: float
    total: float

    def ranked_by(self, rank: Rank) -> float:
        """The number called ``rank``."""
        return {"p50": self.p50, "p95": self.p95, "total": self.total}[rank]


class Change(NamedTuple):
    """The last lasting change: from ``run`` on the median is ``after`` instead of ``before`` milliseconds."""

    run: int
    before: float
    after: float
    p: float


def percentile_95(durations: Sequence[float]) -> float:
    """The duration that 95 % of these, at least one, do not exceed.

    The nearest rank: definition 1 in R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American
    Statistician 50 (4), 1996, 361-365. It is always one of the durations.
    """
    return sorted(durations)[ceil(0.95 * len(durations)) - 1]


def durations_of(samples: Sequence[Sample]) -> Durations:
    """Percentiles of at least one sample."""
    found = [sample.ms for sample in samples]
    return Durations(len(found), median(found), percentile_95(found), max(found), sum(found))


def summed(parts: Sequence[Sum]) -> Sum:
    """The same of all parts, at least one, together."""
    return Sum(sum(one.number for one in parts), sum(one.total for one in parts), max(one.longest for one in parts))


def bound(known: Sum, rank: Rank) -> float:
    """What ``rank`` of these durations is at most.

    For a percentile: the durations that reach it are so many, and together take no more than all.
    """
    if rank == "total":
        return known.total
    above = known.number // 2 + 1 if rank == "p50" else known.number - ceil(0.95 * known.number) + 1
    return min(known.longest, known.total / above)


def slowest(
    sums: Mapping[Key, Sum],
    rank: Rank,
    most: int,
    samples_of: Callable[[Sequence[Key]], Mapping[Key, Sequence[Sample]]],
) -> list[tuple[Key, Sequence[Sample], Durations]]:
    """The ``most`` slowest (at least one) by ``rank``, the slowest first.

    ``samples_of`` is asked only for those that may be among them; what it has no samples of any more is left out.
    """
    waiting = sorted(sums, key=lambda key: -bound(sums[key], rank))
    found: list[tuple[Key, Sequence[Sample], Durations]] = []
    while waiting and (len(found) < most or bound(sums[waiting[0]], rank) > found[most - 1][2].ranked_by(rank)):
        batch, waiting = waiting[:most], waiting[most:]
        samples = samples_of(batch)
        found += [(key, samples[key], durations_of(samples[key])) for key in batch if samples.get(key)]
        found.sort(key=lambda entry: -entry[2].ranked_by(rank))
    return found[:most]


def slowest_above(
    floor: float, rank: Rank, most: int, samples: Mapping[Key, Sequence[Sample]]
) -> list[tuple[Key, Sequence[Sample], Durations]] | None:
    """The ``most`` slowest of all by a percentile, out of ``samples``: of those that took ``floor`` ms once at least.

    The others have no percentile that reaches ``floor``. ``None`` when one of them may be among the slowest.
    """
    found = [(key, of_key, durations_of(of_key)) for key, of_key in samples.items()]
    found.sort(key=lambda entry: -entry[2].ranked_by(rank))
    enough = len(found) >= most and found[most - 1][2].ranked_by(rank) >= floor
    return found[:most] if enough else None


def last_change(samples: Sequence[Sample]) -> Change | None:
    """The last change that matters in the time spent per run, ``None`` without any."""
    by_run: dict[int, float] = {}
    for sample in samples:
        by_run[sample.run] = by_run.get(sample.run, 0.0) + sample.ms
    runs = sorted(by_run)
    for point in reversed(change_points([by_run[run] for run in runs])):
        less, more = sorted((point.before, point.after))
        if more >= CHANGE_FACTOR * less and more - less >= CHANGE_MS:
            return Change(runs[point.place], point.before, point.after, point.p)
    return None
