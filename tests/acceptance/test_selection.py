"""What one run tells the next: real recordings, a real recorder, and pytests that select by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Project

SUITE = {
    "test_a.py": "import time\ndef test_slow(): time.sleep(0.3)\ndef test_quick(): pass\n",
    "test_b.py": "import os\ndef test_bad(): assert 'GOOD' in os.environ\ndef test_fine(): pass\n",
}


def put_suite(folder: Path) -> None:
    for name, text in SUITE.items():
        (folder / name).write_text(text)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with one run whose snapshot is there: a recorder writes it at its end at the latest."""
    project = Project(tmp_path_factory.mktemp("recorded"))
    put_suite(project.path)
    assert project.pytest()[0] == 1
    project.report()
    assert project.recorder("stop").returncode == 0
    yield project
    project.end()


def collected(output: str) -> list[str]:
    return [line.partition("::")[2] for line in output.splitlines() if line.startswith("test_") and "::" in line]


def test_the_next_pytest_goes_by_the_last_run(recorded: Project) -> None:
    code, output = recorded.pytest("--co", "-q", "--semantest-order=failed-first", recorded=False)
    assert code == 0
    assert collected(output) == ["test_bad", "test_slow", "test_quick", "test_fine"]
    code, output = recorded.pytest("--co", "-q", "--semantest-budget=0.1s", recorded=False)
    assert collected(output) == ["test_quick", "test_bad", "test_fine"]
    assert "semantest: NOT RUN: 1 test left out by the budget of 0.1 s: test_a.py::test_slow" in output


def test_a_pytest_elsewhere_asks_the_recorder(recorded: Project, tmp_path: Path) -> None:
    started = recorded.recorder("start")
    assert started.returncode == 0, started.stderr
    found = json.loads((recorded.directory / "recorder.json").read_text())
    variables = {"SEMANTEST_URL": found["url"], "SEMANTEST_TOKEN": found["token"]}
    elsewhere = Project(tmp_path, variables=variables)
    put_suite(tmp_path)
    arguments = ("--co", "-q", "--semantest-order=failed-first")
    assert collected(elsewhere.pytest(*arguments, recorded=False)[1])[0] == "test_bad"
    elsewhere.variables = {**variables, "SEMANTEST_TOKEN": "of-nobody"}
    code, output = elsewhere.pytest(*arguments, recorded=False)
    assert code == 0
    assert collected(output)[0] == "test_bad"
    assert f"semantest: no snapshot from {found['url']}: it does not know the token; the one of " in output


def test_shards_of_a_run_go_by_the_snapshot_of_the_first(project: Project) -> None:
    """Of none, for the first of them has none; each one that ends makes a new one."""
    put_suite(project.path)
    project.variables = {"SEMANTEST_RUN_ID": "build-7", "GOOD": "1"}
    for number in (1, 2):
        code, output = project.pytest(f"--semantest-shard={number}/2")
        assert code == 0, output
        assert f"semantest: shard {number} of 2: 2 of 4 tests" in output
        run = project.report("build-7")["run"]
        assert run["shards"] == {
            "of": 2,
            "seen": list(range(1, number + 1)),
            "missing": [2][number - 1 :],
            "alike": True,
            "lost": 0,
            "doubled": 0,
        }
    assert run["state"] == "passed"
    assert [one["shard"] for one in run["selections"]] == [{"index": 1, "of": 2}, {"index": 2, "of": 2}]
    text = project.semantest("report", "build-7").stdout
    assert "2 of 2 shards" in text


def test_what_a_budget_left_out_is_in_reports_and_lists(recorded: Project) -> None:
    recorded.variables = {"GOOD": "1"}
    code, _ = recorded.pytest("-n2", "--semantest-budget=0.1s")
    assert code == 0
    run = recorded.report()["run"]
    assert (run["state"], run["leftOut"]) == ("passed", 1)
    assert run["selections"][0]["budget"].items() >= {"limitMs": 100.0, "workers": 2}.items()
    assert ": passed, 1 test left out by budget" in recorded.semantest("report").stdout
    (newest, *_) = json.loads(recorded.semantest("runs", "--json").stdout)["runs"]
    assert newest["leftOut"] == 1
    (left_out,) = recorded.rows("SELECT payload FROM events WHERE type = 'run/left-out'")
    assert json.loads(left_out[0])["tests"] == ["test_a.py::test_slow"]
