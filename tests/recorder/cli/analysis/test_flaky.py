"""``semantest flaky`` over a history that the real writer made."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantest_recorder.core.analysis.proportion import wilson_interval
from semantest_recorder.reports.json_schema import json_schema
from semantest_recorder.store.history import read_history
from tests.recorder.cli.analysis.conftest import run_name
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import START, Recording
from tests.recorder.reports.schema_check import violations


def test_flaky_tests_with_their_numbers_and_nothing_else(history: Path) -> None:
    said = semantest("flaky", "--directory", history, "--json")
    assert said.code == 0
    assert said.json["schema"] == 1
    assert said.json["brokenRuns"] == [run_name(10)]
    tests = {test["id"]: test for test in said.json["tests"]}
    assert list(tests) == ["a.py::test_retried", "a.py::test_turns"], "most flaky runs first"
    retried, turned = tests.values()
    assert (retried["runs"], retried["flakyRuns"], retried["retried"], retried["retries"]) == (15, 2, 2, 2)
    assert (retried["low"], retried["high"]) == wilson_interval(2, 15)
    assert retried["first"]["run"] == run_name(3)
    assert (retried["last"]["run"], retried["last"]["commit"]) == (run_name(12), "c0ffee6")
    assert retried["error"] == {"type": "AssertionError", "message": "assert 1 == 2", "attempts": 2, "ofAttempts": 2}
    assert (turned["flakyRuns"], turned["contradicted"], turned["passesAfterFailure"]) == (1, 1, 1)
    assert turned["quietRuns"] == 10


@pytest.mark.parametrize("command", ["flaky", "slowest", "trends"])
def test_the_json_fits_its_schema(history: Path, command: str) -> None:
    schema = json_schema(command)
    found = semantest(command, "--directory", history, "--json").json
    assert violations(found, {"$ref": schema["$ref"]}, schema["$defs"]) == []


def test_the_table_tells_the_same(history: Path) -> None:
    lines = semantest("flaky", "--directory", history).out.splitlines()
    assert lines[0].startswith("2 flaky tests in the last 17 runs, ")
    assert lines[1] == f"left out, since so much failed at once: 1 run ({run_name(10)})"
    assert "13.3 %  3.7 % to 37.9 %  2 of 15        2  a.py::test_retried" in lines
    assert f"  first {run_name(3)} (11-18 03:30, c0ffee1), last {run_name(12)} (11-18 12:30, c0ffee6)" in lines
    assert "  2 of 2 times AssertionError: assert 1 == 2" in lines
    assert "  1 failure where the same code passed; it turned 1 time" in lines
    assert "regressed" not in "\n".join(lines)


def test_the_runs_can_be_chosen(history: Path) -> None:
    def ids(*options: str) -> list[str]:
        said = semantest("flaky", "--directory", history, "--json", *options)
        return [test["id"] for test in said.json["tests"]]

    assert ids("--runs", "6") == ["a.py::test_retried"]
    assert ids("--branch", "main", "--limit", "1") == ["a.py::test_retried"]
    assert ids("--min-runs", "16") == []
    assert ids("--window", "99999d", "--runs", "0") == ["a.py::test_retried", "a.py::test_turns"]


def test_no_flaky_tests_are_no_error(history: Path) -> None:
    said = semantest("flaky", "--directory", history, "--branch", "feature/fees")
    assert said.code == 0
    assert said.out.startswith("No flaky tests in 1 run of feature/fees, ")


@pytest.mark.parametrize("command", ["flaky", "slowest", "trends"])
def test_what_is_not_there_is_told(history: Path, tmp_path: Path, command: str) -> None:
    said = semantest(command, "--directory", history, "--branch", "mian")
    assert (said.code, said.err) == (3, "semantest: no run of branch 'mian': did you mean main?\n")
    said = semantest(command, "--directory", history, "--branch", "zzz")
    assert said.err == "semantest: no run of branch 'zzz': `semantest runs` shows branches\n"
    said = semantest(command, "--directory", history, "--window", "0s")
    assert said.code == 3
    assert "no run started in that time, the newest one did on 2026-11-18 16:30:00 UTC" in said.err
    said = semantest(command, "--directory", history, "--window", "3 fortnights")
    assert said.code == 2
    empty = Recording()
    empty.start()
    empty.store(tmp_path / ".semantest")
    said = semantest(command, "--directory", tmp_path / ".semantest")
    assert (said.code, said.err) == (3, "semantest: no run has ended yet\n")
    _store_a_run_that_goes_on(tmp_path / ".semantest")
    said = semantest(command, "--directory", tmp_path / ".semantest", "--branch", "feature")
    assert (said.code, said.err) == (3, "semantest: no run of branch 'feature' has ended yet\n")


def _store_a_run_that_goes_on(folder: Path) -> None:
    recording = Recording("goes-on")
    recording.start()
    recording.start("shipper")
    recording.add("shipper", "run/context", {"runId": "goes-on", "git": {"branch": "feature"}})
    recording.store(folder)


def test_a_test_whose_process_died_is_told_as_such(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    for number in range(3):
        recording = Recording(f"run-{number}", start_ms=START + number * 3_600_000)
        recording.start()
        recording.start("shipper")
        recording.add("shipper", "run/context", {"git": {"commit": "c0ffee", "branch": "main"}})
        if number == 1:
            recording.begin("a.py::test_dies")
            recording.add("shipper", "worker/crash", {"worker": "main", "reason": "process 7 died"})
        else:
            recording.test("a.py::test_dies")
            recording.end()
        recording.store(folder)
    assert "  1 of 1 time process 7 died" in semantest("flaky", "--directory", folder).out.splitlines()


def test_ci_knows_the_branch_where_git_is_at_a_commit(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    recording.start("shipper")
    recording.add("shipper", "run/context", {"git": {"branch": None, "commit": "c0ffee"}, "ci": {"branch": "release"}})
    recording.end()
    recording.store(tmp_path / ".semantest")
    assert semantest("flaky", "--directory", tmp_path / ".semantest", "--branch", "release").code == 0


def test_names_of_branches_stay_on_their_line(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    recording.start("shipper")
    recording.add("shipper", "run/context", {"git": {"branch": "mai\nn\x1b[2J"}})
    recording.end()
    recording.store(tmp_path / ".semantest")
    said = semantest("flaky", "--directory", tmp_path / ".semantest", "--branch", "main")
    assert said.err == "semantest: no run of branch 'main': did you mean mai n?\n"


def test_a_test_that_was_renamed_goes_on(tmp_path: Path) -> None:
    folder, old, new = tmp_path / ".semantest", "a.py::test_old", "b.py::test_new"
    for number, name in enumerate((old, old, new)):
        recording = Recording(f"run-{number}", start_ms=START + number * 3_600_000)
        recording.start()
        recording.test(name, "failed", willRetry=True)
        recording.test(name, attempt=2)
        recording.end()
        recording.store(folder)
    assert semantest("alias", "add", old, new, "--directory", folder).code == 0
    (test,) = semantest("flaky", "--directory", folder, "--json").json["tests"]
    assert (test["id"], test["runs"], test["flakyRuns"], test["error"]["ofAttempts"]) == (new, 3, 3, 3)
    assert test["first"]["run"] == "run-0"
    (entry,) = semantest("slowest", "--directory", folder, "--json").json["entries"]
    assert (entry["id"], entry["times"], entry["totalMs"]) == (new, 6, 30.0)
    points = semantest("trends", "--directory", folder, "--json").json["points"]
    assert [point["added"] for point in points] == [None, 0, 0]
    assert read_history(folder / "semantest.db")["flaky"] == {new: {"flaky": 3, "runs": 3, "p95": 5.0}}


def test_names_and_messages_cannot_repaint_the_terminal(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    hostile = "a.py::test_x[\x1b[2J\u202e]"
    error = {"type": "E\x1b[31m", "message": "say \x1b]0;owned\x07\nmore"}
    recording.test(hostile, "failed", willRetry=True, error=error)
    recording.test(hostile, attempt=2)
    recording.end()
    recording.store(tmp_path / ".semantest")
    for command in ("flaky", "slowest"):
        out = semantest(command, "--directory", tmp_path / ".semantest").out
        assert "a.py::test_x[]" in out
        assert "\x1b" not in out
        assert "\u202e" not in out
