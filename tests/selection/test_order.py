"""Orders: nothing is lost or doubled, what shares fixtures stays together, and each policy does as it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.keys import ORDERS
from pytest_semantest.selection.candidate import Collected, Suite
from pytest_semantest.selection.order import arrange, ordered
from pytest_semantest.selection.sharing import components
from tests.selection.suites import known, suite, suites

policies = st.sampled_from(ORDERS[1:])


@given(suites, policies)
def test_an_order_loses_and_doubles_nothing(suite: Suite, policy: str) -> None:
    assert sorted(ordered(suite, policy)) == list(range(len(suite.candidates)))


@given(suites, policies)
def test_what_shares_something_stays_together_as_collected(suite: Suite, policy: str) -> None:
    order = ordered(suite, policy)
    for members in components([candidate.test for candidate in suite.candidates], range(len(order))):
        start = order.index(members[0])
        assert order[start : start + len(members)] == members


@given(suites)
def test_components_share_nothing(suite: Suite) -> None:
    tests = [candidate.test for candidate in suite.candidates]
    shared = [{key for at in members for key in tests[at].shares} for members in components(tests, range(len(tests)))]
    assert sum(map(len, shared)) == len(set().union(*shared))


@given(suites, policies)
def test_it_depends_on_nothing_but_the_suite(suite: Suite, policy: str) -> None:
    assert ordered(suite, policy) == ordered(suite, policy)


def names(found: Suite, policy: str) -> list[str]:
    return [found.candidates[at].test.id.partition("::")[2] for at in ordered(found, policy)]


def test_failed_first() -> None:
    found = suite({"a.py::ok": known(), "a.py::bad": known(verdicts="fp"), "b.py::shaky": known(verdicts="yp")})
    assert names(found, "failed-first") == ["bad", "shaky", "ok"]


def test_a_test_that_failed_takes_those_along_that_share_its_fixtures() -> None:
    tests = {name: known(verdicts="f" if name == "b.py::3" else "p") for name in ("a.py::1", "b.py::2", "b.py::3")}
    shares = {"b.py::2": (("module", "b.py"),), "b.py::3": (("module", "b.py"),)}
    assert names(suite(tests, shares), "failed-first") == ["2", "3", "1"]


def test_slowest_first_counts_a_group_as_one() -> None:
    tests = {"a.py::1": known(50), "b.py::2": known(30), "b.py::3": known(40)}
    shares = {"b.py::2": (("module", "b.py"),), "b.py::3": (("module", "b.py"),)}
    assert names(suite(tests), "slowest-first") == ["1", "3", "2"]
    assert names(suite(tests, shares), "slowest-first") == ["2", "3", "1"]


def test_likely_to_fail_is_chance_by_time() -> None:
    tests = {
        "slow.py::ok": known(5000),
        "slow.py::failed": known(100, "fpp"),
        "a.py::quick": known(1),
        "b.py::changed": known(20, code="then"),
        "c.py::new": None,
    }
    assert names(suite(tests), "likely-to-fail") == ["changed", "quick", "new", "failed", "ok"]


def test_files_take_turns_where_nothing_else_tells_tests_apart() -> None:
    tests = {f"{file}.py::{number}": known(verdicts="") for file in "ab" for number in range(3)}
    files = [suite(tests).candidates[at].test.file for at in ordered(suite(tests), "likely-to-fail")]
    assert files == ["a.py", "b.py"] * 3


def test_a_variant_stays_together_and_is_sorted_inside() -> None:
    variants = ["x", "y", "x", "y", ""]
    tests = [Collected(str(at), "a.py", (), (name,) if name else ()) for at, name in enumerate(variants)]
    ranks = [3.0, 1.0, 2.0, 4.0, 2.5]
    assert arrange(tests, lambda members: min(ranks[at] for at in members)) == [1, 3, 2, 0, 4]


def test_equal_ranks_keep_their_order() -> None:
    tests = [Collected(str(at), "a.py", shares) for at, shares in enumerate([(), ("g",), (), ("g",)])]
    assert arrange(tests, lambda _members: 0.0) == [0, 1, 3, 2]
