"""A fork calls its branch as ours is called: what a pull request's runs say is no history of our branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.suite_runs import FAILED, PASSED, record_run, run_id

T = "test_till.py::test_total"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Main is green; a fork's `main` fails in its pull request, before and after the last run of ours."""
    folder = tmp_path_factory.mktemp("ours") / ".semantest"
    record_run(folder, 1, {T: PASSED})
    record_run(folder, 2, {T: FAILED}, pull_request="7")
    record_run(folder, 3, {T: PASSED})
    record_run(folder, 4, {T: FAILED}, pull_request="7")
    return folder


@pytest.mark.parametrize("command", ["flaky", "slowest", "trends"])
def test_analyses_of_a_branch_look_at_its_own_runs(folder: Path, command: str) -> None:
    found = semantest(command, "--branch", "main", "--directory", folder, "--json").json
    assert (found["window"]["runs"], found["window"]["last"]["run"]) == (2, run_id(3))
    assert semantest(command, "--directory", folder, "--json").json["window"]["runs"] == 4


def test_what_was_new_is_told_of_its_own_runs(folder: Path) -> None:
    points = semantest("trends", "--branch", "main", "--directory", folder, "--json").json["points"]
    assert [(point["name"], point["added"]) for point in points] == [(run_id(1), None), (run_id(3), 0)]


def test_failures_of_a_branch_are_its_own(folder: Path) -> None:
    assert (
        semantest("failures", "--runs", "9", "--branch", "main", "--directory", folder, "--json").json["clusters"] == []
    )


def test_the_history_of_a_test_on_a_branch_is_its_own(folder: Path) -> None:
    found = semantest("history", T, "--branch", "main", "--directory", folder, "--json").json
    assert [run["run"] for run in found["runs"]] == [run_id(3), run_id(1)]
    assert found["brokenSince"] is None


def test_a_fork_is_no_cause_on_our_branch_and_ours_is_what_a_fork_is_compared_with(folder: Path) -> None:
    assert semantest("blame", T, "--branch", "main", "--directory", folder, "--json").json["verdict"] == "never broken"
    of_the_fork = semantest("blame", T, "--directory", folder, "--json").json
    assert of_the_fork["lastGood"]["run"] == run_id(3)
    assert of_the_fork["firstBad"]["run"] == run_id(4)


def test_a_run_of_ours_behind_a_forks_is_not_compared_with_it(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    record_run(folder, 1, {T: PASSED})
    record_run(folder, 2, {T: FAILED}, pull_request="7")
    record_run(folder, 3, {T: FAILED})
    found = semantest("blame", T, "--directory", folder, "--json").json
    assert (found["lastGood"]["run"], found["firstBad"]["run"], found["badRuns"]) == (run_id(1), run_id(3), 1)


def test_a_branch_of_pull_requests_only_is_that_of_the_last_one(tmp_path: Path) -> None:
    """Many call theirs `patch-1`."""
    folder = tmp_path / ".semantest"
    record_run(folder, 1, {T: FAILED}, branch="patch-1", pull_request="7")
    record_run(folder, 2, {T: PASSED}, branch="patch-1", pull_request="8")
    record_run(folder, 3, {T: PASSED}, branch="patch-1", pull_request="8")
    found = semantest("history", T, "--branch", "patch-1", "--directory", folder, "--json").json
    assert [run["run"] for run in found["runs"]] == [run_id(3), run_id(2)]


def test_a_verdict_counts_not_a_skip_on_another_branch(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    record_run(folder, 1, {T: PASSED})
    record_run(folder, 2, {T: FAILED})
    record_run(folder, 3, {T: PASSED}, branch="feature")
    record_run(folder, 4, {T: FAILED})
    record_run(folder, 5, {T: PASSED._replace(outcome="skipped")}, branch="feature")
    assert semantest("history", T, "--directory", folder, "--json").json["brokenSince"] == run_id(2)
    found = semantest("blame", T, "--directory", folder, "--json").json
    assert (found["branch"], found["firstBad"]["run"]) == ("main", run_id(2))
