"""Percentiles, and that the slowest are found although not all numbers were looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.durations import (
    Rank,
    Sample,
    Sum,
    bound,
    durations_of,
    last_change,
    percentile_95,
    slowest,
    slowest_above,
)

TIMES = st.lists(st.floats(0, 1e6) | st.sampled_from([0.0, 1.0, 1000.0]), min_size=1, max_size=40)
RANKS = st.sampled_from(get_args(Rank))


def samples(times: Sequence[float]) -> list[Sample]:
    return [Sample(run, ms) for run, ms in enumerate(times)]


def known(times: Sequence[float]) -> Sum:
    return Sum(len(times), sum(times), max(times))


@given(TIMES, RANKS)
def test_nothing_exceeds_its_bound(times: list[float], rank: Rank) -> None:
    assert durations_of(samples(times)).ranked_by(rank) <= bound(known(times), rank) * (1 + 1e-12)


@settings(max_examples=40)
@given(st.dictionaries(st.integers(0, 99), TIMES, max_size=12), RANKS, st.integers(1, 5))
def test_the_slowest_are_those_of_all(tests: dict[int, list[float]], rank: Rank, most: int) -> None:
    asked: list[int] = []

    def samples_of(keys: Sequence[int]) -> Mapping[int, Sequence[Sample]]:
        asked.extend(keys)
        return {key: samples(tests[key]) for key in keys}

    found = slowest({key: known(times) for key, times in tests.items()}, rank, most, samples_of)
    numbers = sorted((durations_of(samples(times)).ranked_by(rank) for times in tests.values()), reverse=True)
    assert [durations.ranked_by(rank) for _, _, durations in found] == numbers[:most]
    assert len(asked) == len(set(asked)), "nothing is asked for twice"


def test_what_cannot_be_among_them_is_not_asked_for() -> None:
    times = {0: [1000.0] * 20, 1: [2000.0] * 20} | dict.fromkeys(range(2, 50), [1.0] * 20)
    asked: list[int] = []

    def samples_of(keys: Sequence[int]) -> Mapping[int, Sequence[Sample]]:
        asked.extend(keys)
        return {key: samples(times[key]) for key in keys if key != 1}  # it was deleted meanwhile

    found = slowest({key: known(of) for key, of in times.items()}, "p95", 1, samples_of)
    assert [key for key, _, _ in found] == [0]
    assert asked == [1, 0]


@settings(max_examples=40)
@given(
    st.dictionaries(st.integers(0, 99), TIMES, max_size=12),
    st.sampled_from(["p50", "p95"]),
    st.integers(1, 5),
    st.floats(0, 1e6) | st.sampled_from([1.0, 1000.0]),
)
def test_those_above_a_floor_are_the_slowest_or_it_is_said(
    tests: dict[int, list[float]], rank: Rank, most: int, floor: float
) -> None:
    above = {key: samples(times) for key, times in tests.items() if max(times) >= floor}
    found = slowest_above(floor, rank, most, above)
    numbers = sorted((durations_of(samples(times)).ranked_by(rank) for times in tests.values()), reverse=True)
    if found is None:
        assert len(numbers) < most or numbers[most - 1] < floor
    else:
        assert [durations.ranked_by(rank) for _, _, durations in found] == numbers[:most]


@pytest.mark.parametrize(("durations", "expected"), [([1.0], 1.0), (list(range(1, 101)), 95), (list(range(1, 21)), 19)])
def test_percentile(durations: list[float], expected: float) -> None:
    assert percentile_95(durations) == expected


def test_the_last_change_that_matters() -> None:
    change = last_change(samples([100.0] * 10 + [150.0] * 10 + [153.0] * 10))
    assert change is not None
    assert (change.run, change.before, change.after) == (10, 100.0, 150.0), "two percent more are nobody's trouble"
    assert last_change(samples([1.0] * 10 + [5.0] * 10)) is None, "nor are four milliseconds"
    assert last_change(samples([100.0] * 30)) is None


def test_what_retries_took_counts_for_their_run() -> None:
    once = [Sample(run, 100.0) for run in range(20)]
    again = [Sample(run, 100.0) for run in range(10, 20)]
    change = last_change(again + once)
    assert change is not None
    assert (change.run, change.before, change.after) == (10, 100.0, 200.0)
