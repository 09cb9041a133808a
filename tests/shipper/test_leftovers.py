"""Sessions that earlier shippers left, and others that stand in their way."""

from __future__ import annotations

import json
import os
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from filelock import FileLock

from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import IngestServer, Misbehaviour
from tests.shipper.journals import Journal, session
from tests.shipper.test_shipping import GIVE_UP_S, finish, published, wait_until

FIRST, SECOND = "20261121-080000-aaaaaa", "20261121-090000-bbbbbb"


def ended(directory: Path, name: str) -> Journal:
    journal = Journal(session(directory, name))
    journal.start()
    journal.test("test_a.py::test_one")
    journal.end()
    return journal


def test_a_folder_without_a_journal_does_not_stand_in_the_way(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    empty = session(directory, FIRST)
    (empty / "ship.lock").touch()
    journal = ended(directory, SECOND)
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert code == 0
    assert said == f"{SECOND}: shipped, {journal.seq + 2} events\n"
    assert empty.exists()
    hours_ago = time.time() - 7200
    os.utime(empty, (hours_ago, hours_ago))
    assert finish(start_shipper(sync=True, url=server.url)) == (0, "")
    assert not empty.exists()


def test_a_journal_that_cannot_be_opened_does_not_stand_in_the_way(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    (session(directory, FIRST) / "main.journal").symlink_to("nowhere")
    journal = ended(directory, SECOND)
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert code == 5
    assert f"{FIRST}: left where it is" in said
    assert server.events[journal.source] == journal.events()


def test_a_run_ships_what_earlier_ones_left_behind_its_own(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    left, own = ended(directory, FIRST), ended(directory, SECOND)
    code, said = finish(start_shipper(SECOND, url=server.url))
    assert (code, said) == (0, "")
    assert server.events[left.source] == left.events()
    assert server.events[own.source] == own.events()
    assert list((directory / "sessions").iterdir()) == []
    assert server.batches[0][0] == own.source


def test_a_bad_session_does_not_keep_those_behind_it_from_being_shipped(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    bad, left, own = ended(directory, "20261121-070000-cccccc"), ended(directory, FIRST), ended(directory, SECOND)
    (bad.folder / "shipper.journal").mkdir()
    assert finish(start_shipper(SECOND, url=server.url)) == (0, "")
    assert set(server.events) >= {left.source, own.source}
    assert "IsADirectoryError" in (bad.folder / "shipper.log").read_text()
    bad.path.unlink()
    (bad.folder / "main.journal").symlink_to("nowhere")
    third = ended(directory, "20261121-060000-eeeeee")
    later = ended(directory, "20261121-100000-ffffff")
    assert finish(start_shipper(third.folder.name, url=server.url)) == (0, "")
    assert set(server.events) >= {third.source, later.source}


def test_what_goes_wrong_with_a_session_stands_in_its_log(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended(directory, FIRST)
    (journal.folder / "shipper.journal").mkdir()
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert (code, said) == (5, f"{FIRST}: left where it is: it cannot be read: shipper.journal: Is a directory\n")
    assert "IsADirectoryError" in (journal.folder / "shipper.log").read_text()


def test_what_could_not_be_read_and_is_gone_is_waited_for_no_more(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended(directory, FIRST)
    (journal.folder / "gw0.journal").mkdir()
    shipper = start_shipper(FIRST, url=server.url, give_up=3600)
    server.wait_for(lambda: len(server.events.get(journal.source, ())) == journal.seq)
    (journal.folder / "gw0.journal").rmdir()
    assert finish(shipper) == (0, "")


def test_a_shipper_whose_session_another_one_has_shipped_ends_at_once(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    left, own = ended(directory, FIRST), ended(directory, SECOND)
    assert finish(start_shipper(SECOND, url=server.url))[0] == 0
    assert set(server.events) >= {left.source, own.source}
    handshakes = len(server.handshakes)
    assert finish(start_shipper(FIRST, url=server.url)) == (0, "")
    assert len(server.handshakes) == handshakes
    assert list((directory / "sessions").iterdir()) == []


@pytest.mark.parametrize("own", [True, False], ids=["the project's own", "a named one"])
def test_a_run_ships_what_is_meant_for_its_recorder_however_its_address_was_written(
    directory: Path, server: IngestServer, start_shipper: StartShipper, own: bool
) -> None:
    left, ours = ended(directory, FIRST), ended(directory, SECOND)
    (left.folder / "ship.json").write_text(json.dumps({"named": True, "recorder": f"{server.url}/"}))
    with published(directory, server) if own else nullcontext():
        assert finish(start_shipper(SECOND, **({} if own else {"url": server.url})))[0] == 0
    assert set(server.events) >= {left.source, ours.source}


def test_a_run_leaves_the_sessions_of_others_alone(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    running = Journal(session(directory, "20261121-070000-cccccc"), pid=os.getpid())
    running.start()
    held, elsewhere, refused = (ended(directory, f"20261121-07000{n}-dddddd") for n in (1, 2, 3))
    (elsewhere.folder / "ship.json").write_text(json.dumps({"named": True, "recorder": "http://127.0.0.1:1"}))
    (refused.folder / "ship.json").write_text(json.dumps({"named": True, "recorder": server.url, "state": "stopped"}))
    own = ended(directory, SECOND)
    with FileLock(held.folder / "ship.lock"):
        assert finish(start_shipper(SECOND, url=server.url))[0] == 0
    assert set(server.events) == {own.source, f"{SECOND}.shipper"}
    assert all(journal.path.exists() for journal in (running, held, elsewhere, refused))


def test_sync_does_not_wait_for_a_run_whose_recorder_is_out_of_reach(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    server.behaviour = Misbehaviour(status=500)
    code, said = finish(start_shipper(sync=True, url=server.url, timeout=0.5))
    assert code == 3
    assert "not shipped: " in said
    server.behaviour = Misbehaviour(status=401)
    assert finish(start_shipper(sync=True, url=server.url, timeout=GIVE_UP_S))[0] == 4
    server.behaviour = Misbehaviour(error=("SEQ_CONFLICT", 1))
    assert finish(start_shipper(sync=True, url=server.url))[0] == 4
    assert journal.path.exists()


def test_ship_json_says_whether_the_recorder_was_named(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    start_shipper(journal.folder.name, url=server.url)
    server.wait_for(lambda: journal.source in server.events)
    told = json.loads((journal.folder / "ship.json").read_text())
    assert (told["named"], told["recorder"]) == (True, server.url)


@pytest.mark.parametrize("named", [True, False])
def test_trying_another_recorder_by_hand_does_not_change_whom_a_session_is_meant_for(
    directory: Path, server: IngestServer, start_shipper: StartShipper, named: bool
) -> None:
    journal = ended(directory, FIRST)
    state = journal.folder / "ship.json"
    state.write_text(json.dumps({"named": named, "recorder": "http://127.0.0.1:9"}))
    server.behaviour = Misbehaviour(status=500)
    assert finish(start_shipper(sync=True, url=server.url, timeout=0.5))[0] == 3
    told = json.loads(state.read_text())
    assert told["named"] is named
    assert told["recorder"] == ("http://127.0.0.1:9" if named else server.url)


def test_done_does_not_wait_for_a_slow_git(
    directory: Path, server: IngestServer, start_shipper: StartShipper, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    os.mkfifo(tmp_path / "go")
    git = tmp_path / "bin" / "git"
    git.write_text(f"#!/bin/sh\nread line < {tmp_path}/go\n")  # opening waits for a writer
    git.chmod(0o755)
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    start_shipper(journal.folder.name, url=server.url, environment={"PATH": path})
    journal.end()
    state = journal.folder / "ship.json"
    wait_until(lambda: state.exists() and json.loads(state.read_text())["state"] == "done", "ship.json never said done")
    assert server.of_type("run/context") == []
    quick = tmp_path / "quick"
    quick.write_text("#!/bin/sh\nexit 1\n")
    quick.chmod(0o755)
    quick.replace(git)
    go = os.open(tmp_path / "go", os.O_RDWR)  # opening does not wait, whether or not the slow one is still there
    os.write(go, b"\n")
    server.wait_for(lambda: bool(server.of_type("run/context")))
    os.close(go)
