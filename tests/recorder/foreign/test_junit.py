"""JUnit XML as many tools write it; each sample has the shape of the tool that its file is called by."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantest_recorder.foreign.errors import UnreadableError
from semantest_recorder.foreign.junit import read_junit
from semantest_recorder.foreign.run import ForeignRun

SAMPLES = Path(__file__).parent / "samples"
#: 2026-11-20 10:00 UTC.
TEN = 1_795_168_800_000.0


def sample(name: str) -> ForeignRun:
    return read_junit((SAMPLES / f"{name}.xml").read_bytes())


def told(run: ForeignRun) -> list[tuple[str, list[tuple[str | None, float | None]]]]:
    return [(test.test_id, [(one.outcome, one.duration_ms) for one in test.attempts]) for test in run.tests]


@pytest.mark.parametrize(
    ("name", "tool", "started_ms", "tests"),
    [
        (
            "surefire",
            "Surefire",
            None,
            [
                ("com.example.CartTest::adds", [("passed", 12.0)]),
                ("com.example.CartTest::flaky", [("failed", None), ("passed", 200.0)]),
                ("com.example.CartTest::broken(int)[1]", [("error", 500.0), ("error", None)]),
                ("com.example.CartTest::ignored", [("skipped", 0.0)]),
            ],
        ),
        (
            "gradle",
            "JUnit",
            TEN,
            [
                ("com.example.OrderTest::ships()", [("passed", 100.0)]),
                ("com.example.OrderTest::refunds()", [("failed", 200.0)]),
            ],
        ),
        ("jest", "Jest", TEN, [("cart::cart adds", [("passed", 4.0)]), ("cart::cart sums", [("failed", 10.0)])]),
        (
            "mocha",
            "Mocha",
            TEN,
            [("Cart::adds", [("passed", 15.0)]), ("Cart::later", [("skipped", 0.0)])],
        ),
        (
            "gotestsum",
            "Go",
            TEN,
            [
                ("example.com/shop/cart::TestAdd", [("passed", 0.0)]),
                ("example.com/shop/cart::TestSum/two_items", [("failed", 10.0)]),
            ],
        ),
        (
            "phpunit",
            "PHPUnit",
            None,
            [
                ('App\\CartTest::testSum with data set "two"', [("failed", 10.0)]),
                ("App\\CartTest::testEmpty", [("passed", 1.0)]),
            ],
        ),
        (
            "nunit",
            "JUnit",
            TEN,
            [
                ("Shop.Tests.CartTests::Adds(1,2)", [("passed", 50.0)]),
                ("Shop.Tests.CartTests::Later", [("skipped", 0.0)]),
            ],
        ),
        (
            "testng",
            "JUnit",
            TEN,
            [
                ("com.example.SearchTest::finds", [("passed", 20.0)]),
                ("com.example.SearchTest::ranks", [("failed", 30.0)]),
            ],
        ),
        (
            "googletest",
            "JUnit",
            TEN + 250,
            [
                ("Cart::Adds", [("passed", 1.0)]),
                ("Cart::Sums", [("failed", 1.0)]),
                ("Cart::DISABLED_Later", [("skipped", 0.0)]),
            ],
        ),
    ],
)
def test_each_dialect(
    name: str, tool: str, started_ms: float | None, tests: list[tuple[str, list[tuple[str, float | None]]]]
) -> None:
    run = sample(name)
    assert (run.tool, run.started_ms, run.problem) == (tool, started_ms, None)
    assert told(run) == tests


def test_what_a_failure_says_is_kept() -> None:
    flaky = sample("surefire").tests[1].attempts[0]
    assert flaky.failure is not None
    assert flaky.failure.message == "expected:<1> but was:<2>"
    assert flaky.failure.type == "org.opentest4j.AssertionFailedError"
    assert "CartTest.java:20" in (flaky.failure.stack or "")
    assert [one.text for one in flaky.output] == ["first try"]
    several = sample("googletest").tests[1].attempts[0].failure
    assert several is not None
    assert (several.message or "").count("Value of") == 2
    assert "cart_test.cc:11" in (several.stack or "")
    assert sample("phpunit").tests[0].line == 12
    escape = sample("gotestsum").tests[1].attempts[0].failure
    assert escape is not None
    assert "got \ufffd[31m3" in (escape.stack or ""), "an escape is no XML, and costs nothing but itself"
    (note,) = sample("gradle").notes
    assert (note.suite, [one.text for one in note.output]) == ("com.example.OrderTest", ["whole suite\n"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "shift_jis"])
def test_any_encoding(encoding: str) -> None:
    word = "カート" if encoding == "shift_jis" else "prüft"
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<testsuite><testcase name="{word}"/></testsuite>'
    assert told(read_junit(text.encode(encoding))) == [(word, [("passed", None)])]


def test_bytes_that_are_no_text_cost_no_test() -> None:
    output = b"<system-out>\xff\x00\x1b</system-out>"
    data = b'<testsuite><testcase name="a">%b</testcase><testcase name="b"/></testsuite>' % output
    assert [test.test_id for test in read_junit(data).tests] == ["a", "b"]


def test_a_file_that_is_cut_off_gives_what_is_whole() -> None:
    data = (SAMPLES / "surefire.xml").read_bytes()
    run = read_junit(data[: data.index(b"<rerunError")])
    assert [test.attempts[-1].outcome for test in run.tests] == ["passed", "passed", None], "not even the broken one"
    assert run.problem is not None
    assert run.problem.line == 16
    with pytest.raises(UnreadableError, match="no element"):
        read_junit(b'<?xml version="1.0"?>\n')


def test_a_failure_of_no_test_makes_the_run_fail() -> None:
    run = read_junit(b'<testsuite errors="1"><testcase name="a"/></testsuite>')
    assert run.exit_code == 1
    run = read_junit(b'<testsuite name="s"><error message="set-up"/><testcase name="a"/></testsuite>')
    assert told(run) == [("s", [("error", None)]), ("s::a", [("passed", None)])]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<testng-results/>", "TestNG's own report: import the files in junitreports/"),
        (b"<html/>", "its root is <html>"),
        (b"no XML", "syntax error"),
    ],
)
def test_what_is_no_junit_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        read_junit(data)
