"""The sliding window: never more than the limit within any second, and nobody waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.rate_limit import WINDOW_MS, SlidingWindow

#: A slice of the window is counted as a whole.
SLICE_MS = 50.0
moments = st.lists(st.tuples(st.floats(0, 400), st.integers(1, 12)), min_size=1, max_size=60)


@given(moments, st.integers(1, 20))
def test_within_any_second_no_more_than_the_limit_is_taken(steps: list[tuple[float, int]], limit: int) -> None:
    window, now, taken = SlidingWindow(limit), 0.0, list[tuple[float, int]]()
    for pause, count in steps:
        now += pause
        if window.take(count, now) == 0:
            taken.append((now, count))
    for at, _count in taken:
        within = [count for moment, count in taken if at - WINDOW_MS < moment <= at]
        assert sum(within) <= limit or len(within) == 1, "only a batch that is larger than the limit may go in alone"


@given(moments, st.integers(1, 20))
def test_who_waits_as_long_as_told_gets_in(steps: list[tuple[float, int]], limit: int) -> None:
    window, now = SlidingWindow(limit), 0.0
    for pause, count in steps:
        now += pause
        wait_ms = window.take(count, now)
        if wait_ms:
            assert 0 < wait_ms <= WINDOW_MS + SLICE_MS
            now += wait_ms
            assert window.take(count, now) == 0


@given(st.integers(1, 50), st.integers(0, 60))
def test_remaining_is_what_still_fits(limit: int, asked: int) -> None:
    window = SlidingWindow(limit)
    taken = sum(window.take(1, 5.0) == 0 for _ in range(asked))
    assert window.remaining(5.0) == limit - taken == max(0, limit - asked)
    assert window.remaining(5.0 + WINDOW_MS + SLICE_MS) == limit


def test_a_clock_that_is_set_back_gives_nothing_away() -> None:
    window = SlidingWindow(1)
    assert window.take(1, 10_000.0) == 0
    assert window.take(1, 9_500.0) > 0
    assert window.take(1, 11_051.0) == 0


def test_after_a_clock_was_set_back_by_far_nobody_waits_until_it_has_caught_up() -> None:
    window = SlidingWindow(1)
    assert window.take(1, 3_600_000.0) == 0
    assert window.take(1, 0.0) == 0
    assert 0 < window.take(1, 1.0) <= WINDOW_MS + SLICE_MS
