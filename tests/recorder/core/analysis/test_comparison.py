"""What changed for each test between two runs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.core.analysis.comparison import BROKEN, Comparison, TestInRun, compare
from semantest_recorder.core.analysis.identity import Alias, Identity

LISTS = ("newly_failing", "still_failing", "fixed", "newly_flaky", "newly_skipped", "other")


def ran(states: Mapping[str, str]) -> dict[str, TestInRun]:
    return {test_id: TestInRun(test_id, state, 1.0) for test_id, state in states.items()}


def compared(before: Mapping[str, str], after: Mapping[str, str], *, why: str = "", before_why: str = "") -> Comparison:
    return compare(ran(before), ran(after), Identity(), (lambda _id: before_why, lambda _id: why))


@pytest.mark.parametrize(
    ("was", "now", "where"),
    [
        ("passed", "failed", "newly_failing"),
        ("skipped", "error", "newly_failing"),
        ("flaky", "crashed", "newly_failing"),
        ("xfailed", "timeout", "newly_failing"),
        ("not_run", "lost", "newly_failing"),
        ("failed", "error", "still_failing"),
        ("failed", "passed", "fixed"),
        ("lost", "xfailed", "fixed"),
        ("failed", "flaky", "newly_flaky"),
        ("passed", "flaky", "newly_flaky"),
        ("failed", "skipped", "newly_skipped"),
        ("passed", "skipped", "newly_skipped"),
        ("flaky", "passed", "other"),
        ("passed", "xfailed", "other"),
        ("passed", "not_run", "not_run"),
        ("failed", "interrupted", "not_run"),
    ],
)
def test_a_test_in_both_runs(was: str, now: str, where: str) -> None:
    found = compared({"a.py::t": was}, {"a.py::t": now})
    (change,) = getattr(found, where)
    assert (change.test_id, change.before, change.after) == ("a.py::t", was, now)
    assert found.same == 0


def test_a_test_in_one_run_is_new_or_gone_or_was_not_asked_for() -> None:
    found = compared({"a.py::old": "passed"}, {"b.py::other": "failed"})
    assert [change.test_id for change in found.added] == ["b.py::other"]
    assert [change.test_id for change in found.newly_failing] == ["b.py::other"]
    assert [change.test_id for change in found.removed] == ["a.py::old"]
    found = compared({"a.py::old": "passed"}, {"b.py::other": "passed"}, why="-k", before_why="--lf")
    assert [(change.test_id, change.why) for change in found.not_run] == [("a.py::old", "-k")]
    assert [(change.test_id, change.why) for change in found.not_run_before] == [("b.py::other", "--lf")]
    assert not found.added
    assert not found.removed


def test_a_renamed_test_is_compared_with_itself() -> None:
    before = {"a.py::old[1]": TestInRun("a.py::old[1]", "passed", 1.0, "1-a")}
    after = {"b.py::new[1]": TestInRun("b.py::new[1]", "failed", 1.0, "1-a")}
    found = compare(before, after, Identity(), (lambda _id: "", lambda _id: ""))
    assert [(change.test_id, change.old_id) for change in found.newly_failing] == [("b.py::new[1]", "a.py::old[1]")]
    assert [(rename.old, rename.new) for rename in found.renamed] == [("a.py::old", "b.py::new")]
    assert not found.added
    assert not found.removed


def test_an_alias_counts_whatever_the_runs_chose() -> None:
    identity = Identity([Alias("a.py::old", "a.py::quite_another", "added", 1.0)])
    runs = ran({"a.py::old": "failed"}), ran({"a.py::quite_another": "failed"})
    found = compare(*runs, identity, (lambda _id: "-k", lambda _id: "-k"))
    assert [change.old_id for change in found.still_failing] == ["a.py::old"]
    assert not found.not_run


def test_a_broken_test_that_was_not_run_is_compared_with_its_last_verdict() -> None:
    asked: list[list[str]] = []

    def verdicts(test_ids: list[str]) -> dict[str, str]:
        asked.append(test_ids)
        return {"a.py::long": "failed", "a.py::since": "passed"}

    before = ran({"a.py::long": "not_run", "a.py::fine": "not_run"})
    after = ran({"a.py::long": "failed", "a.py::since": "failed", "a.py::fine": "passed"})
    found = compare(before, after, Identity(), (lambda _id: "-k", lambda _id: ""), verdicts)
    assert asked == [["a.py::long", "a.py::since"]]
    assert [change.test_id for change in found.still_failing] == ["a.py::long"]
    assert [change.test_id for change in found.newly_failing] == ["a.py::since"]


_RUNS = st.dictionaries(
    st.builds("{}.py::test_{}".format, st.sampled_from("ab"), st.sampled_from("stuvw")),
    st.sampled_from(FINAL_STATES),
    max_size=8,
)


@settings(deadline=None)
@given(_RUNS, _RUNS, st.booleans())
def test_every_test_is_accounted_for_once(before: Mapping[str, str], after: Mapping[str, str], partial: bool) -> None:
    found = compared(before, after, why="-k" if partial else "", before_why="-k" if partial else "")
    listed = [change.test_id for name in LISTS for change in getattr(found, name)]
    assert len(set(listed)) == len(listed)
    broken = {test_id for test_id, state in after.items() if state in BROKEN}
    assert {change.test_id for change in found.newly_failing + found.still_failing} == broken
    gone = {change.test_id for change in found.removed + found.not_run if change.after is None}
    assert gone | set(found.pairs.values()) == before.keys()
    assert not gone & set(found.pairs.values())
    new = {change.test_id for change in found.added + found.not_run_before}
    assert new == after.keys() - found.pairs.keys()


@settings(deadline=None)
@given(_RUNS)
def test_a_run_has_not_changed_against_itself(run: Mapping[str, str]) -> None:
    found = compared(run, run)
    assert not any(getattr(found, name) for name in LISTS if name != "still_failing")
    assert not found.added
    assert not found.removed
    assert not found.renamed
