from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.pages.charts import HEIGHT, WIDTH, chart, chart_of_shares, drawn, round_top

VALUES = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers(0, 10**9).map(float))


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (5e-324, 1), (3, 5), (5, 5), (0.021, 0.025), (1000, 1000), (1001, 2000)]
)
def test_an_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert round_top(value) == pytest.approx(top)


def test_a_gap_parts_the_line() -> None:
    found = chart([1.0, 2.0, None, 4.0, 3.0])
    assert [dot.place for dot in found.dots] == [0, 1, 3, 4]
    assert len(found.lines) == 2
    assert all(line.startswith("M") and "L" in line for line in found.lines)


def test_higher_is_higher() -> None:
    low, high = chart([1.0, 4.0]).dots
    assert high.y < low.y
    assert high.x > low.x


@given(VALUES)
def test_whatever_the_values_are_all_is_inside_the_drawing(values: list[float | None]) -> None:
    found = chart(values)
    assert all(0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT for dot in found.dots)
    assert found.top > 0


@given(VALUES)
def test_shares_differ_on_an_axis_that_begins_below_all_of_them(values: list[float | None]) -> None:
    found = chart_of_shares(values)
    assert found.top == 1.0
    assert all(0 <= dot.y <= HEIGHT for dot in found.dots)


@pytest.mark.parametrize(
    ("least", "bottom"), [(1.0, 0.99), (0.976, 0.95), (0.95, 0.9), (0.2, 0.0), (0.0, 0.0), (None, 0.99)]
)
def test_an_axis_of_shares_begins_as_near_as_it_can(least: float | None, bottom: float) -> None:
    assert chart_of_shares([1.0, least]).bottom == bottom


def test_a_change_is_marked_between_the_values_that_it_parts() -> None:
    told = drawn(chart([1.0, 1.0, 5.0, 5.0]), ["a", "b", "c", "d"], str, [2])
    _, before, after, _ = told.chart.dots
    assert before.x < told.marks[0] < after.x
    assert (told.top, told.bottom) == ("5.0", "0")
