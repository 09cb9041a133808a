"""Pettitt's test against its definition, and what it finds in series with and without a change."""

from __future__ import annotations

from math import exp
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.change_point import ALPHA, LEAST, change_points


def statistic(series: list[float], place: int) -> int:
    """U of Pettitt's paper: over all pairs of both sides, how many rise less how many fall."""
    return sum((right > left) - (right < left) for left in series[:place] for right in series[place:])


def deviation(series: list[float], place: int) -> float:
    """How far the numbers of both sides are from the median of their side, all together."""
    return sum(abs(value - median(side)) for side in (series[:place], series[place:]) for value in side)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 6).map(float), min_size=2 * LEAST, max_size=24))
def test_a_change_is_where_the_definitions_have_it(series: list[float]) -> None:
    count = len(series)
    places = range(LEAST, count - LEAST + 1)
    p = 2 * exp(-6 * max(abs(statistic(series, place)) for place in places) ** 2 / (count**3 + count**2))
    found = change_points(series)
    if p >= ALPHA:
        assert found == []
    else:
        assert min(places, key=lambda place: deviation(series, place)) in {change.place for change in found}
    assert all(change.p < ALPHA for change in found)


@given(st.lists(st.floats(0, 1e6), max_size=40), st.floats(1.5, 100), st.floats(0, 1000))
def test_units_do_not_matter(series: list[float], factor: float, offset: float) -> None:
    order = [sorted(series).index(value) for value in series]
    places = [change.place for change in change_points([float(rank) for rank in order])]
    assert [change.place for change in change_points([factor * rank + offset for rank in order])] == places


def test_each_shift_is_found_with_the_numbers_of_both_sides() -> None:
    noise = Random(7)
    series = [level + noise.random() for level in [10] * 20 + [20] * 20 + [15] * 20]
    found = change_points(series)
    assert [change.place for change in found] == [20, 40]
    levels = [level for change in found for level in (change.before, change.after)]
    assert levels == pytest.approx([10, 20, 20, 15], abs=1)


def test_a_drift_within_one_side_does_not_move_the_place() -> None:
    """By ranks alone the change would be where the machine got a little slower, six numbers after the jump."""
    before = [54.2, 50.8, 54.1, 50.6, 53.0, 51.2]
    after = [352.6, 350.9, 350.8, 351.0, 350.7, 354.1, 354.3, 363.6, 354.9, 351.1, 351.2, 351.3, 355.4, 355.6, 350.9]
    series = [*before, *after, 353.1, 356.9, 357.5]
    ranked = max(range(LEAST, len(series) - LEAST + 1), key=lambda place: abs(statistic(series, place)))
    assert ranked == 11
    assert [change.place for change in change_points(series)] == [6]


def test_one_outlier_and_noise_are_no_change() -> None:
    noise = Random(3)
    steady = [noise.gauss(100, 10) for _ in range(60)]
    assert change_points(steady) == []
    assert change_points([*steady[:30], 10_000.0, *steady[30:]]) == []
    assert change_points([5.0] * 50) == []


def test_few_numbers_tell_nothing() -> None:
    assert change_points([1.0] * 4 + [9.0] * 5) == []
    assert change_points([]) == []
