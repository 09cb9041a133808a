"""How sure one can be of a share that was counted."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

#: The 97.5 % quantile of the normal distribution: an interval of both sides holds 95 %.
Z_95: Final = 1.959963984540054


class Interval(NamedTuple):
    """Shares between which the true one is, in 95 of 100 cases."""

    low: float
    high: float


def wilson_interval(successes: int, trials: int) -> Interval:
    """The 95 % score interval of E. B. Wilson for ``successes`` of ``trials``; without a trial all is possible.

    "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical
    Association 22 (158), 1927, 209-212. Raises ``ValueError`` for numbers that are no counts.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if trials == 0:
        return Interval(0.0, 1.0)
    share, spread = successes / trials, Z_95**2 / trials
    middle = share + spread / 2
    reach = Z_95 * sqrt(share * (1 - share) / trials + spread / (4 * trials))
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    # The ends are exact where rounding would leave a grain of sand.
    return Interval(low if successes else 0.0, high if successes < trials else 1.0)
