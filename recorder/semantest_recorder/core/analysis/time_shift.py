"""Which tests became slower or faster beyond their noise.

The time of a test is compared with its passes in earlier runs by the robust z-score: its distance from their median,
in units of 1.4826 times their median absolute deviation (Iglewicz and Hoaglin 1993), which one slow day does not move.
The unit is known from few times only, so the scores of noise follow no normal distribution: for n times Student's t
with 0.4 n degrees of freedom fits (simulated for n from 5 to 20, down to p = 0.0002). A few equal times are no proof of
exactness either: a spread of 5 % of the median, 1 ms at least, counts as two more degrees of freedom (as in the
moderated t of Smyth 2004), and never makes the unit smaller. Of the two-sided p-values, Benjamini and Hochberg's
procedure over all tests that were compared keeps the share of false findings below ``FALSE_SHARE``. What remains must
also be worth a look: ``FLOOR_MS`` and ``FLOOR_SHARE``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

#: A difference counts from so many milliseconds and from this share of the median on.
FLOOR_MS: Final = 50.0
FLOOR_SHARE: Final = 0.2
#: Passes in earlier runs that are looked at, and how many it takes at least.
PASSES: Final = 20
PASSES_MIN: Final = 5
#: Share of false findings among all that are called slower or faster, at most.
FALSE_SHARE: Final = 0.05
#: From so many tests on, whether the whole run was slower can be told.
_RUN_TESTS = 20
_SPREAD_SHARE, _SPREAD_MS, _SPREAD_FREEDOM = 0.05, 1.0, 2
_MAD_TO_DEVIATION = 1.4826
#: Degrees of freedom of a spread that is a median absolute deviation, by the number of times.
_FREEDOM = 0.4


class Shift(msgspec.Struct, frozen=True):
    """A test whose time changed: from the median of so many passes to ``now_ms``, which are ``score`` spreads.

    ``p`` is how often chance alone would do that.
    """

    test_id: str
    usual_ms: float
    now_ms: float
    passes: int
    score: float
    p: float


def run_factor(pairs: Iterable[tuple[float, float]]) -> float:
    """By how much a whole run was slower (above 1) or faster than another, by the times of each test in both.

    1.0 when there are too few tests of 1 ms and longer to tell.
    """
    ratios = [after / before for before, after in pairs if before >= 1.0 and after >= 1.0]
    return median(ratios) if len(ratios) >= _RUN_TESTS else 1.0


def may_have_shifted(before_ms: float, after_ms: float, factor: float) -> bool:
    """Whether two times of a test are so far apart that its earlier ones are worth reading."""
    return abs(after_ms / factor - before_ms) >= FLOOR_MS / 2


def shifts(times: Mapping[str, tuple[float, Sequence[float]]], compared: int = 0, factor: float = 1.0) -> list[Shift]:
    """The tests that became slower or faster, out of ``{test: (its time, its earlier times)}``; the largest first.

    ``compared``: how many tests were compared, when the others are left out because they did not change by much.
    ``factor``: by how much the whole run was slower; times are divided by it before they are compared.
    """
    scored = [
        _scored(test_id, now, earlier, factor)
        for test_id, (now, earlier) in times.items()
        if len(earlier) >= PASSES_MIN
    ]
    found = _discoveries(scored, max(compared, len(times)))
    wanted = [shift for shift in found if _is_large(shift, factor)]
    return sorted(wanted, key=lambda shift: (-abs(shift.now_ms - shift.usual_ms), shift.test_id))


def _scored(test_id: str, now: float, earlier: Sequence[float], factor: float) -> Shift:
    usual = median(earlier)
    own, freedom = _MAD_TO_DEVIATION * median(abs(time - usual) for time in earlier), int(_FREEDOM * len(earlier))
    assumed = max(_SPREAD_SHARE * usual, _SPREAD_MS)
    both = math.sqrt((freedom * own**2 + _SPREAD_FREEDOM * assumed**2) / (freedom + _SPREAD_FREEDOM))
    score = (now / factor - usual) / max(own, both)
    prediction = abs(score) / math.sqrt(1 + math.pi / 2 / len(earlier))  # the median is known from few times, too
    return Shift(test_id, usual, now, len(earlier), round(score, 2), _tail(prediction, freedom + _SPREAD_FREEDOM))


def _tail(score: float, freedom: int) -> float:
    """The share of Student's distribution beyond the score on both sides (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(score / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2 == 1
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for number in range(3 if odd else 2, freedom - 1, 2):
        term *= (number - 1) / number * cosine * cosine
        total += term
    within = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return max(0.0, 1.0 - within)


def _discoveries(scored: Sequence[Shift], compared: int) -> list[Shift]:
    """Those up to the last p-value that is below its share of ``FALSE_SHARE`` (Benjamini and Hochberg 1995)."""
    ordered = sorted(scored, key=lambda shift: shift.p)
    last = 0
    for rank, shift in enumerate(ordered, 1):
        if shift.p <= FALSE_SHARE * rank / compared:
            last = rank
    return ordered[:last]


def _is_large(shift: Shift, factor: float) -> bool:
    difference = abs(shift.now_ms / factor - shift.usual_ms)
    return difference >= FLOOR_MS and difference >= FLOOR_SHARE * shift.usual_ms
