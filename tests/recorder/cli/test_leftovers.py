"""Runs that are not in the database, or not wholly: read from their journals, and said so."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from filelock import FileLock

from pytest_semantest.protocol.layout import RECORDER_LOCK
from semantest_recorder.cli import recovery
from semantest_recorder.cli.journal_file import JournalFile
from semantest_recorder.cli.liveness import writer_is_alive
from semantest_recorder.cli.recovery import journal_files
from semantest_recorder.cli.take_in import bound_elsewhere
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import DEAD_PID, RUN, START, Recording, green_run, small_run

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


def test_ctrl_c_ends_the_report_and_not_the_shipment_on_its_way(project: Project) -> None:
    sessions = [green_run(f"20261121-0{hour}0000-aaaaaa").journal(project.folder) for hour in (7, 8, 9)]
    with FileLock(sessions[0] / "ship.lock"), FileLock(sessions[1] / "ship.lock"):
        report = project.popen("report", "--sync-timeout", "600")
        assert report.stderr is not None
        assert "to the recorder first" in report.stderr.readline()
        report.send_signal(signal.SIGINT)
        assert report.wait(60) == 1
    deadline = time.monotonic() + 60
    while any(session.exists() for session in sessions):
        assert time.monotonic() < deadline, "the shipment went with the report"
        time.sleep(0.02)
    assert len(project.json("runs")["runs"]) == 3


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
    with FileLock(session / "ship.lock"):
        said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert said.code == 4, "the recorder has not judged it"
    assert said.err == ""


@pytest.mark.parametrize("pid", [DEAD_PID, os.getpid()], ids=["dead", "that of another process now"])
@pytest.mark.parametrize("state", ["shipping", "idle", "done"])
def test_the_word_of_a_shipper_that_is_gone_counts_for_nothing(folder: Path, state: str, pid: int) -> None:
    green_run(OLD, start_ms=START - 1e8).store(folder)
    session = small_run().journal(folder)
    (session / "ship.json").write_text(json.dumps({"state": state, "pid": pid}))
    (session / "ship.lock").touch()
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert (said.code, f"Run {RUN}: failed" in said.out) == (1, True)
    assert f"run {RUN} was read from its journals: no recorder has it yet" in said.err
    said = semantest("runs", "--directory", folder, "--sync-timeout", "0", "--json")
    assert [run["id"] for run in said.json["runs"]] == [RUN, OLD]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("look", [1, 2])
@pytest.mark.parametrize(
    "arguments", [["report"], ["runs", "--json"], ["show", "test_bad"], ["recover", RUN[:8]]], ids=" ".join
)
def test_a_session_that_is_shipped_while_it_is_read_is_in_the_database_then(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], look: int, when: str
) -> None:
    green_run(OLD, start_ms=START - 1e8).store(folder)
    session = small_run().journal(folder)
    looks = 0

    def shipped_meanwhile(path: Path) -> list[JournalFile]:
        nonlocal looks
        looks += 1
        found = journal_files(path) if when == "after" else []
        if looks == look:
            small_run().store(folder)
            shutil.rmtree(session)
        return found or journal_files(path)

    monkeypatch.setattr(recovery, "journal_files", shipped_meanwhile)
    said = semantest(*arguments, "--directory", folder, *([] if arguments[0] == "recover" else ["--sync-timeout", "0"]))
    if arguments[0] == "recover":
        assert (said.code, said.out) == (3, "")
        assert said.err.startswith(f"semantest: no session '{RUN[:8]}' is left to recover: every session of ")
    else:
        assert (said.code, said.err) == (1 if arguments[0] == "report" else 0, "")
        assert {"report": f"Run {RUN}: failed", "runs": RUN, "show": "assert 1 == 2"}[arguments[0]] in said.out


def test_a_journal_that_is_a_link_to_nowhere_is_told_and_hides_no_other(folder: Path) -> None:
    bad = green_run("20261121-080000-bbbbbb").journal(folder)
    (bad / "main.journal").unlink()
    (bad / "main.journal").symlink_to("nowhere")
    small_run().journal(folder)
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert (said.code, f"Run {RUN}: failed" in said.out) == (1, True)
    assert "main.journal cannot be read: No such file or directory" in said.err
    assert len(semantest("runs", "--directory", folder, "--sync-timeout", "0", "--json").json["runs"]) == 2


def test_show_reads_journals_as_well(folder: Path) -> None:
    small_run().journal(folder)
    said = semantest("show", "test_bad", "--directory", folder, "--sync-timeout", "0")
    assert said.code == 0
    assert "  | E   assert 1 == 2" in said.out


@pytest.mark.parametrize("url", ["https://recorder.example:8700", "http://127.0.0.1:8765"])
def test_a_session_for_a_named_recorder_is_not_shipped_to_the_own_one(folder: Path, url: str) -> None:
    session = small_run().journal(folder)
    (session / "ship.json").write_text(json.dumps({"state": "unreachable", "recorder": url, "named": True}))
    said = semantest("report", "--directory", folder)
    assert said.code == 1
    assert f"Run {RUN}: failed" in said.out
    assert f"meant for the recorder at {url}" in said.err
    assert (session / "main.journal").is_file()
    assert not (folder / "semantest.db").exists()


@pytest.mark.parametrize(
    ("told", "bound"),
    [
        ({}, None),
        ({"recorder": "http://127.0.0.1:8765", "named": False}, None),
        ({"recorder": "http://127.0.0.1:8765", "named": True}, "http://127.0.0.1:8765"),
        ({"recorder": "http://127.0.0.1:4242/", "named": True}, None),
        ({"recorder": None, "named": True}, None),
    ],
    ids=["nothing told", "own", "named", "the own one named", "not known"],
)
def test_where_a_session_is_bound_for(folder: Path, told: dict[str, object], bound: str | None) -> None:
    session = small_run().journal(folder)
    (folder / "recorder.json").write_text(json.dumps({"url": "http://127.0.0.1:4242", "pid": DEAD_PID}))
    (session / "ship.json").write_text(json.dumps(told))
    assert bound_elsewhere(session) == bound


def test_a_writer_lives_by_its_start_ticks_whatever_the_clock_says() -> None:
    ticks = int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[19])
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    start = {"pid": os.getpid(), "host": os.uname().nodename, "processStart": ticks}
    long_ago, now = START - 1e11, START
    assert writer_is_alive(start, long_ago, now, now)
    assert writer_is_alive(start | {"bootId": boot}, long_ago, now, now)
    assert not writer_is_alive(start | {"bootId": boot[::-1]}, long_ago, now, now)
    assert not writer_is_alive(start | {"processStart": ticks - 1}, now, now, now)
    assert not writer_is_alive(start | {"processStart": None}, long_ago, now, now)


def test_a_folder_that_is_being_deleted_is_no_session(folder: Path) -> None:
    session = small_run().journal(folder)
    session.rename(session.with_name(f".done-{session.name}"))
    said = semantest("recover", "--directory", folder)
    assert said.code == 3
    assert "nothing to recover" in said.err
