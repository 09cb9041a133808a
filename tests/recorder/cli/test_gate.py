"""``semantest gate`` over runs that the real writer stored: where conditions come from, what they are judged by."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from semantest_recorder.reports.gate_result import GateResult
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import START, Recording
from tests.recorder.cli.suite_runs import FAILED, FLAKY, PASSED, SKIPPED, Ran, record_run

ONE, TWO, THREE = "a.py::test_one", "a.py::test_two", "b.py::test_three"
QUIET = dict.fromkeys(("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CHANGE_TARGET"), "")


def gate(folder: Path, *arguments: str, **env: str) -> Said:
    return semantest("gate", "--directory", folder, *arguments, env=QUIET | env)


def verdicts(said: Said) -> dict[str, str]:
    result = msgspec.json.decode(said.out, type=GateResult)
    assert (said.code == 0) == result.passed
    return {check.condition: check.verdict for check in result.checks}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two runs of main and one of a feature, which breaks a test and has lost another."""
    found = tmp_path / ".semantest"
    for number in range(2):
        record_run(found, number, {ONE: PASSED, TWO: FAILED, THREE: PASSED})
    record_run(found, 2, {ONE: FAILED, TWO: FAILED, "c.py::test_new": FLAKY}, branch="feature")
    monkeypatch.chdir(tmp_path)
    return found


def test_a_project_without_conditions_has_those_that_every_run_should_meet(folder: Path) -> None:
    said = gate(folder)
    assert said.out.splitlines() == [
        "Gate failed: run 20261121-000002-a1b2c3",
        "  ok      complete: yes",
        "  failed  max-failed: 2, at most 0",
        f"            {ONE}",
        f"            {TWO}",
        "  ok      max-lost: 0, at most 0",
    ]
    assert (said.code, said.err) == (1, "")
    record_run(folder, 3, {ONE: PASSED, TWO: SKIPPED})
    assert gate(folder).code == 0


def test_conditions_come_from_the_files_then_the_environment_then_the_command_line(folder: Path) -> None:
    (folder.parent / "semantest.toml").write_text(
        "[gate]\nmax-failed = 2\nmax-flaky-rate = 10\nmin-tests = 3\nmax-duration = '1h'\ncritical = ['b.py']\n"
    )
    assert verdicts(gate(folder, "--json")) == {
        "complete": "ok",
        "min-tests": "ok",
        "max-failed": "ok",
        "max-lost": "ok",
        "max-flaky-rate": "failed",
        "max-duration": "ok",
        "critical": "failed",
    }
    wide = ("--max-flaky-rate", "33.4%", "--critical", "c.py::test_new", "--json")
    assert set(verdicts(gate(folder, *wide)).values()) == {"ok"}
    assert verdicts(gate(folder, *wide, SEMANTEST_GATE_MAX_FAILED="1"))["max-failed"] == "failed"
    (folder.parent / "semantest.toml").write_text("[gate]\nmax-flakey = 2\nmin-pass-rate = 101\n")
    said = gate(folder)
    assert (said.code, "did you mean gate.max-flaky?" in said.err) == (2, True)


def test_what_is_new_is_told_against_the_last_run_of_the_base(folder: Path) -> None:
    asked = ("--no-new-failures", "--max-removed", "0", "--max-failed", "9", "--json")
    result = msgspec.json.decode(gate(folder, *asked, GITHUB_BASE_REF="main").out, type=GateResult)
    checks = {check.condition: check for check in result.checks}
    assert result.base == "20261121-000001-a1b2c3"
    assert (checks["no-new-failures"].verdict, checks["no-new-failures"].tests) == ("failed", [ONE])
    assert (checks["max-removed"].verdict, checks["max-removed"].tests) == ("failed", [THREE])
    assert verdicts(gate(folder, *asked, "--base", "main")) == verdicts(gate(folder, *asked, GITHUB_BASE_REF="main"))


