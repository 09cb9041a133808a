"""Where the parts of a timeline are drawn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.answers.run_timeline import Timeline
from semantest_recorder.core.worker_timeline import Bar, Block, Lane
from semantest_recorder.pages.timeline_drawing import drawn_lanes, ticks

MOMENTS = st.floats(-1e13, 1e13, allow_nan=False)


def timeline(begin: float, span: float, bars: list[Bar], blocks: list[Block]) -> Timeline:
    lanes = [Lane(1, "s", "gw0", "crashed", begin, begin + span, "gone", begin + span / 2)]
    return Timeline(begin, begin + span, begin, begin + span, lanes, bars, blocks, {}, {7: "a.py::test_<b>"})


@given(MOMENTS, st.floats(1.0, 1e10), MOMENTS, st.none() | MOMENTS)
def test_all_of_it_is_in_the_picture(begin: float, span: float, start: float, end: float | None) -> None:
    bar = Bar(1, "a.py::test_a", 2, None if end is None else "failed", start, end, 1.0)
    block = Block(1, 3, 1.0, start, start + 1, "passed")
    (lane,) = drawn_lanes(timeline(begin, span, [bar], [block]), "run", "/x")
    for piece in lane.pieces:
        assert 0 <= piece.x <= 100
        assert 0 < piece.width <= 100
    assert lane.crash is not None
    assert all(0 <= tick.x <= 100 for tick in ticks(timeline(begin, span, [], [])))
    assert 1 <= len(ticks(timeline(begin, span, [], []))) <= 20


def test_a_piece_says_what_it_is_and_leads_there() -> None:
    bars = [Bar(1, "a.py::test_a[<b>]", 2, "failed", 100.0, 400.0, 300.0)]
    blocks = [Block(1, 1, 4.0, 500.0, 504.0, "failed", 0, 7), Block(1, 9, 90.0, 600.0, 700.0, "passed")]
    (lane,) = drawn_lanes(timeline(0.0, 1000.0, bars, blocks), "r/1", "/x")
    passed, failed, single = lane.pieces
    assert passed.said == "9 tests, passed, 90 ms in all, at 600 ms"
    assert passed.address == "/x?from=575&to=725"
    assert failed.said == "a.py::test_a[<b>]: failed, attempt 2, 300 ms, at 100 ms"
    assert failed.address == "/runs/r%2F1/test?id=a.py%3A%3Atest_a%5B%3Cb%3E%5D"
    assert single.address == "/runs/r%2F1/test?id=a.py%3A%3Atest_%3Cb%3E"
    assert failed.is_retry
    assert (failed.x, failed.width) == (10.0, 30.0)


def test_ticks_are_round_times_since_the_begin() -> None:
    found = timeline(5.0, 3_600_000.0, [], [])
    assert [tick.said for tick in ticks(found)] == [
        "0 s",
        "10:00 min",
        "20:00 min",
        "30:00 min",
        "40:00 min",
        "50:00 min",
        "1:00 h",
    ]
    assert [tick.said for tick in ticks(timeline(0.0, 1.0, [], []))] == ["0 ms", "1 ms"]
