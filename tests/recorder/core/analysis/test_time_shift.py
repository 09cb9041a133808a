"""Which tests became slower or faster beyond their noise."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.time_shift import FLOOR_MS, PASSES_MIN, run_factor, shifts

STEADY = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0]


def test_a_test_far_from_its_times_is_slower_or_faster() -> None:
    found = shifts({"slow": (200.0, STEADY), "fast": (40.0, STEADY), "same": (103.0, STEADY)})
    assert [(shift.test_id, shift.score > 0) for shift in found] == [("slow", True), ("fast", False)]
    assert (found[0].usual_ms, found[0].now_ms, found[0].passes) == (100.0, 200.0, 6)


def test_the_spread_of_its_times_is_its_noise() -> None:
    assert shifts({"noisy": (200.0, [50.0, 150.0, 100.0, 40.0, 190.0, 120.0])}) == []


def test_one_slow_day_does_not_hide_the_next() -> None:
    assert [shift.test_id for shift in shifts({"t": (400.0, [*STEADY, 5000.0])})] == ["t"]


def test_differences_that_nobody_would_look_at_are_left_out() -> None:
    assert shifts({"short": (40.0, [1.0] * 9), "long": (1150.0, [1000.0] * 9)}) == []


def test_a_few_times_tell_nothing() -> None:
    assert shifts({"t": (900.0, STEADY[: PASSES_MIN - 1])}) == []


def test_a_slower_machine_makes_no_test_slower() -> None:
    pairs = [(100.0 + number, 2 * (100.0 + number)) for number in range(40)]
    factor = run_factor(pairs)
    assert factor == 2.0
    assert shifts({"t": (200.0, STEADY)}, factor=factor) == []
    assert [shift.test_id for shift in shifts({"t": (600.0, STEADY)}, factor=factor)] == ["t"]
    assert run_factor(pairs[:5]) == 1.0


def test_chance_alone_finds_next_to_nothing_among_many() -> None:
    random = Random(7)
    times = {
        f"t{number}": (random.gauss(1000, 100), [random.gauss(1000, 100) for _ in range(20)]) for number in range(3000)
    }
    assert len(shifts(times)) <= 1
    assert shifts({"few": (1400.0, [1000.0, 1100.0, 900.0, 1050.0, 950.0])}, compared=3000) == []
    times["real"] = (2500.0, [random.gauss(1000, 100) for _ in range(20)])
    assert shifts(times)[0].test_id == "real"


_TIMES = st.floats(0, 1e6, allow_nan=False)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(_TIMES, st.lists(_TIMES, max_size=8))))
def test_what_is_found_is_large_and_the_largest_comes_first(times: dict[str, tuple[float, list[float]]]) -> None:
    found = shifts(times)
    sizes = [abs(shift.now_ms - shift.usual_ms) for shift in found]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size >= FLOOR_MS for size in sizes)
    assert all(len(times[shift.test_id][1]) >= PASSES_MIN for shift in found)
