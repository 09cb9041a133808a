"""Where a series of numbers changed for good: the test of Pettitt, applied again to both sides of each change.

A. N. Pettitt, "A non-parametric approach to the change-point problem", Journal of the Royal Statistical Society,
series C (Applied Statistics) 28 (2), 1979, 126-135. It looks at ranks alone, so no distribution is assumed and one
outlier is none; it sees a shift of the middle, not a trend, which it tells as one shift or several.

Whether there is a change is told by ranks; where it is, by the numbers: J. Bai, "Least absolute deviation estimation of
a shift", Econometric Theory 11 (3), 1995, 403-436. To ranks a drift of 1 % after a jump is as much as the jump.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from math import exp
from statistics import median
from typing import Final, NamedTuple

#: A change is told when chance alone would make one like it in fewer cases than this.
ALPHA: Final = 0.01
#: So many numbers at least are on either side of a change.
LEAST: Final = 5
_ROUNDING: Final = 1e-9


class ChangePoint(NamedTuple):
    """From ``place`` on the numbers are others: medians of both sides up to the next change, and Pettitt's p."""

    place: int
    before: float
    after: float
    p: float


def change_points(series: Sequence[float]) -> list[ChangePoint]:
    """The changes in ``series``, the earliest first."""
    found = _splits(series, 0)
    borders = [0, *(place for place, _ in found), len(series)]
    return [
        ChangePoint(place, median(series[borders[number] : place]), median(series[place : borders[number + 2]]), p)
        for number, (place, p) in enumerate(found)
    ]


def _splits(series: Sequence[float], offset: int) -> list[tuple[int, float]]:
    count = len(series)
    if count < 2 * LEAST:
        return []
    # U(t) = 2 (sum of the first t ranks) - t (n + 1), largest where the two sides differ most.
    summed, size = 0.0, 0.0
    for place, rank in enumerate(_ranks(series)[: count - LEAST], 1):
        summed += rank
        if place >= LEAST:
            size = max(size, abs(2 * summed - place * (count + 1)))
    p = min(1.0, 2 * exp(-6 * size**2 / (count**3 + count**2)))
    if p >= ALPHA:
        return []
    best = _place(series)
    return [*_splits(series[:best], offset), (offset + best, p), *_splits(series[best:], offset + best)]


def _place(series: Sequence[float]) -> int:
    """The first split of which both sides deviate least from their medians; rounding makes none the least."""
    left, right = list(_deviations(series)), list(_deviations(reversed(series)))
    sums = {place: left[place - 1] + right[-place - 1] for place in range(LEAST, len(series) - LEAST + 1)}
    least = min(sums.values())
    return next(place for place, total in sums.items() if total <= least * (1 + _ROUNDING))


def _deviations(numbers: Iterable[float]) -> Iterator[float]:
    """The sum of absolute deviations from their median, of the first number, of the first two, and so on."""
    seen = list[float]()
    total = 0.0
    for number in numbers:
        if seen:  # all between the two in the middle are medians; the nearest of them stays one
            low, high = seen[(len(seen) - 1) // 2], seen[len(seen) // 2]
            total += max(low - number, number - high, 0.0)
        insort(seen, number)
        yield total


def _ranks(series: Sequence[float]) -> list[float]:
    """The place of each number in the sorted series, from 1; equal ones share the middle of theirs."""
    order = sorted(range(len(series)), key=series.__getitem__)
    ranks = [0.0] * len(series)
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and series[order[end]] == series[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        start = end
    return ranks
