"""Conditions of a gate, each alone, and what holds for all of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import FINAL_STATES
from pytest_semantest.protocol.keys import FAIL_ON, GATE
from semantest_recorder.core.gate import POLICIES, Bounds, Check, Compared, Facts, is_passed, judge, merged

STATES = {
    "a.py::test_one": "passed",
    "a.py::test_two": "failed",
    "a.py::test_three[1]": "flaky",
    "b/c.py::Test::test_four": "skipped",
    "b/c.py::Test::test_five": "crashed",
}
COMPARED = Compared("base", newly_failing=["a.py::test_two"], slower=["a.py::test_one"], removed=["x", "y"])
FACTS = Facts(states=STATES, duration_ms=1500.0, warnings=2, left_out=1, compared=COMPARED)

_states = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([*FINAL_STATES, "pending", "running"]))


def only(bounds: Bounds, facts: Facts = FACTS) -> Check:
    (check,) = judge(bounds, facts)
    return check


@pytest.mark.parametrize(
    ("bounds", "facts", "value", "verdict"),
    [
        ({"min_tests": 4}, FACTS, 4, "ok"),
        ({"min_tests": 5}, FACTS, 4, "failed"),
        ({"min_pass_rate": 50.0}, FACTS, 50.0, "ok"),
        ({"min_pass_rate": 50.1}, FACTS, 50.0, "failed"),
        ({"min_pass_rate": 1.0}, Facts(states={"a": "skipped"}), None, "unknown"),
        ({"max_failed": 2}, FACTS, 2, "ok"),
        ({"max_failed": 1}, FACTS, 2, "failed"),
        ({"max_lost": 0}, FACTS, 0, "ok"),
        ({"max_lost": 0}, Facts(states={"a": "lost"}), 1, "failed"),
        ({"max_flaky": 0}, FACTS, 1, "failed"),
        ({"max_flaky_rate": 25.0}, FACTS, 25.0, "ok"),
        ({"max_flaky_rate": 24.9}, FACTS, 25.0, "failed"),
        ({"max_quarantined": 0}, msgspec.structs.replace(FACTS, forgiven=frozenset({"a.py::test_two"})), 1, "failed"),
        ({"max_failed": 1}, msgspec.structs.replace(FACTS, forgiven=frozenset({"a.py::test_two"})), 1, "ok"),
        ({"max_left_out": 0}, FACTS, 1, "failed"),
        ({"max_warnings": 2}, FACTS, 2, "ok"),
        ({"max_duration_ms": 1500.0}, FACTS, 1500.0, "ok"),
        ({"max_duration_ms": 1499.0}, FACTS, 1500.0, "failed"),
        ({"max_duration_ms": 1.0}, Facts(states={}), None, "unknown"),
        ({"max_slower": 1}, FACTS, 1, "ok"),
        ({"max_removed": 1}, FACTS, 2, "failed"),
        ({"no_new_failures": True}, FACTS, 1, "failed"),
        ({"no_new_failures": True}, Facts(states=STATES, compared="no run before"), None, "unknown"),
        ({"complete": True}, Facts(states=STATES), True, "ok"),
        ({"complete": True}, FACTS, False, "failed"),
        ({"complete": True}, Facts(states={"a": "not_run"}), False, "failed"),
        ({"complete": True}, Facts(states={}, incomplete=["shard 2 of 3 is missing"]), False, "failed"),
    ],
)
def test_each_condition_has_its_value_and_its_verdict(
    bounds: dict[str, Any], facts: Facts, value: float | None, verdict: str
) -> None:
    check = only(Bounds(**bounds), facts)
    assert (check.value, check.verdict) == (value, verdict)


@pytest.mark.parametrize(
    ("pattern", "verdict", "tests"),
    [
        ("a.py::test_one", "ok", []),
        ("a.py::test_three", "ok", []),  # the function of a case
        ("a.py", "failed", ["a.py::test_two"]),
        ("b", "failed", ["b/c.py::Test::test_four", "b/c.py::Test::test_five"]),
        ("b/", "failed", ["b/c.py::Test::test_four", "b/c.py::Test::test_five"]),
        ("a.py::test_t", "failed", []),  # the beginning of a name is no name
        ("*test_three[?]", "ok", []),  # brackets are those of parameters
        ("*test_three[2]", "failed", []),
    ],
)
def test_critical_tests_are_named_as_people_name_them_and_must_have_passed(
    pattern: str, verdict: str, tests: list[str]
) -> None:
    check = only(Bounds(critical=(pattern,)))
    assert (check.verdict, list(check.tests)) == (verdict, tests)


def test_a_run_that_goes_on_meets_no_condition_yet_and_may_have_failed_one() -> None:
    facts = msgspec.structs.replace(FACTS, over=False)
    assert only(Bounds(max_lost=0), facts).verdict == "unknown"
    assert only(Bounds(max_failed=0), facts).verdict == "failed"


def test_what_is_not_known_closes_the_gate_unless_that_is_allowed() -> None:
    checks = judge(Bounds(min_pass_rate=1.0), Facts(states={}))
    assert not is_passed(checks)
    assert is_passed(checks, allow_unknown=True)
    assert not is_passed(judge(Bounds(max_failed=0), FACTS), allow_unknown=True)


def test_policies_are_conditions_and_conditions_are_keys() -> None:
    assert list(POLICIES) == list(FAIL_ON)
    assert [check.condition for check in judge(merged(FAIL_ON), FACTS)] == [
        *("max-lost", "max-flaky", "max-left-out", "max-warnings", "max-slower", "no-new-failures")
    ]
    names = [name.replace("_", "-").removesuffix("-ms") for name in Bounds.__struct_fields__]
    assert names == [key.name for key in GATE if key.name != "base"]


@given(_states, st.floats(0, 100))
def test_rates_are_compared_before_they_are_rounded(states: dict[str, str], bound: float) -> None:
    ran = [state for state in states.values() if state != "skipped"]
    check = only(Bounds(min_pass_rate=bound), Facts(states=states))
    if not ran:
        assert check.verdict == "unknown"
        return
    good = sum(state in ("passed", "xpassed", "xfailed", "flaky") for state in ran)
    assert (check.verdict == "ok") == (Fraction(100 * good, len(ran)) >= Fraction(repr(bound)))


def test_a_rate_means_the_decimal_number_that_was_written() -> None:
    states = {str(number): "passed" for number in range(999)} | {"bad": "failed"}
    assert only(Bounds(min_pass_rate=99.9), Facts(states=states)).verdict == "ok"
    assert only(Bounds(min_pass_rate=99.91), Facts(states=states)).verdict == "failed"


@given(_states, st.integers(0, 9), st.integers(0, 9))
def test_a_wider_bound_never_closes_a_gate_that_was_open(states: dict[str, str], bound: int, more: int) -> None:
    facts = Facts(states=states)
    for name in ("max_failed", "max_lost", "max_flaky", "max_quarantined"):
        narrow, wide = (
            only(msgspec.structs.replace(Bounds(), **{name: most}), facts) for most in (bound, bound + more)
        )
        assert narrow.verdict == "failed" or wide.verdict == "ok"
        assert narrow.value == len(narrow.tests)