def test_a_pull_request_from_a_branch_called_main_is_no_run_of_main(folder: Path) -> None:
    """Else it would excuse its own failures, and those of the next run of main."""
    newly = ("--no-new-failures", "--max-failed", "9", "--json")
    tests = {ONE: FAILED, TWO: FAILED, THREE: FAILED}
    for number in (3, 4):
        record_run(folder, number, tests, on_ci=True, pull_request="7")
        found = msgspec.json.decode(gate(folder, *newly, GITHUB_BASE_REF="main").out, type=GateResult)
        assert (found.base, found.passed) == ("20261121-000001-a1b2c3", False)
    assert msgspec.json.decode(gate(folder, *newly).out, type=GateResult).base == "20261121-000003-a1b2c3"
    record_run(folder, 5, tests, on_ci=True)
    found = msgspec.json.decode(gate(folder, *newly).out, type=GateResult)
    assert (found.base, found.passed) == ("20261121-000001-a1b2c3", False)
    said = semantest("badge", "--branch", "main", "--directory", folder)
    record_run(folder, 6, {ONE: PASSED}, on_ci=True, pull_request="7")
    assert semantest("badge", "--branch", "main", "--directory", folder).out == said.out


def test_a_pull_request_does_not_excuse_what_fails_in_it_again(folder: Path) -> None:
    """By the run of it before the last one of main, which has no word on a test that is new."""
    tests = {ONE: PASSED, TWO: FAILED, THREE: PASSED}
    record_run(folder, 3, {**tests, "c.py::test_new": FAILED}, on_ci=True, pull_request="7")
    record_run(folder, 4, tests, on_ci=True)
    record_run(folder, 5, {**tests, "c.py::test_new": FAILED}, on_ci=True, pull_request="7")
    said = gate(folder, "--no-new-failures", "--max-failed", "9", "--json", GITHUB_BASE_REF="main")
    assert verdicts(said)["no-new-failures"] == "failed"


@pytest.mark.parametrize(
    ("base", "why"),
    [((), "there is no run of its branch before it"), (("--base", "mian"), "did you mean main?")],
    ids=["first", "unknown"],
)
def test_a_base_that_is_not_there_is_unknown_and_closes_the_gate_unless_that_is_allowed(
    folder: Path, base: tuple[str, ...], why: str
) -> None:
    asked = ("--no-new-failures", "--max-failed", "9", *base)
    said = gate(folder, *asked)
    assert said.code == 1
    assert why in next(line for line in said.out.splitlines() if line.startswith("  unknown no-new-failures: ?"))
    assert gate(folder, *asked, "--allow-unknown").code == 0


def test_policies_of_pytest_are_judged_alone(folder: Path) -> None:
    said = gate(folder, "--fail-on", "flaky", "--fail-on", "new-failures", "--base", "main", "--json")
    assert verdicts(said) == {"max-flaky": "failed", "no-new-failures": "failed"}


def test_a_test_that_is_slower_than_it_was_in_twenty_runs(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    for number in range(20):
        record_run(folder, number, {ONE: Ran(ms=100.0 + number % 3), TWO: Ran(ms=50.0 + number % 2)})
    record_run(folder, 20, {ONE: Ran(ms=900.0), TWO: Ran(ms=50.0)})
    said = gate(folder, "--max-slower", "0")
    assert said.code == 1
    assert f"            {ONE}" in said.out.splitlines()


def test_a_run_that_goes_on_or_stopped_early_is_not_let_through(folder: Path) -> None:
    record_run(folder, 3, {ONE: PASSED}, not_run=[TWO])
    said = gate(folder)
    assert (said.code, said.out.splitlines()[1]) == (
        1,
        "  failed  complete: no  stopping after 1 failures; tests without a result: 1",
    )
    record_run(folder, 4, {ONE: PASSED}, end=False)
    assert set(verdicts(gate(folder, "--json")).values()) <= {"unknown", "failed"}
    assert gate(folder, "nothing").code == 3
    assert gate(folder, "--max-failed", "-1").code == 2


def test_what_somebody_else_decided_is_no_condition(folder: Path) -> None:
    recording = Recording("20261122-000000-a1b2c3", start_ms=START + 90_000_000.0)
    recording.start()
    recording.plan(ONE)
    recording.test(ONE)
    recording.end(1)  # --semantest-fail-on, a coverage limit
    recording.store(folder)
    assert gate(folder).code == 0
