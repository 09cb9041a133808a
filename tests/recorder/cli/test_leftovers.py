"""Runs that are not in the database, or not wholly: read from their journals, and said so."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from pytest_semantest.protocol.layout import RECORDER_LOCK
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import RUN, START, Recording, green_run, small_run

OLD = "20261120-080000-dddddd"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".semantest"


def killed_run() -> Recording:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_one", "a.py::test_two", "a.py::test_three")
    recording.test("a.py::test_one")
    recording.begin("a.py::test_two")
    return recording


def test_without_a_recorder_the_journals_are_read_and_it_is_said(folder: Path) -> None:
    session = small_run().journal(folder)
    with FileLock(folder / RECORDER_LOCK):  # whoever holds it answers nobody
        said = semantest("report", "--directory", folder, "--sync-timeout", "1")
    assert said.code == 1
    assert f"Run {RUN}: failed" in said.out
    assert f"run {RUN} was read from its journals" in said.err.splitlines()[-1]
    assert (session / "main.journal").is_file()


def test_last_is_the_newest_of_database_and_journals(folder: Path) -> None:
    green_run(OLD, start_ms=START - 1e8).store(folder)
    killed_run().journal(folder)
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert f"Run {RUN}: interrupted" in said.out
    said = semantest("report", OLD[:8], "--directory", folder, "--sync-timeout", "0")
    assert (said.code, said.err) == (0, "")
    assert f"Run {OLD}: passed" in said.out


def test_a_name_that_fits_both_is_refused(folder: Path) -> None:
    green_run("20261121-100000-bbbbbb").store(folder)
    killed_run().journal(folder)
    said = semantest("report", "20261121", "--directory", folder, "--sync-timeout", "0")
    assert said.code == 2
    assert "give more of it" in said.err
    assert semantest("report", "2025", "--directory", folder, "--sync-timeout", "0").code == 3


@pytest.mark.parametrize("stored", range(1, 6))
def test_what_the_database_lacks_is_added_from_the_journal(folder: Path, tmp_path: Path, stored: int) -> None:
    whole = killed_run()
    whole.journal(folder)
    part = killed_run()
    part.bodies["main"] = part.bodies["main"][:stored]
    part.store(folder)
    said = semantest("report", RUN, "--directory", folder, "--sync-timeout", "0", "--json")
    whole.journal(tmp_path / "alone")
    alone = semantest("recover", "--directory", tmp_path / "alone", "--json").json["recovered"][0]["report"]
    assert [(test["id"], test["state"]) for test in said.json["tests"]] == [
        (test["id"], test["state"]) for test in alone["tests"]
    ]
    assert said.json["counts"] == alone["counts"]
    assert said.json["run"]["state"] == "interrupted"


def test_a_session_that_its_shipper_keeps_up_with_comes_from_the_database(folder: Path) -> None:
    recording = killed_run()
    recording.store(folder)
    session = recording.journal(folder)
    (session / "ship.json").write_text('{"state": "idle"}')
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert said.code == 4, "the recorder has not judged it"
    assert said.err == ""


def test_show_reads_journals_as_well(folder: Path) -> None:
    small_run().journal(folder)
    said = semantest("show", "test_bad", "--directory", folder, "--sync-timeout", "0")
    assert said.code == 0
    assert "  | E   assert 1 == 2" in said.out


def test_a_session_for_another_machine_is_not_shipped_to_this_one(folder: Path) -> None:
    session = small_run().journal(folder)
    (session / "ship.json").write_text('{"state": "unreachable", "recorder": "https://recorder.example:8700"}')
    said = semantest("report", "--directory", folder)
    assert said.code == 1
    assert f"Run {RUN}: failed" in said.out
    assert "meant for the recorder at https://recorder.example:8700" in said.err
    assert (session / "main.journal").is_file()
    assert not (folder / "semantest.db").exists()
    said = semantest("sync", "--directory", folder)
    assert said.code == 2
    assert "--url https://recorder.example:8700" in said.err
    assert (session / "main.journal").is_file()
