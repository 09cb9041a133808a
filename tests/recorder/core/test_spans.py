"""Places of a plan, against the plainest model: a set of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.spans import SPANS_MAX, places_in, with_span

chunks = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=30)


@given(chunks)
def test_each_place_counts_once(said: list[tuple[int, int]]) -> None:
    known, model = "", set[int]()
    for start, size in said:
        known = with_span(known, start, start + size)
        model |= set(range(start, start + size))
    assert places_in(known) == len(model)
    ends = [int(number) for part in known.split() for number in part.split("-")]
    assert ends == sorted(set(ends)), "what touches is one span"


def test_no_more_holes_are_kept_than_a_plan_has() -> None:
    known = ""
    for number in range(SPANS_MAX + 5):
        known = with_span(known, 2 * number, 2 * number + 1)
    assert places_in(known) == SPANS_MAX
    assert with_span(known, 0, 2 * SPANS_MAX) == f"0-{2 * SPANS_MAX}"
