"""The shipper and the project's own recorder: found, started, killed, and everything in its database once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_semantest.protocol.layout import DATABASE, DISCOVERY, RECORDER_LOG
from pytest_semantest.protocol.liveness import process_exists
from pytest_semantest.shipper.leftovers import ship_others
from pytest_semantest.shipper.program import Termination, parse
from tests.leftovers import end_processes_of
from tests.shipper.conftest import StartShipper
from tests.shipper.journals import NO_PID, Journal, session
from tests.shipper.test_shipping import ended_session, finish, wait_until


@pytest.fixture
def project(directory: Path) -> Iterator[Path]:
    """The ``.semantest`` folder; the recorder that a test had started for it ends with the test."""
    yield directory
    end_processes_of(directory)


def discovered(directory: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((directory / DISCOVERY).read_text())
    except FileNotFoundError:
        return {}
    return found


def serving(directory: Path) -> list[int]:
    """The recorders that run for the folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if f" serve --directory {directory} " in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


def stored(directory: Path, source: str) -> list[tuple[int, str]]:
    query = "SELECT seq, type FROM events JOIN sources USING (source_key) WHERE source = ? ORDER BY seq"
    with closing(sqlite3.connect(f"file:{directory / DATABASE}?mode=ro", uri=True)) as connection:
        return connection.execute(query, (source,)).fetchall()


def expected(journal: Journal) -> list[tuple[int, str]]:
    return [(seq, event["type"]) for seq, event in enumerate(journal.events(), 1)]


def test_a_recorder_is_started_when_there_is_none_and_outlives_the_shipper(
    project: Path, start_shipper: StartShipper
) -> None:
    journal = ended_session(project, tests=1000)
    code, said = finish(start_shipper(sync=True))
    assert code == 0, said
    assert stored(project, journal.source) == expected(journal)
    assert process_exists(discovered(project)["pid"])


def test_many_shippers_at_once_start_one_recorder(project: Path, start_shipper: StartShipper) -> None:
    journals = []
    for number in range(4):
        journal = Journal(session(project, f"20261121-093000-00000{number}"))
        journal.start()
        journal.test("test_a.py::test_one")
        journal.end()
        journals.append(journal)
    shippers = [start_shipper(journal.folder.name) for journal in journals]
    assert [finish(shipper)[0] for shipper in shippers] == [0] * 4
    for journal in journals:
        assert stored(project, journal.source) == expected(journal)
    # One that came too late to be the only one has found the other, and ends.
    wait_until(lambda: serving(project) == [discovered(project)["pid"]], "one recorder is left")


@pytest.mark.hazard(18)
def test_a_recorder_killed_while_it_takes_in_is_replaced_and_has_all_once(
    project: Path, start_shipper: StartShipper
) -> None:
    journal = ended_session(project, tests=15_000)
    shipper = start_shipper(journal.folder.name)
    for _ in range(3):
        wait_until(lambda: process_exists(discovered(project).get("pid")), "no recorder came up")
        pid = discovered(project)["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda pid=pid: not process_exists(pid), "the recorder did not die")
        if shipper.poll() is not None:
            break
    assert finish(shipper)[0] == 0
    assert stored(project, journal.source) == expected(journal)


@pytest.mark.hazard(19)
@pytest.mark.hazard(20)
def test_a_copy_of_a_session_is_stored_once_and_not_sent_for_ever(
    project: Path, start_shipper: StartShipper, tmp_path: Path
) -> None:
    journal = ended_session(project, tests=2100)  # more than what is sent before the first ack
    copy = shutil.copytree(journal.folder, tmp_path / "copy")
    assert finish(start_shipper(sync=True))[0] == 0
    shutil.copytree(copy, journal.folder)
    code, said = finish(start_shipper(sync=True))
    assert (code, "SEQ_CONFLICT" in said) == (4, True), "the two shippers tell their own things differently"
    shipped = json.loads((journal.folder / "ship.json").read_bytes())
    assert shipped["sources"]["main"]["acked"] == journal.seq
    assert stored(project, journal.source) == expected(journal)


@pytest.mark.hazard(21)
@pytest.mark.hazard(29)
def test_a_run_that_goes_on_is_whole_in_the_database_that_follows_a_corrupt_one(
    project: Path, start_shipper: StartShipper
) -> None:
    journal = Journal(session(project), pid=os.getpid())
    journal.start()
    journal.test("test_a.py::test_one")
    shipper = start_shipper(journal.folder.name)
    database = project / DATABASE
    wait_until((project / DISCOVERY).exists, "no recorder came up")
    wait_until(lambda: stored(project, journal.source) == expected(journal), "it is not stored")
    shipper.send_signal(signal.SIGSTOP)  # else it would start another one at once
    before = discovered(project)
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: not process_exists(before["pid"]), "the recorder did not die")
    for part in project.glob(f"{database.name}-*"):
        part.unlink()
    database.write_bytes(b"\xa5" * database.stat().st_size)
    journal.test("test_a.py::test_two")
    journal.end()
    shipper.send_signal(signal.SIGCONT)
    wait_until(lambda: discovered(project).get("pid", before["pid"]) != before["pid"], "no other recorder came up")
    wait_until(lambda: stored(project, journal.source) == expected(journal), "it is not stored again")
    assert discovered(project)["url"] != before["url"]
    (aside,) = (path for path in project.glob(f"{database.name}.corrupt-*") if path.read_bytes()[:1] == b"\xa5")
    assert f"it was set aside as {aside.name}" in (project / RECORDER_LOG).read_text()


