"""``--sync``: where each session goes, what is waited for, and what is said and given back when not all is shipped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from filelock import FileLock

from pytest_semantest.protocol.layout import RECORDER_LOCK
from pytest_semantest.shipper.spawn import shipper_environment
from tests.shipper.conftest import StartShipper, shipper_command
from tests.shipper.ingest_server import TOKEN, IngestServer, Misbehaviour
from tests.shipper.journals import NO_PID, Journal, session
from tests.shipper.test_shipping import GIVE_UP_S, LIMIT_S, finish, publish, wait_until

FIRST, SECOND, THIRD = "20261121-080000-aaaaaa", "20261121-090000-bbbbbb", "20261121-100000-cccccc"
NOBODY = "http://127.0.0.1:1"


def ended(directory: Path, name: str, *, url: str | None = None, **told: Any) -> Journal:
    """A session that has ended; ``url``: the recorder that was named for it."""
    journal = Journal(session(directory, name))
    journal.start()
    journal.test("test_a.py::test_one")
    journal.end()
    if url is not None:
        told |= {"recorder": url, "named": True}
    if told:
        (journal.folder / "ship.json").write_text(json.dumps(told))
    return journal


def line(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    return process.stderr.readline().decode()


@pytest.fixture(autouse=True)
def _no_other_recorder(directory: Path) -> Iterator[None]:
    """What is published here is the project's recorder, also while a shipper does not reach it."""
    with FileLock(directory / RECORDER_LOCK):
        yield


@pytest.fixture
def other() -> Iterator[IngestServer]:
    with IngestServer() as running:
        yield running


# -- where a session goes --------------------------------------------------------------------------------------


def test_every_session_goes_where_it_was_meant_to_go(
    directory: Path, server: IngestServer, other: IngestServer, start_shipper: StartShipper
) -> None:
    publish(directory, server)
    named = ended(directory, FIRST, url=other.url)
    own = ended(directory, SECOND, recorder=server.url, named=False)
    untold = ended(directory, THIRD)
    code, said = finish(start_shipper(sync=True))
    assert (code, said.count(": shipped, ")) == (0, 3)
    assert other.events[named.source] == named.events()
    assert server.events[own.source] == own.events()
    assert server.events[untold.source] == untold.events()
    assert not any(source.startswith(FIRST) for source in server.events)


def test_a_session_of_which_no_recorder_is_known_goes_where_the_environment_says(
    directory: Path, server: IngestServer, other: IngestServer, start_shipper: StartShipper
) -> None:
    publish(directory, server)
    own = ended(directory, FIRST, recorder=server.url, named=False)
    untold = ended(directory, SECOND)
    other.behaviour = Misbehaviour(status=500)
    assert finish(start_shipper(sync=True, otherwise=other.url, give_up=GIVE_UP_S))[0] == 3
    assert own.source in server.events
    other.behaviour = Misbehaviour()
    assert finish(start_shipper(sync=True, otherwise=other.url))[0] == 0, "a try that failed decides nothing"
    assert other.events[untold.source] == untold.events()
    assert not any(source.startswith(SECOND) for source in server.events)


def test_here_and_url_take_every_session(
    directory: Path, server: IngestServer, other: IngestServer, start_shipper: StartShipper
) -> None:
    publish(directory, server)
    first = ended(directory, FIRST, url=NOBODY)
    assert finish(start_shipper(sync=True, here=True))[0] == 0
    second, third = ended(directory, SECOND, url=NOBODY), ended(directory, THIRD, named=False)
    assert finish(start_shipper(sync=True, url=other.url))[0] == 0
    assert first.source in server.events
    assert {second.source, third.source} < set(other.events)


