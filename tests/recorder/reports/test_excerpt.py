"""What is shown of a long traceback: the test's own line, the end, and how much is missing where."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.reports.excerpt import excerpt, without_place

_DEEP = """\
    def test_deep():
>       helper(3)

test_a.py:12:
_ _ _ _ _ _ _ _ _ _
test_a.py:9: in middle
    value = inner(
    ^^^^^^^^^^^^^^
    one

x = 3

    def helper(x):
        y = x + 1
>       assert y == 5
E       assert 4 == 5"""


def test_a_short_one_is_shown_whole() -> None:
    lines = _DEEP.split("\n")
    assert excerpt(lines, 0) == lines
    assert excerpt(lines, len(lines)) == lines


def test_the_line_of_the_test_itself_stays() -> None:
    lines = _DEEP.split("\n")
    assert excerpt(lines, 6) == [*lines[:4], 6, *lines[-6:]]


def test_a_cut_does_not_begin_with_a_marker_a_rule_or_a_blank() -> None:
    lines = [*(f"above {number}" for number in range(9)), "    ^^^^", "_ _ _ _", "", "x = 3", "E  boom"]
    assert excerpt(lines, 5) == [12, "x = 3", "E  boom"]


def test_of_a_long_message_the_beginning_is_shown() -> None:
    lines = [
        "    @mark",
        "    def test():",
        ">       assert a == b",
        *(f"E       part {number}" for number in range(30)),
    ]
    assert excerpt(lines, 4) == [2, *lines[2:6], 27]


def test_a_short_traceback_keeps_the_first_line_of_the_project() -> None:
    lines = ["/usr/lib/runner.py:3: in run", "    go()", "tests/test_a.py:4: in test_a", "    helper()", "    ^^^^^^"]
    lines += [f"/usr/lib/deep.py:{number}: in deep" for number in range(9)] + ["E   ValueError"]
    assert excerpt(lines, 3)[:4] == [2, "tests/test_a.py:4: in test_a", "    helper()", 8]


def test_the_place_that_was_told_before_is_not_told_again() -> None:
    lines = ["E       assert 1", "", "tests/test_a.py:4: AssertionError"]
    assert without_place(lines, "tests/test_a.py", 4) == ["E       assert 1"]
    assert without_place(lines, "/home/dev/tests/test_a.py", 4) == ["E       assert 1"]
    assert without_place(lines, "tests/test_a.py", 5) == lines
    assert without_place(lines, None, None) == lines
    assert without_place([], "a.py", 1) == []


@given(
    st.lists(st.sampled_from(["", ">  x", "E  y", "    ^^", "_ _", "a.py:3: in f", "text"]), max_size=40),
    st.integers(0, 12),
)
def test_every_line_is_shown_or_counted_and_the_order_stays(lines: list[str], limit: int) -> None:
    shown = excerpt(lines, limit)
    assert sum(part if isinstance(part, int) else 1 for part in shown) == len(lines)
    at = 0
    for part in shown:
        if isinstance(part, int):
            assert part > 1
            at += part
        else:
            assert lines[at] == part
            at += 1
    assert not limit or sum(isinstance(part, str) for part in shown) <= limit + 7
