"""Pettitt's test against its definition, and what it finds in series with and without a change."""

from __future__ import annotations

from math import exp
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.change_point import ALPHA, LEAST, change_points


def statistic(series: list[float], place: int) -> int:
    """U of Pettitt's paper: over all pairs of both sides, how many rise less how many fall."""
    return sum((right > left) - (right < left) for left in series[:place] for right in series[place:])


@settings(max_examples=60)
@given(st.lists(st.integers(0, 6).map(float), min_size=2 * LEAST, max_size=24))
def test_a_change_is_where_the_definition_has_it(series: list[float]) -> None:
    count = len(series)
    sizes = {place: abs(statistic(series, place)) for place in range(LEAST, count - LEAST + 1)}
    p = 2 * exp(-6 * max(sizes.values()) ** 2 / (count**3 + count**2))
    found = change_points(series)
    if p >= ALPHA:
        assert found == []
    else:
        assert max(sizes, key=lambda place: sizes[place]) in {change.place for change in found}
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


def test_one_outlier_and_noise_are_no_change() -> None:
    noise = Random(3)
    steady = [noise.gauss(100, 10) for _ in range(60)]
    assert change_points(steady) == []
    assert change_points([*steady[:30], 10_000.0, *steady[30:]]) == []
    assert change_points([5.0] * 50) == []


def test_few_numbers_tell_nothing() -> None:
    assert change_points([1.0] * 4 + [9.0] * 5) == []
    assert change_points([]) == []