def test_the_own_recorder_named_by_its_address_is_the_own_one(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    publish(directory, server)
    ended(directory, FIRST, url=f"{server.url}/")
    process = start_shipper(sync=True, environment={"OTHER": "not the recorder's"}, token_env="OTHER")
    assert finish(process)[0] == 0


def test_a_token_beside_an_address_is_for_that_recorder_alone(
    directory: Path, server: IngestServer, other: IngestServer, start_shipper: StartShipper
) -> None:
    ended(directory, FIRST, url=other.url)
    own = ended(directory, SECOND)
    code, said = finish(start_shipper(sync=True, otherwise=server.url))
    assert code == 4
    assert f"{FIRST}: not shipped: the recorder refuses" in said
    assert "Authorization" not in other.handshakes[0].headers
    assert own.source in server.events


@pytest.mark.parametrize("name", ["0.0.0.0", "127.0.0.1@0.0.0.0"])
def test_a_token_goes_to_no_other_host_that_only_the_folder_names(
    directory: Path, server: IngestServer, start_shipper: StartShipper, name: str
) -> None:
    url = f"http://{name}:{server.port}"  # leads here, and is no loopback address
    journal = ended(directory, FIRST, url=url)
    code, said = finish(start_shipper(sync=True))
    assert (code, "no valid token" in said) == (4, True)
    assert "Authorization" not in server.handshakes[0].headers
    assert finish(start_shipper(sync=True, otherwise=f"{url}/"))[0] == 0
    assert server.events[journal.source] == journal.events()


def test_only_what_is_meant_for_the_own_recorder(
    directory: Path, server: IngestServer, other: IngestServer, start_shipper: StartShipper
) -> None:
    publish(directory, server)
    elsewhere = ended(directory, FIRST, url=other.url)
    own = ended(directory, SECOND)
    too = ended(directory, THIRD, url=server.url)
    code, said = finish(start_shipper(sync=True, own=True))
    assert (code, said.count(": shipped, "), FIRST in said) == (0, 2, False)
    assert {own.source, too.source} < set(server.events)
    assert (other.handshakes, elsewhere.path.exists()) == ([], True)


# -- a recorder that cannot be had -----------------------------------------------------------------------------


def test_a_refused_token_is_tried_once_and_named(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    ended(directory, FIRST, url=server.url)
    ended(directory, SECOND, url=server.url)
    server.behaviour = Misbehaviour(status=401)
    code, said = finish(start_shipper(sync=True, quiet=True))
    assert code == 4
    assert len(server.handshakes) == 1
    refused = "not shipped: the recorder refuses the connection (HTTP 401): no valid token"
    assert said.splitlines() == [f"2 sessions ({FIRST}, {SECOND}): {refused}"]


def test_the_shipper_of_a_run_goes_on_trying_as_a_token_can_be_mended(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    server.behaviour = Misbehaviour(status=401)
    start_shipper(journal.folder.name, url=server.url)
    server.wait_for(lambda: len(server.handshakes) == 2)
    server.behaviour = Misbehaviour()
    server.wait_for(lambda: journal.source in server.events)


def test_a_recorder_out_of_reach_does_not_stop_what_is_meant_for_another(
    directory: Path, server: IngestServer, other: IngestServer, start_shipper: StartShipper
) -> None:
    publish(directory, server)
    away, too = ended(directory, FIRST, url=NOBODY), ended(directory, SECOND, url=NOBODY)
    refused, own = ended(directory, "20261121-100000-dddddd", url=other.url), ended(directory, THIRD)
    other.behaviour = Misbehaviour(status=403)
    code, said = finish(start_shipper(sync=True, give_up=GIVE_UP_S))
    assert code == 4, "a refusal needs a hand: it goes before a recorder that is not there"
    assert said.count("not shipped: ") == 2, "one line for each recorder"
    assert server.events[own.source] == own.events()
    assert all(journal.path.exists() for journal in (away, too, refused))


def test_a_session_for_an_address_that_is_none_does_not_stop_the_others(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    odd = ended(directory, FIRST, url="http://[")
    too = ended(directory, SECOND, url=server.url)
    code, said = finish(start_shipper(sync=True, timeout=3))
    assert code == 3
    assert said.splitlines()[-1].startswith(f"{FIRST}: not shipped: ")
    assert odd.path.exists()
    assert too.source in server.events


def test_a_recorder_that_is_not_there_is_told_while_it_is_tried(directory: Path, start_shipper: StartShipper) -> None:
    ended(directory, FIRST, url=NOBODY)
    process = start_shipper(sync=True, timeout=3600)
    assert line(process) == f"{FIRST}: no recorder yet (127.0.0.1:1: Connection refused), trying on\n"
    process.send_signal(signal.SIGINT)
    code, said = finish(process)
    assert code == 6
    assert said.startswith(f"{FIRST}: stopped")


# -- another shipper -------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("how", ["broken pipe", "closed"])
def test_all_is_shipped_when_nobody_reads_what_it_says(directory: Path, server: IngestServer, how: str) -> None:
    journals = [ended(directory, name) for name in (FIRST, SECOND, THIRD)]
    command = shipper_command(directory, None, sync=True, url=server.url, json=True)
    reading, writing = os.pipe()
    os.close(reading)
    if how == "closed":
        command = ["sh", "-c", '"$@" 2>&-', "sh", *command]
    process = subprocess.Popen(
        command, env=shipper_environment(os.environ, token=TOKEN), stdout=subprocess.PIPE, stderr=writing
    )
    os.close(writing)
    told, _ = process.communicate(timeout=60)
    assert (process.returncode, [json.loads(text)["outcome"] for text in told.splitlines()]) == (0, ["shipped"] * 3)
    assert {journal.source for journal in journals} < set(server.events)


def test_results_that_nobody_reads_are_no_failure(directory: Path, server: IngestServer) -> None:
    journal = ended(directory, FIRST)
    command = shipper_command(directory, None, sync=True, url=server.url, json=True)
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        command, env=shipper_environment(os.environ, token=TOKEN), stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.decode()) == (0, f"{FIRST}: shipped, {journal.seq + 2} events\n")


# -- one limit -------------------------------------------------------------------------------------------------


class Demanding(IngestServer):
    """Acknowledges all but the newest event, and has the journal grow by one test with every batch."""

    journal: Journal

    async def _batch(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        self.behaviour.backward_ack = 1
        await super()._batch(socket, message)
        self.journal.test(f"test_a.py::test_{self.journal.seq}")


@pytest.mark.parametrize("pid", [os.getpid(), NO_PID], ids=["running", "ended"])
def test_a_session_that_never_stops_growing_ends_at_the_limit(
    directory: Path, start_shipper: StartShipper, pid: int
) -> None:
    journal = Journal(session(directory), pid=pid)
    journal.start()
    with Demanding() as server:
        server.journal = journal
        code, said = finish(start_shipper(sync=True, url=server.url, timeout=LIMIT_S))
    told = said.splitlines()[-1]
    assert told.endswith("events were acknowledged when the time was over")
    assert (" still runs; " in told, code) == (pid != NO_PID, 0 if pid != NO_PID else 6)
    assert journal.path.exists()


def test_a_recorder_that_acknowledges_nothing_is_left_at_the_limit(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended(directory, FIRST)
    server.behaviour = Misbehaviour(swallow_acks=-1)
    code, said = finish(start_shipper(sync=True, url=server.url, timeout=LIMIT_S))
    assert code == 6
    assert f"{FIRST}: not shipped completely: 0 of " in said
    assert journal.path.exists()


def test_an_address_that_never_answers_takes_no_more_than_its_share(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = ended(directory, FIRST, url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        too = ended(directory, SECOND, url=f"http://localhost:{server.port}")
        code, said = finish(start_shipper(sync=True, timeout=3))
    assert (code, away.path.exists()) == (3, True), said
    assert server.events[too.source] == too.events()


class Dropping(IngestServer):
    """Greets, and cuts the connection with the first batch."""

    async def _batch(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        await self._cut()


def test_a_recorder_that_greets_and_takes_nothing_takes_no_more_than_its_share(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    with Dropping() as dropping:
        away = ended(directory, FIRST, url=dropping.url)
        too = ended(directory, SECOND, url=f"http://localhost:{server.port}")
        code, said = finish(start_shipper(sync=True, timeout=GIVE_UP_S))
    assert (code, away.path.exists()) == (3, True), said
    assert server.events[too.source] == too.events()


# -- for programs ----------------------------------------------------------------------------------------------


def test_a_dry_run_says_where_each_session_would_go_and_ships_none(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    ended(directory, FIRST, url=server.url)
    held = ended(directory, SECOND, pid=os.getpid())
    running = Journal(session(directory, THIRD), pid=os.getpid())
    running.start()
    with FileLock(held.folder / "ship.lock"):
        code, said = finish(start_shipper(sync=True, dry_run=True))
    assert code == 0
    assert said.splitlines() == [
        f"{FIRST}: would go to {server.url}",
        f"{SECOND}: would go to the project's own recorder, after its shipper (pid {os.getpid()})",
        f"{THIRD}: would go to the project's own recorder, so far: it still runs",
    ]
    assert server.handshakes == []
    assert [path.name for path in running.folder.iterdir()] == ["main.journal"], "nothing was written"


def test_results_for_programs_are_lines_of_json(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended(directory, FIRST, url=server.url)
    ended(directory, SECOND, url=NOBODY)
    command = shipper_command(directory, None, sync=True, give_up=GIVE_UP_S, json=True)
    done = subprocess.run(
        command, env=shipper_environment(os.environ, token=TOKEN), capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 3
    second, first = sorted((json.loads(text) for text in done.stdout.splitlines()), key=lambda told: told["outcome"])[
        ::-1
    ]
    events = journal.seq + 2
    assert first == {
        "session": FIRST,
        "outcome": "shipped",
        "recorder": server.url,
        "acknowledged": events,
        "events": events,
        "detail": "",
        "wantsToken": False,
        "inVain": False,
    }
    assert (second["session"], second["outcome"], second["recorder"]) == (SECOND, "unreachable", NOBODY)
