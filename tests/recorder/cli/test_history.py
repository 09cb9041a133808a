"""``semantest history``: one test through its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.suite_runs import FAILED, FLAKY, PASSED, Ran, record_run, run_id

OLD, NEW, OTHER = "tests/a.py::test_old[1]", "tests/b.py::test_new[1]", "tests/a.py::test_other"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five runs; before the third the test was renamed, moved, and is broken since the fourth."""
    folder = tmp_path_factory.mktemp("runs")
    record_run(folder, 1, {OLD: Ran(ms=10.0, code="1-a"), OTHER: PASSED}, commit="a" * 40)
    record_run(folder, 2, {OLD: Ran("flaky", ms=20.0, code="1-a"), OTHER: PASSED})
    record_run(folder, 3, {NEW: Ran(ms=30.0, code="1-a"), OTHER: PASSED})
    record_run(folder, 4, {NEW: FAILED, OTHER: PASSED}, branch="feature")
    record_run(folder, 5, {NEW: FAILED, OTHER: PASSED})
    return folder


@pytest.mark.parametrize("name", [OLD, NEW, "test_new", "test_old", "b.py"])
def test_a_history_goes_on_over_a_rename(folder: Path, name: str) -> None:
    said = semantest("history", name, "--directory", folder)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:7] == [
        NEW,
        f"  also called {OLD}",
        "  5 runs: 2 failed, 2 passed, 1 flaky",
        "  .~.FF",
        "  F failed, . passed, ~ flaky",
        "  ▃▆█▂▂",
        "  usually takes 20 ms (median of its passes)",
    ]
    assert f"  broken since run {run_id(4)}; `semantest blame` looks for the cause" in said.out
    last = said.out.splitlines()[-1]
    assert last.split("  ")[0] == run_id(1)
    assert "main" in last
    assert "aaaaaaaaaa " in last
    assert last.endswith(f"as {OLD}")


def test_what_did_not_run_took_no_time(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {OTHER: FAILED}, not_run=(NEW,))
    record_run(tmp_path, 2, {OTHER: PASSED, NEW: PASSED})
    lines = semantest("history", NEW, "--directory", tmp_path).out.splitlines()
    assert lines[4] == "   █"
    assert lines[-1].endswith("not run")


def test_one_test_is_shown_with_the_same_history(folder: Path) -> None:
    found = semantest("show", NEW, "--directory", folder, "--json").json
    assert [run["state"] for run in found["history"]] == ["failed", "failed", "passed", "flaky", "passed"]
    by_its_old_name = semantest("show", OLD, "--directory", folder, "--json").json
    assert (by_its_old_name["test"]["id"], by_its_old_name["history"]) == (NEW, found["history"])


def test_runs_of_a_branch_and_the_last_ones(folder: Path) -> None:
    found = semantest("history", NEW, "--branch", "main", "--runs", "3", "--directory", folder, "--json").json
    assert [(run["run"], run["state"], run["test"]) for run in found["runs"]] == [
        (run_id(5), "failed", NEW),
        (run_id(3), "passed", NEW),
        (run_id(2), "flaky", OLD),
    ]
    assert (found["schema"], found["test"], found["earlierNames"]) == (1, NEW, [OLD])
    assert found["counts"] == {"failed": 1, "passed": 1, "flaky": 1}


def test_a_name_that_two_runs_have_at_once_is_two_tests(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {OTHER: FAILED, NEW: FLAKY})
    semantest("alias", "add", OTHER, NEW, "--directory", tmp_path)
    found = semantest("history", NEW, "--directory", tmp_path, "--json").json
    assert [run["state"] for run in found["runs"]] == ["flaky"]


def test_ci_knows_the_commit_without_git(tmp_path: Path) -> None:
    for number, ran in enumerate((PASSED, FAILED), 1):
        record_run(tmp_path, number, {OTHER: ran}, on_ci=True, with_git=False)
    last = f"{2:040x}"
    for command, runs in (("history", "runs"), ("show", "history")):
        newest = semantest(command, OTHER, "--directory", tmp_path, "--json").json[runs][0]
        assert (newest["branch"], newest["commit"]) == ("main", last), command
    assert semantest("blame", OTHER, "--directory", tmp_path, "--json").json["firstBad"]["commit"] == last
    assert semantest("diff", "--directory", tmp_path, "--json").json["after"]["commit"] == last


def test_a_context_of_a_wrong_shape_breaks_nothing(tmp_path: Path) -> None:
    odd: Any = {"name": 7}
    record_run(tmp_path, 1, {OTHER: PASSED}, branch=odd, commit=odd, environment={"python": [3], "packages": 5})
    record_run(tmp_path, 2, {OTHER: FAILED}, branch=odd, commit=odd, environment={"python": {}, "packages": {"a": []}})
    for command in ("history", "blame"):
        said = semantest(command, OTHER, "--directory", tmp_path)
        assert OTHER in said.out
    assert semantest("diff", "--directory", tmp_path).code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("test_othre",), 3, f"no test 'test_othre': did you mean {OTHER}?"),
        (("test_",), 2, "'test_' is part of several tests"),
        ((NEW, "--branch", "mian"), 3, "did you mean main?"),
        ((NEW, "--runs", "0"), 2, "--runs"),
    ],
)
def test_unknown_names(folder: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    said = semantest("history", *arguments, "--directory", folder)
    assert said.code == code
    assert told in said.err


def test_how_often_it_is_flaky_and_how_sure_that_is(tmp_path: Path) -> None:
    for number in range(1, 10):
        record_run(tmp_path, number, {NEW: FLAKY if number in (2, 5) else PASSED, OTHER: PASSED}, branch="main")
    record_run(tmp_path, 10, {NEW: Ran("skipped"), OTHER: PASSED})
    record_run(tmp_path, 11, {NEW: FLAKY}, end=False)
    said = semantest("history", NEW, "--directory", tmp_path, "--sync-timeout", "0")
    assert "  flaky in 2 of 9 runs: 22.2 %, likely 6.3 % to 54.7 %" in said.out.splitlines()
    found = semantest("history", NEW, "--directory", tmp_path, "--json").json["flaky"]
    (listed,) = semantest("flaky", "--directory", tmp_path, "--json").json["tests"]
    names = ("runs", "rate", "low", "high", "status")
    assert [found[name] for name in names] == [listed[name] for name in names]
    never = semantest("history", OTHER, "--directory", tmp_path).out
    assert "  never flaky in 10 runs: a rate above 27.8 % is unlikely" in never.splitlines()


def test_runs_in_which_all_failed_say_nothing_of_one_test(tmp_path: Path) -> None:
    many = {f"a.py::test_{number}": FAILED for number in range(12)}
    record_run(tmp_path, 1, many, commit="a" * 40)
    record_run(tmp_path, 2, dict.fromkeys(many, PASSED), commit="a" * 40)
    found = semantest("history", "a.py::test_3", "--directory", tmp_path, "--json").json["flaky"]
    assert (found["runs"], found["flakyRuns"], found["brokenRuns"]) == (1, 0, 1)
    assert (
        "1 run left out, in which much failed at once"
        in semantest("history", "a.py::test_3", "--directory", tmp_path).out
    )


def test_a_test_that_never_ran_has_no_rate(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {OTHER: FAILED}, not_run=(NEW,))
    assert semantest("history", NEW, "--directory", tmp_path, "--json").json["flaky"] is None
