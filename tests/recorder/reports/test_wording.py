"""Numbers and states as a reader sees them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.reports.aggregate import aggregate, count_states
from semantest_recorder.reports.header_lines import header_lines
from semantest_recorder.reports.wording import count_words, duration, exit_code_of, moment, size, state_in_words
from tests.recorder.reports.rows_of import result_row, run_rows


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, "?"),
        (float("inf"), "?"),
        (float("nan"), "?"),
        (0.0, "0.0 ms"),
        (3.26, "3.3 ms"),
        (12.4, "12 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (1234.0, "1.23 s"),
        (12_340.0, "12.3 s"),
        (59_980.0, "1 min"),
        (600_000.0, "10 min"),
        (3_600_000.0, "1 h"),
        (125_000.0, "2 min 5 s"),
        (3_840_000.0, "1 h 4 min"),
    ],
)
def test_duration(milliseconds: float | None, words: str) -> None:
    assert duration(milliseconds) == words


@given(st.floats(0, 1e11, allow_nan=False))
def test_every_duration_reads_as_a_number_and_a_unit(milliseconds: float) -> None:
    words = duration(milliseconds)
    assert words.split()[1] in ("ms", "s", "min", "h")
    assert "60 s" not in words
    assert "1000 ms" not in words


@pytest.mark.parametrize("milliseconds", [1e20, -1e20, float("inf"), float("nan")])
def test_a_moment_out_of_range_is_unknown(milliseconds: float) -> None:
    assert moment(milliseconds) == "unknown"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("passed", 0),
        ("failed", 1),
        ("cancelled", 1),
        ("interrupted", 1),
        ("timeout", 1),
        ("running", 4),
        ("pending", 4),
    ],
)
def test_exit_code(state: str, code: int) -> None:
    assert exit_code_of(state) == code


def test_only_states_that_are_not_zero_are_counted() -> None:
    counts = count_states(["passed", "passed", "lost", "not_run", "error"], closed=True)
    assert count_words(counts) == "5 tests: 2 passed, 1 error, 1 not run, 1 lost"
    assert count_words(count_states(["passed"], closed=True)) == "1 test: 1 passed"
    assert count_words(count_states([], closed=True)) == "0 tests"


def test_state_in_words() -> None:
    report = aggregate(run_rows([result_row("a.py::t", "failed")], stopped_early=True))
    assert state_in_words(report.run, 1) == "failed, stopped early"
    report = aggregate(run_rows([result_row("a.py::t", "interrupted")], state="interrupted", stopped_early=True))
    assert state_in_words(report.run, 1) == "interrupted"


def test_a_run_without_tests_is_not_called_passed_without_a_word() -> None:
    report = aggregate(run_rows([], state="passed"))
    assert state_in_words(report.run, 0) == "passed, no tests"
    assert next(iter(header_lines(report))).plain.endswith(": passed, no tests")


def test_a_run_with_gaps_says_so_beside_its_state() -> None:
    report = aggregate(run_rows([result_row("a.py::t", "passed")], gaps=1))
    assert state_in_words(report.run, 1) == "failed, 1 record missing"


@pytest.mark.parametrize(("number", "words"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB")])
def test_size(number: int, words: str) -> None:
    assert size(number) == words