@pytest.mark.parametrize("earlier", ["", "an older line\n", "x" * 2_000_000 + "\n"], ids=["empty", "line", "huge"])
def test_why_a_recorder_ended_at_once_is_said_in_its_own_words(
    project: Path, start_shipper: StartShipper, earlier: str
) -> None:
    (project.parent / "semantest.toml").write_text("[plugins.performanc]\nslow = 5\n")
    (project / RECORDER_LOG).write_text(earlier)
    ended_session(project)
    code, said = finish(start_shipper(sync=True, timeout=3600))
    assert code == 3
    reason = "[plugins] no plugin 'performanc' is installed; did you mean 'performance'?"
    assert f"the recorder ended at once: {reason} [{project / RECORDER_LOG}]" in said


def test_a_discovery_file_of_a_dead_recorder_is_replaced(project: Path, start_shipper: StartShipper) -> None:
    stale = {"pid": NO_PID, "url": "http://127.0.0.1:1", "token": "x", "version": "0", "protocolVersion": 1}
    (project / DISCOVERY).write_text(json.dumps(stale))
    journal = ended_session(project)
    assert finish(start_shipper(sync=True))[0] == 0
    assert stored(project, journal.source) == expected(journal)


def test_a_discovery_file_whose_pid_belongs_to_another_program_is_replaced(
    project: Path, start_shipper: StartShipper
) -> None:
    stale = {"pid": os.getpid(), "url": "http://127.0.0.1:1", "token": "x", "version": "0", "protocolVersion": 1}
    (project / DISCOVERY).write_text(json.dumps(stale))
    journal = ended_session(project)
    code, said = finish(start_shipper(sync=True))
    assert code == 0, said
    assert stored(project, journal.source) == expected(journal)


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:999999"])
def test_a_discovery_file_with_an_address_that_is_none_is_replaced(
    project: Path, start_shipper: StartShipper, url: str
) -> None:
    odd = {"pid": os.getpid(), "url": url, "token": "x", "version": "0", "protocolVersion": 1}
    (project / DISCOVERY).write_text(json.dumps(odd))
    journal = ended_session(project)
    code, said = finish(start_shipper(sync=True))
    assert code == 0, said
    assert stored(project, journal.source) == expected(journal)


def test_a_dead_run_is_interrupted_in_the_database_with_its_test_crashed(
    project: Path, start_shipper: StartShipper
) -> None:
    journal = Journal(session(project))
    journal.start()
    journal.test("test_a.py::test_one")
    journal.start_test("test_a.py::test_two")
    assert finish(start_shipper(sync=True))[0] == 0
    with closing(sqlite3.connect(f"file:{project / DATABASE}?mode=ro", uri=True)) as connection:
        assert connection.execute("SELECT state FROM runs").fetchall() == [("interrupted",)]
        states = connection.execute("SELECT test, state FROM v_results ORDER BY test").fetchall()
    assert states == [("test_a.py::test_one", "passed"), ("test_a.py::test_two", "crashed")]


def test_a_journal_whose_first_record_is_damaged_is_taken_in_and_kept(
    project: Path, start_shipper: StartShipper
) -> None:
    journal = ended_session(project)
    data = bytearray(journal.path.read_bytes())
    data[40] ^= 1
    journal.path.write_bytes(data)
    assert finish(start_shipper(sync=True))[0] == 0
    assert stored(project, journal.source) == [(1, "journal/gap"), *expected(journal)[1:]]
    assert (project / "damaged" / f"{journal.folder.name}.main.journal").read_bytes() == bytes(data)


def test_leftovers_behind_a_run_have_a_recorder_with_the_modules_of_the_project(project: Path) -> None:
    """The tests of the project ran, and what they left is shipped when the recorder that they had is gone."""
    (project.parent / "semantest.toml").write_text('[plugins]\nmodules = ["of_the_project"]\n')
    (project.parent / "of_the_project.py").write_text("")
    journal = ended_session(project)
    ship_others(parse(["--directory", str(project), "--session", "another"]), Termination())
    assert stored(project, journal.source) == expected(journal)
