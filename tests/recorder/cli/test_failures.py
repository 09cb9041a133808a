"""``semantest failures``: causes with their tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.suite_runs import PASSED, Ran, record_run, run_id


def lost(number: int) -> Ran:
    return Ran("failed", message=f"no answer in {number} s", line=7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: one cause from the second on, another in the last one, which is a flaky test's."""
    folder = tmp_path_factory.mktemp("runs")
    names = [f"tests/a.py::test_{number}" for number in range(8)]
    record_run(folder, 1, dict.fromkeys(names, PASSED))
    record_run(folder, 2, {name: lost(number) for number, name in enumerate(names)}, branch="other")
    record_run(
        folder, 3, {name: lost(9 - number) for number, name in enumerate(names)} | {"b.py::test_x[1]": Ran("flaky")}
    )
    return folder


def test_one_cause_many_tests(folder: Path) -> None:
    said = semantest("failures", "--directory", folder)
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == f"9 tests failed in run {run_id(3)}, of 2 causes"
    assert lines[2] == "8 tests  AssertionError: no answer in <n> s"
    assert f"first seen in run {run_id(2)}, 2026-11-21 11:30:00 UTC" in lines[3]
    assert lines[4:6] == ["          tests/a.py:7: AssertionError: no answer in 9 s", "  tests/a.py::test_0"]
    assert "  ... and 3 more tests (--limit 0 shows all)" in lines
    assert lines[-1] == "  b.py::test_x[1]  (flaky)"
    assert "new in this run" in lines[-3]
    lines = semantest("failures", "--directory", folder, "--runs", "5").out.splitlines()
    assert lines[3].endswith(
        f"in 2 of 3 runs, first seen in run {run_id(2)}, 2026-11-21 11:30:00 UTC, last in run {run_id(3)}"
    )


def test_over_several_runs_a_cause_keeps_its_id(folder: Path) -> None:
    last = semantest("failures", "--directory", folder, "--json").json
    both = semantest("failures", "--directory", folder, "--runs", "5", "--json").json
    assert [run["id"] for run in both["runs"]] == [run_id(3), run_id(2), run_id(1)]
    assert [cluster["id"] for cluster in both["clusters"]] == [cluster["id"] for cluster in last["clusters"]]
    (many, one) = both["clusters"]
    assert (many["failures"], len(many["tests"]), many["runs"]) == (16, 8, [run_id(3), run_id(2)])
    assert (one["flakyTests"], one["firstSeen"]["id"]) == (["b.py::test_x[1]"], run_id(3))
    other = semantest("failures", "--directory", folder, "--runs", "5", "--branch", "other", "--json").json
    assert [run["id"] for run in other["runs"]] == [run_id(2)]


def test_a_cause_is_known_under_the_name_that_its_test_had_before(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {"a.py::test_old[1]": lost(1)})
    record_run(tmp_path, 2, {"b.py::test_new[1]": lost(2)})
    assert semantest("alias", "add", "a.py::test_old", "b.py::test_new", "--directory", tmp_path).code == 0
    (cause,) = semantest("failures", "--directory", tmp_path, "--json").json["clusters"]
    assert cause["firstSeen"]["id"] == run_id(1)
    (both,) = semantest("failures", "--runs", "2", "--directory", tmp_path, "--json").json["clusters"]
    assert (both["id"], both["failures"], both["tests"]) == (cause["id"], 2, ["b.py::test_new[1]"])
    (old,) = semantest("failures", run_id(1), "--directory", tmp_path, "--json").json["clusters"]
    assert old["tests"] == ["a.py::test_old[1]"]


def test_nothing_failed(folder: Path) -> None:
    said = semantest("failures", run_id(1), "--directory", folder)
    assert (said.code, said.out) == (0, f"Nothing failed in run {run_id(1)}.\n")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("last", "--runs", "2"), 2, "name a run, or give --runs"),
        (("--branch", "main"), 2, "--branch goes with --runs"),
        (("--runs", "2", "--branch", "mian"), 3, "did you mean main?"),
        (("nothing",), 3, "no run 'nothing'"),
        (("lats",), 3, "no run 'lats': did you mean last?"),
    ],
)
def test_wrong_usage(folder: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    said = semantest("failures", *arguments, "--directory", folder)
    assert said.code == code
    assert told in said.err
