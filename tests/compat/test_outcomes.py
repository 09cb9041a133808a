"""The comparison itself: it must see every difference, and nothing where there is none."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.outcomes import (
    JUNIT_OUTCOME,
    Difference,
    Observed,
    compare_report,
    compare_runs,
    counted,
    junit_key,
    parse_junit,
    parse_summary,
    unstable,
)

SUITE = """
import pytest
import unittest

@pytest.mark.parametrize("value", ["a/b::c", "x.py", "\\x1b[0m", "[]", "ä"])
def test_parameters(value): pass
def test_fails(): assert 0
def test_skips(): pytest.skip("no")
@pytest.mark.xfail
def test_xfails(): assert 0
@pytest.mark.xfail
def test_xpasses(): pass
@pytest.fixture
def broken(): raise ValueError
def test_error(broken): pass
@pytest.fixture
def breaks_later():
    yield
    raise ValueError
def test_teardown_error(breaks_later): pass
def test_fails_twice(breaks_later): assert 0
class TestGroup:
    class TestInner:
        def test_deep(self): pass
class TestUnittest(unittest.TestCase):
    def test_method(self): pass
"""
STATES = {
    "test_parameters[a/b::c]": "passed",
    "test_parameters[x.py]": "passed",
    "test_parameters[\\x1b[0m]": "passed",
    "test_parameters[[]]": "passed",
    "test_parameters[\\xe4]": "passed",
    "test_fails": "failed",
    "test_skips": "skipped",
    "test_xfails": "xfailed",
    "test_xpasses": "xpassed",
    "test_error": "error",
    "test_teardown_error": "error",
    "test_fails_twice": "failed",
    "TestGroup::TestInner::test_deep": "passed",
    "TestUnittest::test_method": "passed",
}


def report_of(states: dict[str, str], exit_code: int = 1) -> dict[str, Any]:
    """A report as ``semantest report --json`` prints it, as far as it is compared."""
    counts = {state: list(states.values()).count(state) for state in set(states.values())}
    return {
        "run": {"exitCode": exit_code},
        "counts": {"total": len(states), **counts},
        "tests": [{"id": test_id, "state": state} for test_id, state in states.items()],
    }


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """What a real pytest says about the suite above and a file that cannot be imported."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    (folder / "test_broken.py").write_text("import no_such_module\n")
    options = ["-p", "no:semantest", "-p", "no:cacheprovider", "--rootdir=.", "--junitxml=out.xml"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--continue-on-collection-errors"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return Observed(done.returncode, parse_junit((folder / "out.xml").read_bytes()), parse_summary(done.stdout))


@pytest.fixture
def states() -> dict[str, str]:
    return {"test_broken.py": "error", **{f"test_suite.py::{name}": state for name, state in STATES.items()}}


def test_a_true_report_has_no_difference_from_junit(observed: Observed, states: dict[str, str]) -> None:
    assert compare_report(observed, report_of(states)) == []
    assert observed.summary["failed"] == 2
    assert observed.summary["error"] == 4


@pytest.mark.parametrize("name", ["test_broken.py", *(f"test_suite.py::{name}" for name in STATES)])
def test_every_single_wrong_or_missing_test_is_seen(observed: Observed, states: dict[str, str], name: str) -> None:
    right = states.pop(name)
    assert len(compare_report(observed, report_of(states))) == 1
    for wrong in ("passed", "failed", "skipped", "lost", "crashed"):
        if JUNIT_OUTCOME.get(wrong) != JUNIT_OUTCOME[right]:
            assert len(compare_report(observed, report_of({**states, name: wrong}))) == 1


def test_a_test_nobody_ran_is_seen(observed: Observed, states: dict[str, str]) -> None:
    assert len(compare_report(observed, report_of({**states, "test_suite.py::test_ghost": "passed"}))) == 1


def test_counts_and_exit_code_are_compared(observed: Observed, states: dict[str, str]) -> None:
    report = report_of(states, exit_code=0)
    report["counts"]["passed"] += 1
    found = {difference.what for difference in compare_report(observed, report)}
    assert found == {"report: counts", "report: exit code"}


def test_the_second_of_two_same_node_ids_is_found(observed: Observed) -> None:
    twice = Observed(0, {junit_key("test_a.py::test_x"): ("passed", "passed")})
    report = report_of({"test_a.py::test_x": "passed", "test_a.py::test_x#2": "passed"}, exit_code=0)
    assert compare_report(twice, report) == []


def test_extra_testcases_of_subtests_agree_only_with_the_right_state() -> None:
    key = junit_key("test_a.py::test_x")
    observed = Observed(1, {key: ("failed", "passed")})
    assert compare_report(observed, report_of({"test_a.py::test_x": "failed"})) == []
    assert len(compare_report(observed, report_of({"test_a.py::test_x": "passed"}))) == 1
    assert len(compare_report(observed, report_of({"test_a.py::test_x": "error"}))) == 1


def test_tests_that_only_a_secret_tells_apart_are_all_asked_for() -> None:
    one, two = (junit_key(f"test_a.py::test_x[pypi-{secret * 60}]") for secret in "ab")
    observed = Observed(0, {one: ("passed",), two: ("passed",)})
    masked = "test_a.py::test_x[[REDACTED]]"
    assert compare_report(observed, report_of({masked: "passed", f"{masked}#2": "passed"}, exit_code=0)) == []
    assert len(compare_report(observed, report_of({masked: "passed"}, exit_code=0))) == 1


outcomes = st.dictionaries(
    st.tuples(st.text(max_size=3), st.text(min_size=1, max_size=3)),
    st.lists(st.sampled_from(["passed", "failed", "error", "skipped"]), min_size=1, max_size=3).map(
        lambda found: tuple(sorted(found))
    ),
    max_size=6,
)


@given(outcomes, outcomes, st.integers(0, 5), st.integers(0, 5))
def test_runs_agree_exactly_when_they_are_equal(
    first: dict[tuple[str, str], tuple[str, ...]],
    second: dict[tuple[str, str], tuple[str, ...]],
    code: int,
    other_code: int,
) -> None:
    one, other = Observed(code, first), Observed(other_code, second)
    assert (compare_runs(one, other) == []) == (one == other)
    assert compare_runs(one, one) == []


def test_what_differs_between_bare_runs_is_not_counted() -> None:
    steady, shaky = ("a", "steady"), ("a", "shaky")
    bare = Observed(0, {steady: ("passed",), shaky: ("passed",)})
    again = Observed(1, {steady: ("passed",), shaky: ("failed",)})
    recorded = Observed(1, {steady: ("failed",), shaky: ("failed",)})
    left = counted(compare_runs(bare, recorded), unstable([bare, again]))
    assert left == [Difference("a::steady", "passed", "failed")]


def test_without_any_flaky_test_the_exit_code_counts() -> None:
    bare, recorded = Observed(0, {}), Observed(1, {})
    left = counted(compare_runs(bare, recorded), unstable([bare, bare]))
    assert left == [Difference("exit code", "0", "1")]


@pytest.mark.parametrize(
    ("line", "summary"),
    [
        ("=== 3 passed in 0.10s ===", {"passed": 3}),
        ("1 failed, 2 passed, 1 warning in 61.00s (0:01:01)", {"failed": 1, "passed": 2, "warning": 1}),
        ("=== 2 errors, 3 warnings in 0.1s ===", {"error": 2, "warning": 3}),
        ("=== no tests ran in 0.01s ===", {}),
    ],
)
def test_the_last_line_is_read(line: str, summary: dict[str, int]) -> None:
    assert parse_summary(f"some output\n1 passed in the text\n{line}\n") == summary


def test_output_without_a_last_line_is_refused() -> None:
    with pytest.raises(LookupError, match="summary"):
        parse_summary("Killed\n")
