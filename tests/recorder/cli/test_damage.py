"""A journal that is damaged on disk after its run: real pytest, real shipper, real recorder, real ``semantest``."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pytest_semantest.protocol.layout import RECORDER_LOCK, SHIP_LOCK, SHIP_STATE
from pytest_semantest.protocol.record import Record, scan
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project

_SUITE = """
    def test_one(): pass
    def test_two(): pass
    def test_three(): pass
"""
_STATES = {f"test_a.py::test_{name}": "passed" for name in ("one", "two", "three")}


@contextmanager
def unshipped(project: Project, *arguments: str) -> Iterator[Path]:
    """The session of a run that met no recorder and whose shipper is gone; afterwards a recorder can be started."""
    project.folder.mkdir(exist_ok=True)
    with FileLock(project.folder / RECORDER_LOCK):  # whoever holds it answers nobody
        done = project.pytest("--semantest-flush-timeout", "1", *arguments)
        assert done.returncode == 0, done.stdout
        (session,) = (project.folder / "sessions").iterdir()
        shipper = json.loads((session / SHIP_STATE).read_text())["pid"]
        os.kill(shipper, signal.SIGTERM)
        with FileLock(session / SHIP_LOCK, timeout=60):
            yield session


def flip(journal: Path, seq: int) -> None:
    """Flip bytes in the middle of one record."""
    data = journal.read_bytes()
    record = next(item for item in scan(data) if isinstance(item, Record) and item.seq == seq)
    middle = record.end - len(record.body) // 2
    journal.write_bytes(data[:middle] + bytes(byte ^ 0x11 for byte in data[middle : middle + 5]) + data[middle + 5 :])


def types_of(journal: Path) -> dict[int, str]:
    found = (item for item in scan(journal.read_bytes()) if isinstance(item, Record))
    return {item.seq: json.loads(item.body)["type"] for item in found}


def states(report: dict[str, Any]) -> dict[str, str]:
    return {test["id"]: test["state"] for test in report["tests"]}


@pytest.mark.hazard(15)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_whose_first_record_is_damaged_is_reported_with_its_tests(project: Project, workers: str) -> None:
    project.write("test_a.py", _SUITE)
    with unshipped(project, "-n", workers, "--semantest-run-id", "build-7") as session:
        flip(session / "main.journal", 1)
        recovered = json.loads(project.semantest("recover", "--json").stdout)["recovered"][0]
    synced = project.semantest("sync")
    assert synced.returncode == 0, synced.stderr
    said = project.semantest("report")
    assert said.returncode == 1
    assert "Run build-7: failed, 1 record missing" in said.stdout
    assert "!!! 1 record MISSING !!!" in said.stdout
    assert "3 tests: 3 passed" in said.stdout
    report = project.json("report")
    assert states(report) == states(recovered["report"]) == _STATES
    for told in (report["run"], recovered["report"]["run"]):
        assert (told["id"], told["state"], told["exitCode"], told["gaps"]) == ("build-7", "failed", 0, 1)
    assert report["run"]["startedMs"] == recovered["report"]["run"]["startedMs"] < report["run"]["endedMs"]
    (run,) = project.json("runs")["runs"]
    assert (run["id"], run["state"], run["gaps"]) == ("build-7", "failed", 1)
    assert [path.name for path in (project.folder / "damaged").iterdir()] == [f"{session.name}.main.journal"]


@pytest.fixture(scope="module")
def not_shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The session of a whole run, in a project that has no recorder."""
    project = Project(tmp_path_factory.mktemp("whole"))
    project.write("test_a.py", _SUITE)
    with unshipped(project) as session:
        pass
    yield session
    project.close()


@pytest.mark.hazard(15)
@pytest.mark.parametrize("hidden", ["run/plan", "test/start", "test/end", "run/end"])
def test_whatever_a_damaged_record_held_the_run_is_not_green(project: Project, not_shipped: Path, hidden: str) -> None:
    session = project.folder / "sessions" / not_shipped.name
    shutil.copytree(not_shipped, session, symlinks=True)
    journal = session / "main.journal"
    flip(journal, max(seq for seq, kind in types_of(journal).items() if kind == hidden))
    assert project.semantest("sync").returncode == 0
    said = semantest("report", "--directory", project.folder)
    assert said.code == 1
    assert "!!! 1 record MISSING !!!" in said.out
    report = semantest("report", "--directory", project.folder, "--json").json
    assert report["run"]["state"] in ("failed", "interrupted")
    assert report["run"]["gaps"] == 1
