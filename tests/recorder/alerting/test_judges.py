"""What rules say of recorded runs: facts and judgement together, in a real database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.alerting import judges
from semantest_recorder.alerting.judges import Judges
from semantest_recorder.core.alerts.settings import AlertSettings, Rule
from semantest_recorder.core.analysis.standing import NEVER_JUDGED
from semantest_recorder.store.alerts import begin, note_judged, tell
from semantest_recorder.store.aliases import say_alias
from semantest_recorder.store.ingest import Ingest
from tests.recorder.cli.recording import START, Recording
from tests.recorder.cli.suite_runs import APART_MS, FAILED, FLAKY, PASSED, SKIPPED, Ran, record_run, run_id

T, U = "a.py::t", "a.py::u"
ERROR = "AssertionError: assert 1 == 2"


def record_empty_run(folder: Path, number: int) -> None:
    run = Recording(run_id(number), start_ms=START + number * APART_MS)
    run.start()
    run.add("main", "run/plan", {"tests": [], "offset": 0, "total": 0, "deselected": 2})
    run.add("main", "run/context", {"git": {"branch": "main", "commit": f"{number:040x}"}})
    run.end(5)
    run.store(folder)


def rule(kind: str, **more: Any) -> Rule:
    return Rule(name="r", kind=kind, channels=("log",), **more)


def see(folder: Path, one: Rule, number: int, *, store: bool = False) -> dict[str, tuple[bool, str]]:
    """What a rule sees in all that is new an hour behind run ``number``, by subject."""
    database, now_ms = folder / "semantest.db", START + (number + 1) * APART_MS
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        begin(connection, AlertSettings(rules=(one,)), START)
        looked, found = Judges(database, [one]).of_runs(now_ms)
        if store:
            tell(connection, looked, "", now_ms)
            note_judged(connection, found.runs, now_ms)
    return {seen.subject: (seen.firing, seen.summary) for entry in looked for seen in entry.sightings}


def look(folder: Path, one: Rule, number: int) -> dict[str, tuple[bool, str]]:
    """The same, stored as told."""
    return see(folder, one, number, store=True)


def test_a_new_failure_is_one_of_its_branch(tmp_path: Path) -> None:
    news = rule("new-failure")
    record_run(tmp_path, 1, {T: PASSED, U: PASSED})
    record_run(tmp_path, 2, {T: FAILED, U: PASSED}, branch="dev")
    assert look(tmp_path, news, 2) == {}, "there is nothing to compare with"
    record_run(tmp_path, 3, {T: Ran("failed", message="AssertionError: no\nway"), U: PASSED})
    why = f"AssertionError: no; it was good in run {run_id(1)}"
    assert look(tmp_path, news, 3) == {f"{T} on main": (True, why)}
    record_run(tmp_path, 4, {T: FAILED, U: PASSED}, branch="dev")
    assert look(tmp_path, news, 4) == {}, "there it failed before"
    record_run(tmp_path, 5, {T: Ran("failed", message="AssertionError: never"), U: PASSED})
    still = "AssertionError: never; it still fails"
    assert look(tmp_path, news, 5) == {f"{T} on main": (True, still)}, "of that it is told what it is now"
    record_run(tmp_path, 6, {T: FLAKY, U: PASSED})
    assert look(tmp_path, news, 6) == {f"{T} on main": (False, "it passed again on a retry")}
    assert look(tmp_path, news, 6) == {}, "it was judged"


def test_a_new_failure_may_be_one_against_another_branch(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: PASSED, U: PASSED})
    record_run(tmp_path, 2, {T: FAILED, U: PASSED}, branch="dev")
    assert set(look(tmp_path, rule("new-failure", base="main"), 2)) == {f"{T} on dev"}
    record_run(tmp_path, 3, {T: FAILED, U: PASSED}, branch="dev")
    assert look(tmp_path, rule("new-failure", base="trunk"), 3) == {f"{T} on dev": (True, f"{ERROR}; it still fails")}


def test_a_run_of_no_test_says_nothing_and_is_no_base(tmp_path: Path) -> None:
    """``pytest -k nothing`` ends with exit code 5."""
    news, red = rule("new-failure"), rule("run-failed")
    record_run(tmp_path, 1, {T: PASSED, U: FAILED})
    record_empty_run(tmp_path, 2)
    assert look(tmp_path, red, 2) == {"main": (True, "1 of 2 tests failed")}, "of run 1"
    assert look(tmp_path, news, 2) == {}
    record_run(tmp_path, 3, {T: FAILED, U: FAILED})
    assert look(tmp_path, news, 3) == {f"{T} on main": (True, f"{ERROR}; it was good in run {run_id(1)}")}
    record_empty_run(tmp_path, 4)
    assert look(tmp_path, news, 4) == {}
    assert see(tmp_path, red, 4) == {}


def test_a_file_that_could_not_be_collected_is_well_again_when_tests_of_it_run(tmp_path: Path) -> None:
    news = rule("new-failure")
    record_run(tmp_path, 1, {T: PASSED, "b.py::t": PASSED})
    record_run(tmp_path, 2, {"b": FAILED, "b.py": FAILED, "sub": FAILED}, not_run=[T])
    assert {one for one, (firing, _why) in look(tmp_path, news, 2).items() if firing} == {
        "b on main",
        "b.py on main",
        "sub on main",
    }
    record_run(tmp_path, 3, {T: PASSED}, args=["a.py"])
    assert look(tmp_path, news, 3) == {}
    record_run(tmp_path, 4, {T: PASSED, "b.py::t": FAILED, "sub/c.py::t": PASSED})
    seen = look(tmp_path, news, 4)
    assert seen["b.py on main"] == seen["sub on main"] == (False, "tests of it are collected again")
    assert seen["b on main"] == (False, "it is not there any more")


def test_a_test_that_was_deleted_is_over_with_the_first_run_of_all_that_has_it_no_more(tmp_path: Path) -> None:
    news = rule("new-failure")
    record_run(tmp_path, 1, {T: PASSED, U: PASSED})
    record_run(tmp_path, 2, {T: FAILED, U: PASSED})
    assert look(tmp_path, news, 2)[f"{T} on main"][0]
    record_run(tmp_path, 3, {U: PASSED}, args=["a.py::u"])
    record_run(tmp_path, 4, {U: PASSED}, deselected=1)
    record_run(tmp_path, 5, {U: PASSED}, labels={"os": "windows"})
    record_run(tmp_path, 6, {U: PASSED}, branch="dev")
    record_run(tmp_path, 7, {U: PASSED}, not_run=["a.py::v"])
    record_run(tmp_path, 8, {"a.py": FAILED._replace(outcome="error"), "b.py::t": PASSED})
    record_run(tmp_path, 9, {U: PASSED}, end=False)
    assert f"{T} on main" not in look(tmp_path, news, 9)
    record_run(tmp_path, 10, {U: PASSED})
    assert look(tmp_path, news, 10)[f"{T} on main"] == (False, "it is not there any more")
    record_run(tmp_path, 11, {U: PASSED})
    assert f"{T} on main" not in look(tmp_path, news, 11), "once is enough"


def test_a_test_that_has_a_new_name_is_over_when_it_passes_under_that(tmp_path: Path) -> None:
    news = rule("new-failure")
    record_run(tmp_path, 1, {T: PASSED, U: PASSED})
    record_run(tmp_path, 2, {T: FAILED, U: PASSED})
    assert look(tmp_path, news, 2)[f"{T} on main"][0]
    with closing(sqlite3.connect(tmp_path / "semantest.db", isolation_level=None)) as connection:
        say_alias(Ingest(connection), T, "a.py::later", "added", START)
    record_run(tmp_path, 3, {"a.py::later": FAILED, U: PASSED})
    assert f"{T} on main" not in look(tmp_path, news, 3)
    record_run(tmp_path, 4, {"a.py::later": PASSED, U: PASSED})
    assert look(tmp_path, news, 4)[f"{T} on main"] == (False, "it passed again")


def test_a_failure_is_new_as_reports_and_pages_have_it(tmp_path: Path) -> None:
    news = rule("new-failure")
    record_run(tmp_path, 1, {T: FAILED, U: PASSED})
    record_run(tmp_path, 2, {T: SKIPPED, U: PASSED})
    record_run(tmp_path, 3, {T: FAILED, U: PASSED, "a.py::v": FAILED})
    assert see(tmp_path, news, 3) == {"a.py::v on main": (True, f"{ERROR}; {NEVER_JUDGED}")}, "T failed before"
    record_run(tmp_path, 4, {T: FAILED, U: PASSED}, commit="4" * 40)
    record_run(tmp_path, 5, {T: FAILED, U: FAILED}, commit="4" * 40)
    chance = f"{ERROR}; with the same code it passed in run {run_id(4)}"
    assert see(tmp_path, news, 5)[f"{U} on main"] == (True, chance)


def test_a_failure_in_quarantine_is_no_news(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: PASSED, U: PASSED})
    run = Recording(run_id(2), start_ms=START + 2 * APART_MS)
    run.start()
    run.plan(T, U)
    run.add("main", "run/context", {"git": {"branch": "main", "commit": "2" * 40}})
    run.begin(T, quarantine={"entry": T, "reason": "slow", "owner": "ann", "expires": "2026-12-20"})
    run.close(T, "failed", forgiven=True)
    run.test(U)
    run.end(0)
    run.store(tmp_path)
    assert look(tmp_path, rule("new-failure"), 2) == {}


def test_runs_are_judged_by_those_before_them(tmp_path: Path) -> None:
    for number in range(1, 8):
        record_run(tmp_path, number, {T: FLAKY if number > 5 else PASSED, U: PASSED})
    assert see(tmp_path, rule("flaky", rate=0.1), 7) == {T: (True, "flaky in 2 of 7 runs (29%)")}
    assert see(tmp_path, rule("flaky", rate=0.1, branches=("dev",)), 7) == {}
    assert see(tmp_path, rule("flaky", rate=0.5), 7) == {}
    (over,) = see(tmp_path, rule("budget-exceeded", max_duration_ms=1.0), 7).values()
    assert over[0]
    assert see(tmp_path, rule("run-failed"), 7) == {"main": (False, "a run passed")}
    (slower,) = see(tmp_path, rule("run-slower", at_least_ms=10_000.0), 7).values()
    assert not slower[0]


def test_a_rule_that_fails_ends_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: object) -> None:
        raise RecursionError("odd")

    record_run(tmp_path, 1, {T: FAILED})
    monkeypatch.setattr(judges, "judge_budget", odd)
    rules = [rule("budget-exceeded", max_duration_ms=1.0), rule("run-failed")]
    looked, found = Judges(tmp_path / "semantest.db", rules).of_runs(START + 2 * APART_MS)
    assert [len(entry.sightings) for entry in looked] == [0, 1]
    assert len(found.runs) == 1


def test_what_goes_on_is_judged_by_time(tmp_path: Path) -> None:
    for number in range(1, 4):
        record_run(tmp_path, number, {T: Ran(ms=20_000.0), U: PASSED})
    run = Recording(run_id(4), start_ms=START + 4 * APART_MS)
    run.start()
    run.plan(T, U)
    run.add("main", "run/context", {"git": {"branch": "main", "commit": "4" * 40}})
    run.begin(T)
    run.store(tmp_path)

    def seen(one: Rule, seconds: float) -> list[tuple[str, bool]]:
        looked = Judges(tmp_path / "semantest.db", [one]).of_time(run.now + seconds * 1000, [run.run_id])
        return [(sighting.subject, sighting.firing) for entry in looked for sighting in entry.sightings]

    hangs = rule("hanging-test", factor=3.0, at_least_ms=30_000.0, new_after_ms=600_000.0)
    assert seen(hangs, 50) == []
    assert seen(hangs, 70) == [(f"{T} in run {run.run_id}", True)]
    budget = rule("budget-exceeded", max_duration_ms=60_000.0)
    assert seen(budget, 50) == []
    assert seen(budget, 70) == [("main", True)]
    assert seen(rule("run-failed"), 70) == []
