"""``--sync`` beside another shipper: who is waited for, asked to give way, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from tests.shipper.conftest import StartShipper
from tests.shipper.ended_sessions import FIRST, NOBODY, SECOND, ended, line
from tests.shipper.ingest_server import IngestServer, Misbehaviour
from tests.shipper.journals import Journal, session
from tests.shipper.test_shipping import finish, wait_until

pytestmark = pytest.mark.usefixtures("_no_other_recorder")


def test_another_shipper_is_waited_for_in_words_and_behind_all_others(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    held = ended(directory, FIRST, pid=os.getpid(), state="refused", detail="no valid token")
    free = ended(directory, SECOND)
    with FileLock(held.folder / "ship.lock"):
        process = start_shipper(sync=True, url=server.url, timeout=3600)
        assert line(process) == f"waiting for the shipper of session {FIRST} (pid {os.getpid()}, no valid token)\n"
        assert line(process).startswith(f"{SECOND}: shipped")
        assert free.source in server.events
        assert held.source not in server.events
    assert finish(process)[0] == 0
    assert held.source in server.events


def test_what_the_other_shipper_delivers_is_shipped(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    held = ended(directory, FIRST)
    with FileLock(held.folder / "ship.lock"):
        process = start_shipper(sync=True, url=server.url, timeout=3600)
        assert line(process) == f"waiting for the shipper of session {FIRST}\n"
        held.path.unlink()
    assert finish(process) == (0, f"{FIRST}: shipped by its own shipper\n")


def test_a_folder_that_goes_away_while_it_is_waited_for_does_not_come_back(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    held, other = ended(directory, FIRST), ended(directory, SECOND)
    with FileLock(held.folder / "ship.lock"), FileLock(other.folder / "ship.lock"):
        process = start_shipper(sync=True, url=server.url, timeout=3600)
        assert line(process) == f"waiting for the shipper of session {FIRST}\n"
        wait_until((other.folder / "ship.yield").exists, "both are waited for")
        shutil.rmtree(held.folder.rename(directory / "sessions" / f".done-{FIRST}"))
    code, said = finish(process)
    assert (code, f"{FIRST}: shipped by its own shipper\n" in said) == (0, True)
    assert list((directory / "sessions").iterdir()) == []


def test_journals_that_are_deleted_while_they_are_waited_for_are_not_called_shipped(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    held = ended(directory, FIRST, state="refused")
    with FileLock(held.folder / "ship.lock"):
        process = start_shipper(sync=True, url=server.url, timeout=3600)
        assert line(process) == f"waiting for the shipper of session {FIRST}\n"
        held.path.unlink()
    assert finish(process) == (5, f"{FIRST}: left where it is: its journals were deleted from outside\n")


def test_every_shipper_that_is_waited_for_is_asked_at_once_and_taken_in_its_turn(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    first, second = ended(directory, FIRST), ended(directory, SECOND)
    with FileLock(first.folder / "ship.lock"):
        with FileLock(second.folder / "ship.lock"):
            process = start_shipper(sync=True, url=server.url, timeout=3600)
            for journal in (first, second):
                wait_until((journal.folder / "ship.yield").exists, "all are asked to let go")
        assert [line(process) for _ in range(3)][-1].startswith(f"{SECOND}: shipped, ")
        assert first.source not in server.events
    assert finish(process)[0] == 0
    assert first.source in server.events


def test_a_lock_that_cannot_be_taken_is_called_so(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal, other = ended(directory, FIRST), ended(directory, SECOND)
    (journal.folder / "ship.lock").mkdir()
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert (code, other.source in server.events) == (5, True)
    assert said.splitlines()[-1] == f"{FIRST}: left where it is: its lock cannot be taken: Is a directory"


def test_a_shipper_without_a_recorder_gives_way_once_its_run_is_over(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended(directory, FIRST)
    stuck = start_shipper(FIRST, url=NOBODY, give_up=3600)
    state = journal.folder / "ship.json"
    wait_until(
        lambda: state.exists() and json.loads(state.read_text())["state"] == "unreachable", "it never told its trouble"
    )
    code, said = finish(start_shipper(sync=True, url=server.url, timeout=20))
    assert (code, said.splitlines()[-1]) == (0, f"{FIRST}: shipped, {len(server.events[journal.source]) + 2} events")
    assert finish(stuck)[0] == 3
    assert not journal.folder.exists()


def test_a_shipper_of_a_run_that_goes_on_does_not_give_way(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    server.behaviour = Misbehaviour(status=401)
    shipper = start_shipper(journal.folder.name, url=server.url)
    server.wait_for(lambda: len(server.handshakes) == 1)
    (journal.folder / "ship.yield").touch()
    server.wait_for(lambda: len(server.handshakes) == 3)
    assert shipper.poll() is None


def test_a_shipper_that_does_not_end_in_time_is_no_success(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    held = ended(directory, FIRST, pid=os.getpid())
    with FileLock(held.folder / "ship.lock"):
        code, said = finish(start_shipper(sync=True, url=server.url, timeout=0.3))
    assert code == 6
    told = said.splitlines()[-1]
    assert told == f"{FIRST}: not shipped here: its shipper (pid {os.getpid()}) was at work when the time was over"
