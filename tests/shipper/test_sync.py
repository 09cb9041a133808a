"""``--sync``: where each session goes, what is waited for, and what is said and given back when not all is shipped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from pytest_semantest.shipper.spawn import shipper_environment
from tests.shipper.conftest import StartShipper, shipper_command
from tests.shipper.ended_sessions import FIRST, NOBODY, SECOND, THIRD, ended, line
from tests.shipper.ingest_server import TOKEN, IngestServer, Misbehaviour
from tests.shipper.journals import Journal, session
from tests.shipper.test_shipping import GIVE_UP_S, finish, publish

pytestmark = pytest.mark.usefixtures("_no_other_recorder")


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


# -- for programs ----------------------------------------------------------------------------------------------


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
