"""The oracle of the campaign finds what is lost, doubled or wrong, and forgives only what the campaign did."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.chaos import plan
from tests.chaos.oracle import Deaths, Place, StoredRun, judge, judge_proofs, read_notes, read_proofs

HERE = Place("r", "a.py::t", 7)
ENDED = read_notes(["start r a.py::t 7 -", "end r a.py::t 7 passed"])
CUT = read_notes(["start r a.py::t 7 -"])
GREEN, BROKEN, GAPS = StoredRun("passed", False), StoredRun("interrupted", False), StoredRun("failed", True)


def kinds(
    noted: dict[Place, list[str | None]], stored: list[str | None], run: StoredRun, code: int, deaths: Deaths
) -> list[str]:
    verdict = judge(noted, {HERE: stored} if stored else {}, {"r": run}, {"r": code}, deaths)
    return [problem.kind for problem in verdict.problems]


@pytest.mark.parametrize(
    ("stored", "found"),
    [(["passed"], []), ([], ["lost"]), (["passed", "passed"], ["doubled"]), (["failed"], ["wrong"])],
)
def test_an_attempt_is_stored_once_as_it_was(stored: list[str | None], found: list[str]) -> None:
    assert kinds(ENDED, stored, GREEN, 0, Deaths()) == found


def test_only_a_process_that_was_ended_leaves_attempts_open() -> None:
    assert kinds(CUT, ["crashed"], BROKEN, -9, Deaths(pids={7}, runs={"r"})) == []
    assert kinds(CUT, ["crashed"], BROKEN, 1, Deaths()) == ["wrong"]
    assert kinds({}, ["crashed"], BROKEN, -9, Deaths(pids={7}, runs={"r"})) == []
    assert kinds({}, ["passed"], BROKEN, -9, Deaths(pids={7}, runs={"r"})) == ["doubled"]


def test_only_a_full_disk_loses_and_the_run_says_so() -> None:
    assert kinds(ENDED, [], GAPS, 1, Deaths(full={"r"})) == []
    assert kinds(ENDED, [], GREEN, 0, Deaths(full={"r"})) == ["lost"]
    assert kinds(ENDED, [], GAPS, 1, Deaths()) == ["lost"]


def test_a_run_that_failed_is_not_green_and_the_other_way_round() -> None:
    assert kinds(ENDED, ["passed"], GREEN, 1, Deaths()) == ["wrong"]
    assert kinds(ENDED, ["passed"], BROKEN, 0, Deaths()) == ["wrong"]
    assert kinds(ENDED, ["passed"], StoredRun("running", False), 1, Deaths()) == ["wrong"]


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (["failed"], []),
        (["passed"], []),
        (["crashed"], []),
        (["skipped"], ["wrong"]),
        (["passed", "failed"], ["wrong"] * 2),
    ],
)
def test_of_several_attempts_a_full_disk_may_lose_any_but_changes_none(
    stored: list[str | None], found: list[str]
) -> None:
    twice = [f"{word} r a.py::t 7 {said}" for said in ("failed", "passed") for word in ("start", "end")]
    assert kinds(read_notes(twice), stored, GAPS, 1, Deaths(full={"r"})) == found


def test_a_run_whose_name_went_with_a_full_disk_is_no_second_one() -> None:
    stored, runs = {Place("20261121", "a.py::t", 0): ["passed"]}, {"20261121": GAPS}
    for deaths, expected in ((Deaths(full={"r"}), []), (Deaths(), ["lost", "lost", "doubled"])):
        verdict = judge(ENDED, stored, runs, {"r": 1}, deaths)
        assert sorted(problem.kind for problem in verdict.problems) == sorted(expected)


SHOWN = ["start r a.py::t 7 -", "proof r a.py::t 7 f00"]


@pytest.mark.parametrize(
    ("said", "attached", "deaths", "found"),
    [
        (1, 1, Deaths(), []),
        (0, 1, Deaths(), ["lost"]),
        (1, 0, Deaths(), ["lost"]),
        (2, 1, Deaths(), ["doubled"]),
        (0, 1, Deaths(pids={7}), []),
        (0, 0, Deaths(pids={7}), ["lost"]),
        (0, 0, Deaths(full={"r"}), []),
    ],
)
def test_what_was_printed_and_attached_is_stored_once(
    said: int, attached: int, deaths: Deaths, found: list[str]
) -> None:
    proofs = read_proofs([*SHOWN, "end r a.py::t 7 failed"])
    problems = judge_proofs(proofs, {"f00": said}, {"f00": attached}, (), {"r": GAPS}, deaths)
    assert [problem.kind for problem in problems] == found


def test_an_attachment_is_there_before_its_test_ends_and_its_output_is_not() -> None:
    problems = judge_proofs(read_proofs(SHOWN), {}, {}, (), {"r": BROKEN}, Deaths())
    assert [problem.text for problem in problems] == ["what it attached is not stored"]


def test_an_attachment_that_a_full_disk_omitted_is_told() -> None:
    ended, quiet = read_proofs([*SHOWN, "end r a.py::t 7 failed"]), {"r": BROKEN}
    for deaths, number in ((Deaths(full={"r"}), 0), (Deaths(), 1)):
        problems = judge_proofs(ended, {"f00": 1}, {}, {("r", "a.py::t")}, quiet, deaths)
        assert len(problems) == number


def test_a_seed_gives_the_same_faults_again() -> None:
    possible = list(plan.WEIGHTS)
    first = list(islice(plan.steps(3, possible), 200))
    assert first == list(islice(plan.steps(3, possible), 200))
    assert {step.fault for step in first} == set(possible)
    without = [step for step in first if step.fault != "fill disk"]
    assert without == list(islice(plan.steps(3, [name for name in possible if name != "fill disk"]), len(without)))
