"""Tests that were renamed since the snapshot was made."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given

from pytest_semantest.selection.candidate import Collected, with_history
from pytest_semantest.selection.choice import choose
from pytest_semantest.selection.renamed import case_of, renamed_since, under_new_names
from pytest_semantest.selection.request import Request
from pytest_semantest.selection.shard import Shard
from pytest_semantest.selection.snapshot import Known
from tests.choices import Choices, choices
from tests.selection.suites import known, snapshot


def collected(tests: Mapping[str, str]) -> list[Collected]:
    """Tests by id with their fingerprints."""
    return [Collected(name, name.partition("::")[0], (), (), code) for name, code in tests.items()]


def renamed(now: Mapping[str, str], then: Mapping[str, Known], left: tuple[str, ...] = ()) -> dict[str, str]:
    return renamed_since(collected(now), then, lambda test_id: test_id not in left)


def test_a_renamed_and_a_moved_test() -> None:
    then = {"a.py::old": known(code="x"), "a.py::here": known(code="y"), "b.py::T::t[1]": known(code="z")}
    now = {"a.py::new": "x", "a.py::here": "y", "c.py::t[1]": "z", "c.py::t[2]": "z", "c.py::other": "w"}
    assert renamed(now, then) == {"a.py::new": "a.py::old", "c.py::t[1]": "b.py::T::t[1]"}


def test_what_is_ambiguous_is_not_guessed() -> None:
    both = {"a.py::old": known(code="x"), "a.py::same": known(code="x")}
    assert renamed({"a.py::new": "x"}, both) == {}
    assert renamed({"a.py::new": "x", "a.py::newer": "x"}, {"a.py::old": known(code="x")}) == {}
    assert renamed({"a.py::copy": "x", "a.py::same": "x"}, both) == {}, "one that is still there has it, too"
    assert renamed({"a.py::new": ""}, {"a.py::old": known(code="")}) == {}
    assert renamed({"a.py::new": ""}, {"a.py::old": known(code=None)}) == {}


def test_one_that_was_not_asked_for_is_no_other() -> None:
    then = {"a.py::old": known(code="x")}
    assert renamed({"b.py::new": "x"}, then, left=("a.py::old",)) == {}


def test_one_that_was_collected_is_there_though_its_code_is_now_that_of_another() -> None:
    assert renamed({"a.py::new": "x", "a.py::kept": "y"}, {"a.py::kept": known(code="x")}) == {}


def test_a_renamed_test_is_not_new() -> None:
    then = snapshot({"a.py::old": known(70.0, "fp", code="x")})
    found = under_new_names(then, {"a.py::new": "a.py::old"})
    (candidate,) = with_history(collected({"a.py::new": "x"}), found).candidates
    assert not candidate.is_new
    assert candidate.failed_last
    assert found.checksum == then.checksum


def test_shards_do_not_depend_on_it() -> None:
    """Which tests were found to be renamed depends on options that another shard may not have."""
    tests = collected({"a.py::new": "x", "b.py::1": "y", "c.py::2": "z"})
    then = snapshot({"a.py::old": known(9000.0, code="x"), "b.py::1": known(1.0), "c.py::2": known(1.0)})

    def of(number: int, names: dict[str, str]) -> list[int]:
        return choose(tests, Request(shard=Shard(number, 2)), then, 1, renamed=names).of_other_shards

    assert [of(number, {"a.py::new": "a.py::old"}) for number in (1, 2)] == [of(number, {}) for number in (1, 2)]


def _histories(choose: Choices) -> tuple[dict[str, str], dict[str, Known]]:
    names = [f"{file}.py::t{number}{case}" for file in "ab" for number in range(3) for case in ("", "[1]")]
    now = {name: choose.of("xyz ").strip() for name in names if choose.yes(50)}
    return now, {name: known(code=choose.of((None, "x", "y", "z"))) for name in names if choose.yes(50)}


@given(choices(60).map(_histories))
def test_no_known_test_stands_for_two_and_none_for_one_that_is_there(
    history: tuple[dict[str, str], dict[str, Known]],
) -> None:
    now, then = history
    found = renamed(now, then)
    assert len(set(found.values())) == len(found)
    for new, old in found.items():
        assert (new in now, new in then) == (True, False)
        assert (old in then, old in now) == (True, False)
        assert case_of(new, now[new]) == case_of(old, then[old].fingerprint or "")


def test_a_test_that_passed_under_another_name_is_not_repeated() -> None:
    now = collected({"a.py::new": "x", "a.py::first": "y"})
    then = snapshot({"a.py::old": known(code="x")})
    asked = Request(times=3)
    assert choose(now, asked, then, 1).repeated == [0, 1]
    assert choose(now, asked, then, 1, renamed={"a.py::new": "a.py::old"}).repeated == [1]
