"""Earlier names of tests: found by the recorder when a run has closed, said by users."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.store.comparison import differences
from semantest_recorder.store.identity import read_aliases, read_identity
from semantest_recorder.store.replay import rebuild
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import START, Recording
from tests.recorder.cli.suite_runs import PASSED, Ran, record_run, run_id

OLD, NEW, OTHER = "tests/a.py::test_old", "tests/a.py::test_new", "tests/a.py::test_other"
ONE, TWO = Ran(code="1-a"), Ran(code="2-a")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two runs, between which a test was renamed."""
    record_run(tmp_path, 1, {OLD: ONE, OTHER: TWO})
    record_run(tmp_path, 2, {NEW: ONE, OTHER: TWO})
    return tmp_path


def aliases(folder: Path) -> list[tuple[str, str, str]]:
    return [(alias.old, alias.new, alias.state) for alias in read_aliases(folder / "semantest.db")]


def test_a_rename_is_found_when_the_run_has_closed(folder: Path) -> None:
    (alias,) = read_aliases(folder / "semantest.db")
    assert (alias.old, alias.new, alias.state) == (OLD, NEW, "detected")
    assert (alias.evidence, alias.confidence, alias.run) == ("same code", 0.95, run_id(2))
    assert read_identity(folder / "semantest.db").current(OLD) == NEW


def test_a_rebuild_has_the_same_aliases(folder: Path) -> None:
    semantest("alias", "add", "tests/a.py::test_old", OTHER, "--directory", folder)
    rebuild(folder / "semantest.db", folder / "again.db")
    assert len(aliases(folder)) == 2
    assert differences(folder / "semantest.db", folder / "again.db") == []


def test_a_run_that_has_both_names_takes_the_alias_back(folder: Path) -> None:
    record_run(folder, 3, {NEW: ONE, OLD: ONE, OTHER: TWO})
    assert aliases(folder) == []


@pytest.mark.parametrize(
    "second",
    [
        {"args": ["tests/a.py"]},
        {"branch": "feature"},
        {"deselected": 3},
        {"args": ["--lf", "tests"]},
        {"not_run": ["tests/a.py::test_more"]},
        {"end": False},
    ],
)
def test_runs_that_chose_otherwise_are_not_compared(tmp_path: Path, second: Mapping[str, Any]) -> None:
    record_run(tmp_path, 1, {OLD: ONE, OTHER: TWO})
    record_run(tmp_path, 2, {NEW: ONE, OTHER: TWO}, **second)
    assert aliases(tmp_path) == []


def test_names_that_an_earlier_run_had_both_are_two_tests(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {OLD: ONE, NEW: ONE, OTHER: TWO}, branch="feature")
    record_run(tmp_path, 2, {OLD: ONE, OTHER: TWO})
    record_run(tmp_path, 3, {NEW: ONE, OTHER: TWO})
    assert aliases(tmp_path) == []


def test_a_rename_that_comes_from_another_branch_is_found(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {NEW: ONE, OTHER: TWO}, branch="feature")
    record_run(tmp_path, 2, {OLD: ONE, OTHER: TWO})
    record_run(tmp_path, 3, {NEW: ONE, OTHER: TWO})
    assert aliases(tmp_path) == [(OLD, NEW, "detected")]


def test_a_pull_request_from_a_branch_called_main_renames_nothing_in_main(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {OLD: ONE, OTHER: TWO})
    record_run(tmp_path, 2, {NEW: ONE, OTHER: TWO}, pull_request="7")
    record_run(tmp_path, 3, {OLD: ONE, OTHER: TWO})
    assert aliases(tmp_path) == []


def test_a_branch_that_becomes_known_behind_the_end_is_known(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {OLD: ONE, OTHER: TWO})
    late = Recording(run_id(2), start_ms=START + 7_200_000)
    late.start()
    late.plan(NEW, OTHER)
    for test_id, code in ((NEW, "1-a"), (OTHER, "2-a")):
        late.begin(test_id, fingerprint=code)
        late.add("main", "test/end", {"testId": test_id, "status": "passed", "outcome": "passed", "duration": 1.0})
    late.end()
    late.store(tmp_path)
    assert aliases(tmp_path) == []
    facts = {"runId": late.run_id, "session": late.session, "source": f"{late.session}.shipper", "worker": "shipper"}
    told = Recording(late.session, start_ms=late.now)
    told.add("shipper", "shipper/start", facts)
    told.add("shipper", "run/context", {"git": {"branch": "main", "commit": "1"}})
    told.store(tmp_path)
    assert aliases(tmp_path) == [(OLD, NEW, "detected")]


def test_a_user_removes_one_and_adds_it_again(folder: Path) -> None:
    said = semantest("alias", "remove", OLD, NEW, "--directory", folder)
    assert (said.code, said.out) == (0, f"{OLD} and {NEW} are two tests.\n")
    assert read_identity(folder / "semantest.db").ids_of(NEW) == [NEW]
    record_run(folder, 3, {OLD: ONE, OTHER: TWO})
    record_run(folder, 4, {NEW: ONE, OTHER: TWO})
    assert (OLD, NEW, "removed") in aliases(folder)
    assert semantest("alias", "add", OLD, NEW, "--directory", folder).code == 0
    assert (OLD, NEW, "added") in aliases(folder)


def test_the_list_says_why(folder: Path) -> None:
    said = semantest("alias", "list", "--directory", folder)
    assert said.out.splitlines() == [
        f"{OLD} -> {NEW}",
        f"  detected: same code (95% sure), in run {run_id(2)}, 2026-11-21 11:30:00 UTC",
    ]
    (one,) = semantest("alias", "list", "--directory", folder, "--json").json["aliases"]
    assert (one["old"], one["new"], one["state"], one["confidence"]) == (OLD, NEW, "detected", 0.95)
    record_run(folder, 3, {NEW: PASSED, OLD: PASSED})
    assert semantest("alias", "list", "--directory", folder).out == "No aliases.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (
            ("add", "tests/a.py::test_odl", NEW),
            3,
            f"no test, function, class or file 'tests/a.py::test_odl': did you mean {OLD}?",
        ),
        (("add", NEW, NEW), 2, "name two different tests"),
        (("add", "tests/a.py", NEW), 2, "name two different tests"),
        (("remove", NEW, OLD), 3, f"there is no alias {NEW} -> {OLD}: did you mean {OLD} {NEW}?"),
    ],
)
def test_wrong_names_are_told_the_nearest(folder: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    said = semantest("alias", *arguments, "--directory", folder)
    assert said.code == code
    assert told in said.err
