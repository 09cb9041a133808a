"""What pages of a run are made of: facts, phases, tracebacks, pictures."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.answers.run_search import NewRun
from semantest_recorder.core.rows import RunRow
from semantest_recorder.pages.pictures import picture_type
from semantest_recorder.pages.run_facts import run_facts, web_address
from semantest_recorder.pages.run_result import phase_parts
from semantest_recorder.pages.run_words import bar_parts, by_severity, run_badge_state, state_count, words_of
from semantest_recorder.pages.traceback_lines import traceback_lines
from semantest_recorder.pages.words import breakable, cut, exact, first_lines, with_code
from semantest_recorder.reports.aggregate import run_info
from semantest_recorder.reports.history_strip import strip_lines
from semantest_recorder.reports.report import Counts, ErrorInfo, ImportedFrom, PhaseTimes, SelectionInfo, SourceInfo
from semantest_recorder.reports.state_letters import LETTERS


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"<!doctype html>", None),
        (b"", None),
    ],
)
def test_a_picture_is_what_begins_as_one(head: bytes, kind: str | None) -> None:
    assert picture_type(head) == kind


def test_only_addresses_of_the_web_are_links() -> None:
    assert web_address("https://ci.example.org/7") == "https://ci.example.org/7"
    for told in (
        "javascript:alert(1)",
        "JaVaScript:x",
        " https://a",
        "data:text/html,x",
        "//evil",
        None,
        7,
        ["https://x"],
    ):
        assert web_address(told) is None, told


def test_facts_are_those_that_are_known() -> None:
    assert run_facts(run_info(RunRow("r"), [], 0)) == []
    run = run_info(
        RunRow(
            "r",
            exit_code=1,
            deselected=3,
            labels={"suite": "nightly"},
            facts={"distribution": {"workers": 2, "mode": "load"}, "pythonVersion": "3.12"},
            context={
                "git": {"subject": "Mend it", "author": "Ada", "dirty": True},
                "ci": {"provider": "gitlab", "buildUrl": "javascript:alert(1)", "pullRequest": 7},
            },
        ),
        [],
        0,
    )
    run.sessions = 1
    run.sources = [SourceInfo("s.gw0", "gw0", "s", "ended", job=name) for name in ("1", "2", "3", "4", "5", None)]
    run.imported_from = [ImportedFrom("j.xml", "junit", "pytest", "0" * 64)]
    run.origin = "import"
    shard = {"index": 1, "of": 2}
    budget, repeat = {"limitMs": 2000.0}, {"tests": 1, "times": 3}
    run.selections = [SelectionInfo("s", 9, {}, order="likely-to-fail", shard=shard, budget=budget, repeat=repeat)]
    told = {fact.name: fact.text for fact in run_facts(run)}
    assert told == {
        "Subject": "Mend it",
        "Author": "Ada",
        "Work tree": "with changes that are in no commit",
        "CI": "gitlab",
        "Pull request": "7",
        "Workers": "2 (load)",
        "Jobs": "1, 2, 3, 4 and 1 more",
        "Exit code": "1",
        "Recorded by": "an import",
        "Imported from": "j.xml (junit of pytest)",
        "Deselected": "3 tests",
        "Shard": "1 of 2",
        "Budget": "2.00 s",
        "Order": "likely-to-fail",
        "Repeated": "1 new test up to 3 times",
        "Python": "3.12",
        "suite": "nightly",
    }
    assert all(fact.address is None for fact in run_facts(run))


@given(st.lists(st.none() | st.floats(0, 1e9), min_size=3, max_size=3))
def test_phases_fill_their_bar(times: list[float | None]) -> None:
    parts = phase_parts(PhaseTimes(*times))
    assert len(parts) == sum(1 for ms in times if ms)
    assert not parts or abs(sum(width for _name, _x, width, _ms in parts) - 100) < 0.01


def test_what_is_bad_stands_first() -> None:
    counts = Counts(total=7, passed=3, failed=1, flaky=1, skipped=1, crashed=1)
    assert [state for state, _number in by_severity(counts)] == ["failed", "crashed", "flaky", "skipped", "passed"]
    assert [state for state, _x, _width in bar_parts(counts)] == [state for state, _number in by_severity(counts)]


def test_one_bad_test_of_many_is_seen_in_a_bar() -> None:
    (failed, _x, width), (_passed, begin, rest) = bar_parts(Counts(total=10_000, passed=9999, failed=1))
    assert failed == "failed"
    assert width > 2.5
    assert begin == width
    assert abs(width + rest - 100) < 0.01


def test_a_traceback_keeps_what_went_wrong() -> None:
    code = "\n".join(f"    line{number} = {number}" for number in range(60))
    stack = f"{code}\n>   assert \x1b[31mx\x1b[0m == 1\nE   assert 2 == 1\nE    +  where\n\ntest_a.py:9: AssertionError"
    error = ErrorInfo(message="assert 2 == 1", file="test_a.py", line=9, stack=stack)
    lines = traceback_lines(error, 10)
    assert [line.text for line in lines if line.kind == "error"] == ["E   assert 2 == 1", "E    +  where"]
    assert [line.text for line in lines if line.kind == "here"] == [">   assert x == 1"]
    assert lines[0].kind == "gap"
    assert len(lines) < 15
    assert lines[-1].kind == "error", "its own place is not repeated"
    assert traceback_lines(None) == []
    assert [line.text for line in traceback_lines(ErrorInfo(message="only this"))] == ["only this"]


def test_first_lines_of_a_message() -> None:
    assert first_lines("one\ntwo\nthree", 2) == "one\ntwo …"
    assert first_lines("one\n", 2) == "one"


def test_letters_mean_one_thing_everywhere() -> None:
    states = {*FINAL_STATES, "cancelled", "running", "pending"}
    assert set(LETTERS) == states
    assert len(set(LETTERS.values())) == len(states)
    (strip, meant) = strip_lines(["crashed", "passed", "lost"])
    assert (strip.plain.strip(), meant.plain.strip()) == ("?.!", "! crashed, . passed, ? lost")


def test_a_run_in_a_strip_reads_as_it_does_in_the_list() -> None:
    run = NewRun("r", None, "passed", "main", "{}", 0, 0, 0, 0, 0)
    assert (run_badge_state(run), words_of(run)) == ("passed", "passed")
    assert words_of(run._replace(quarantined=2)) == "passed, 2 tests failed in quarantine"
    so_far = run._replace(shard_count=3, shards_missing=1)
    assert (run_badge_state(so_far), words_of(so_far)) == ("pending", "passed so far: 2 of 3 shards")


def test_many_tests_are_told_with_separators() -> None:
    assert [state_count("failed", 12_345), state_count("error", 1), state_count("error", 2000)] == [
        "12,345 failed",
        "1 error",
        "2,000 errors",
    ]


def test_a_long_name_keeps_its_begin_and_its_end() -> None:
    assert cut("x" * 170) == "x" * 170, "nothing is won"
    assert cut(f"{'a' * 200}{'b' * 200}", 20) == f"{'a' * 10}…{'b' * 10}"


@given(st.text())
def test_what_nobody_sees_comes_back_as_it_was(text: str) -> None:
    told = exact(text)
    as_browsers_read = unescape(re.sub("&#([0-9]+);", lambda found: chr(int(found[1])), told))
    assert as_browsers_read == text
    assert not set("<>\"'\r\x1b\x7f") & set(told), "browsers make line feeds of some, and terminals obey others"


def test_what_stands_between_backticks_is_code() -> None:
    assert with_code("run `pytest <x>` & look") == "run <code>pytest &lt;x&gt;</code> &amp; look"
    assert with_code("no \x1b[31mend `<b>") == "no end <code>&lt;b&gt;</code>"


def test_a_long_name_goes_on_in_the_next_line_between_its_words() -> None:
    assert breakable("a/test_b.py::test_c[<x>]") == "a/<wbr>test_<wbr>b.py::<wbr>test_<wbr>c[<wbr>&lt;x&gt;]"
