"""Budgets: what always runs does, the rest fits, and nothing that fits is left for something worth less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.selection.budget import always_runs, within_budget
from pytest_semantest.selection.candidate import OVERHEAD_MS, Suite
from pytest_semantest.selection.chances import chance
from tests.selection.suites import known, suite, suites

budgets = st.floats(0, 20_000, allow_nan=False)
workers = st.integers(1, 6)


@given(suites, budgets, workers)
def test_its_rules(suite: Suite, budget: float, workers: int) -> None:
    chosen = within_budget(suite, budget, workers)
    always = [at for at, candidate in enumerate(suite.candidates) if always_runs(candidate)]
    assert chosen.positions == sorted(set(chosen.positions))
    assert set(always) <= set(chosen.positions)
    assert chosen.always == len(always)
    assert chosen.expected_ms <= budget or chosen.positions == always


@given(suites, budgets)
def test_at_least_half_of_what_any_choice_could_have(suite: Suite, budget: float) -> None:
    """Without shared fixtures, for which no order of tests is the best one."""
    plain = Suite([candidate for candidate in suite.candidates if not always_runs(candidate)], {})
    chosen = within_budget(plain, budget)
    got = sum(chance(plain.candidates[at]) for at in chosen.positions)
    left, most = budget, 0.0  # parts of tests allowed: nothing can be worth more
    for candidate in sorted(plain.candidates, key=lambda one: -chance(one) / one.own_ms):
        if candidate.own_ms <= budget:
            part = min(1.0, left / candidate.own_ms)
            most, left = most + part * chance(candidate), left - part * candidate.own_ms
    assert got >= most / 2 - 1e-9


def test_new_changed_and_failed_tests_run_whatever_the_time_is() -> None:
    tests = {
        "a.py::ok": known(1000),
        "a.py::new": None,
        "a.py::changed": known(1000, code="then"),
        "a.py::failed": known(1000, "fp"),
        "a.py::shaky": known(1000, "yp"),
    }
    found = suite(tests)
    chosen = within_budget(found, 10)
    assert [found.candidates[at].test.id for at in chosen.positions] == ["a.py::new", "a.py::changed", "a.py::failed"]
    assert chosen.always == 3
    assert chosen.expected_ms > 2000


def test_workers_share_the_time_but_for_the_longest_test() -> None:
    tests = {f"{number}.py::t": known(100 - OVERHEAD_MS) for number in range(10)}
    assert len(within_budget(suite(tests), 400).positions) == 4
    assert len(within_budget(suite(tests), 400, workers=2).positions) == 7  # 700 / 2 + 100 / 2


def test_fixtures_of_a_file_are_paid_once() -> None:
    tests = {f"a.py::{number}": known(10, fixtures=0) for number in range(5)}
    tests["a.py::0"] = known(510, fixtures=500)
    found = suite(tests)
    assert found.shared_ms == {"a.py": 500.0}
    assert within_budget(found, 505).positions == []
    assert len(within_budget(found, 535).positions) == 3
