"""Whether a failure is new, and why: pages, agents and alerts are told the same, in the same words."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.alerting.judges import Judges
from semantest_recorder.answers.run_causes import causes_of_run
from semantest_recorder.answers.standings import standings
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.analysis.standing import NEVER_JUDGED
from semantest_recorder.reports.agent.standing_words import standing_words
from semantest_recorder.store.analysis_runs import RunPlace
from tests.recorder.cli.recording import START
from tests.recorder.cli.suite_runs import APART_MS, FAILED, PASSED, Ran, record_run, run_id

WAS_GOOD, IS_ADDED, WAS_BAD = "a.py::was_good", "b.py::is_added", "c.py::was_bad"


def test_one_function_says_what_is_new_and_why(tmp_path: Path) -> None:
    database = tmp_path / "semantest.db"
    record_run(tmp_path, 1, {WAS_GOOD: PASSED, WAS_BAD: FAILED})
    record_run(tmp_path, 2, {WAS_GOOD: FAILED, IS_ADDED: FAILED}, branch="another")
    errors = {test: Ran("failed", message=f"AssertionError: of {test}") for test in (WAS_GOOD, IS_ADDED, WAS_BAD)}
    record_run(tmp_path, 3, errors)
    why = {WAS_GOOD: f"it was good in run {run_id(1)}", IS_ADDED: NEVER_JUDGED}

    with stored_history(database) as history:
        told = causes_of_run(history, run_id(3)).told
    assert {one.test.id: one.standing.newness(lambda run: f"run {run.run_id}") for one in told if one.is_new} == why

    known = standings(database, run_id(3), RunPlace(None, "main", None), list(errors))
    words = {test: standing_words(one) for test, one in known.items()}
    assert words[IS_ADDED] == f"new: {why[IS_ADDED]}"
    assert words[WAS_GOOD].startswith(f"new: {why[WAS_GOOD]} (commit ")
    assert not words[WAS_BAD].startswith("new")

    rule = Rule(name="news", kind="new-failure", channels=("log",), branches=("main",))
    ((looked,), _runs) = Judges(database, [rule]).of_runs(START + 4 * APART_MS)
    assert {one.test_id: one.summary for one in looked.sightings} == {
        test: f"AssertionError: of {test}; {because}" for test, because in why.items()
    }
