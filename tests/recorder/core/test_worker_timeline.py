"""What workers did when, and how evenly the work was spread."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.worker_timeline import Bar, Block, LaneTotal, balance, joined_blocks, lane_totals

TIMES = st.integers(0, 10_000)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    start, length = draw(TIMES), draw(st.integers(0, 100))
    worst = draw(st.sampled_from(["passed", "failed"]))
    return Block(draw(st.integers(1, 2)), draw(st.integers(1, 9)), length / 2, start, start + length, worst)


@given(st.lists(blocks()), st.integers(0, 500), st.integers(1, 3000))
def test_joining_loses_nothing_and_mixes_nothing(found: list[Block], gap: int, longest: int) -> None:
    joined = joined_blocks(found, gap, longest)
    for lane in (1, 2):
        for worst in ("passed", "failed"):
            before = [one for one in found if (one.lane, one.worst) == (lane, worst)]
            after = [one for one in joined if (one.lane, one.worst) == (lane, worst)]
            assert sum(one.attempts for one in before) == sum(one.attempts for one in after)
            assert sum(one.busy_ms for one in before) == sum(one.busy_ms for one in after)
            assert {min(one.started_ms for one in group) for group in (before, after) if group} == {
                min(one.started_ms for one in before) for _ in before
            }
    own = max((one.ended_ms - one.started_ms for one in found), default=0)
    assert all(one.ended_ms - one.started_ms <= max(longest, own) for one in joined)


def test_totals_count_what_is_not_over_as_far_as_it_is_known() -> None:
    bars = [Bar(1, "a", 1, "failed", 0.0, 50.0, 50.0), Bar(1, "a", 2, None, 60.0, None, 5.0)]
    totals = lane_totals(bars, [Block(1, 3, 9.0, 70.0, 90.0, "passed"), Block(2, 1, 1.0, 5.0, 6.0, "passed")])
    assert totals[1] == LaneTotal(5, 64.0, 0.0, 90.0, 50.0, 1)
    assert totals[1].idle_ms == 26.0
    assert totals[2].attempts == 1


def test_what_an_even_spread_would_save() -> None:
    found = balance({1: LaneTotal(9, 90.0, 0.0, 100.0, 0.0, 0), 2: LaneTotal(9, 30.0, 0.0, 40.0, 0.0, 0)})
    assert found is not None
    assert (found.critical, found.took_ms, found.workers, found.even_ms, found.saved_ms) == (1, 100.0, 2, 70.0, 30.0)


def test_a_long_test_cannot_be_spread() -> None:
    found = balance({1: LaneTotal(1, 100.0, 0.0, 100.0, 100.0, 0), 2: LaneTotal(1, 1.0, 0.0, 1.0, 0.0, 0)})
    assert found is not None
    assert found.saved_ms == 0.0


def test_a_worker_in_the_place_of_one_that_died_is_no_third_one() -> None:
    totals = {1: LaneTotal(1, 10.0, 0.0, 10.0, 0.0, 0), 2: LaneTotal(1, 30.0, 0.0, 30.0, 0.0, 0)}
    found = balance(totals | {3: LaneTotal(1, 15.0, 12.0, 27.0, 0.0, 0)})
    assert found is not None
    assert found.workers == 2


def test_one_worker_has_no_balance() -> None:
    assert balance({1: LaneTotal(1, 1.0, 0.0, 1.0, 1.0, 0)}) is None
