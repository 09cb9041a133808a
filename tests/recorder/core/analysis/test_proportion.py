"""Wilson's interval against the equation that it solves, and against published numbers."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.analysis.proportion import Z_95, wilson_interval


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    trials = draw(st.integers(1, 10_000))
    return draw(st.integers(0, trials)), trials


def deviates(share: float, successes: int, trials: int) -> float:
    """By how many standard deviations what was counted lies off, were ``share`` the true one."""
    return abs(successes / trials - share) / sqrt(share * (1 - share) / trials)


@given(counts())
def test_what_was_counted_is_1_96_deviations_away_from_both_ends(found: tuple[int, int]) -> None:
    successes, trials = found
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    if low:
        assert deviates(low, successes, trials) == pytest.approx(Z_95, rel=1e-6)
    if high < 1:
        assert deviates(high, successes, trials) == pytest.approx(Z_95, rel=1e-6)
    assert (low == 0) == (successes == 0)
    assert (high == 1) == (successes == trials)


@given(counts())
def test_the_same_share_of_more_trials_is_surer_and_one_more_success_ranks_higher(found: tuple[int, int]) -> None:
    successes, trials = found
    low, high = wilson_interval(successes, trials)
    more = wilson_interval(2 * successes, 2 * trials)
    assert more.high - more.low < high - low
    if successes < trials:
        assert wilson_interval(successes + 1, trials).low > low


def test_published_numbers() -> None:
    """R. G. Newcombe, Statistics in Medicine 17, 1998, table I: method 3."""
    for successes, trials, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_without_a_trial_all_is_possible() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "trials"), [(2, 1), (-1, 1), (0, -1)])
def test_what_are_no_counts(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson_interval(successes, trials)
