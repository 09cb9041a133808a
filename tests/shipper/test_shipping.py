"""A session shipped by a real shipper process to a real server, which may misbehave."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pytest_semantest.protocol.gaps import GAP_REASON
from pytest_semantest.protocol.layout import RECORDER_LOCK
from pytest_semantest.protocol.record import encode
from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import TOKEN, IngestServer, Misbehaviour
from tests.shipper.journals import Journal, body, session

#: Nothing here takes nearly as long; a machine that is busy with other things may.
DEADLINE_S = 120.0
#: For a shipper that gives up: more than one try to connect may take (``connection.CONNECT_S``).
GIVE_UP_S = 4.0
#: Where nothing can come of it, however fast the machine is.
IN_VAIN_S = 1.0
#: Where the time is over however fast the machine is, and a connection is there meanwhile.
LIMIT_S = 2.0


def finish(process: Any) -> tuple[int, str]:
    _, errors = process.communicate(timeout=DEADLINE_S)
    return process.returncode, errors.decode()


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def ended_session(directory: Path, tests: int = 3, **start: Any) -> Journal:
    journal = Journal(session(directory))
    journal.start(**start)
    for number in range(tests):
        journal.test(f"test_a.py::test_{number}")
    journal.end()
    return journal


def test_an_ended_session_is_shipped_whole_and_its_folder_deleted(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended_session(directory, tests=2000)
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert (code, said) == (0, f"{journal.folder.name}: shipped, {journal.seq + 2} events\n")
    assert server.events[journal.source] == journal.events()
    assert [event["type"] for event in server.events[f"{journal.folder.name}.shipper"]] == [
        "shipper/start",
        "run/context",
    ]
    assert list((directory / "sessions").iterdir()) == []


def test_workers_are_shipped_before_the_end_of_main(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    main = Journal(session(directory))
    main.start()
    workers = [Journal(main.folder, f"gw{number}") for number in range(2)]
    for worker in workers:
        worker.start()
        for number in range(1500):
            worker.test(f"test_{worker.worker}.py::test_{number}")
        worker.end()
    main.end()
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    for journal in (main, *workers):
        assert server.events[journal.source] == journal.events()
    last_of_main = max(n for n, (source, *_) in enumerate(server.batches) if source == main.source)
    assert all(source in (main.source, f"{main.folder.name}.shipper") for source, *_ in server.batches[last_of_main:])


@pytest.mark.hazard(20)
@pytest.mark.parametrize(
    "behaviour",
    [
        Misbehaviour(drop_after=0),
        Misbehaviour(drop_after=3),
        Misbehaviour(swallow_acks=3, drop_after=6),
        Misbehaviour(throttle=5),
        Misbehaviour(error=("STORE_FULL", 3)),
        Misbehaviour(error=("STORE_ERROR", 1)),
        Misbehaviour(error=("SOURCE_IN_USE", 2)),
    ],
    ids=lambda behaviour: repr(behaviour)[13:60],
)
def test_what_the_recorder_does_wrong_loses_and_doubles_nothing(
    directory: Path, server: IngestServer, start_shipper: StartShipper, behaviour: Misbehaviour
) -> None:
    server.behaviour = behaviour
    journal = ended_session(directory, tests=3000)
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert server.events[journal.source] == journal.events()
    assert server.conflicts == []


@pytest.mark.hazard(20)
@pytest.mark.parametrize("behaviour", [Misbehaviour(forge_ack=100_000), Misbehaviour(backward_ack=1500)])
def test_a_forged_or_backward_ack_ends_the_connection(
    directory: Path, server: IngestServer, start_shipper: StartShipper, behaviour: Misbehaviour
) -> None:
    journal = ended_session(directory, tests=3000)
    server.behaviour = behaviour
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert len(server.handshakes) >= 2
    assert server.events[journal.source] == journal.events()


@pytest.mark.parametrize("code", ["SEQ_CONFLICT", "SOURCE_UNKNOWN", "INVALID_MESSAGE"])
def test_a_source_that_is_refused_keeps_its_journal(
    directory: Path, server: IngestServer, start_shipper: StartShipper, code: str
) -> None:
    journal = ended_session(directory)
    server.behaviour = Misbehaviour(error=(code, 1))
    exit_code, said = finish(start_shipper(sync=True, url=server.url))
    assert exit_code == 4
    assert f"not shipped completely: {code}: so it is" in said
    assert journal.path.read_bytes()
    assert json.loads((journal.folder / "ship.json").read_text())["state"] == "stopped"


@pytest.mark.parametrize(("status", "expected"), [(401, 4), (403, 4), (500, 3), (302, 3)])
def test_without_a_recorder_that_takes_it_the_journal_stays(
    directory: Path, server: IngestServer, start_shipper: StartShipper, status: int, expected: int
) -> None:
    journal = ended_session(directory)
    server.behaviour = Misbehaviour(status=status)
    in_vain = IN_VAIN_S if expected == 3 else GIVE_UP_S
    exit_code, said = finish(start_shipper(sync=True, url=server.url, give_up=in_vain))
    assert exit_code == expected
    assert "not shipped: " in said
    assert journal.path.exists()
    server.behaviour = Misbehaviour()
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert server.events[journal.source] == journal.events()


def test_a_recorder_of_an_older_protocol_is_refused_in_one_line(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended_session(directory)
    server.behaviour = Misbehaviour(protocol=0)
    exit_code, said = finish(start_shipper(sync=True, url=server.url, give_up=GIVE_UP_S))
    assert exit_code == 4
    assert "speaks protocol 0, 1 is needed" in said
    assert journal.path.exists()


def test_a_journal_that_grows_is_followed_until_pytest_is_gone(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    process = start_shipper(journal.folder.name, url=server.url)
    server.wait_for(lambda: len(server.events.get(journal.source, [])) == 1)
    journal.test("test_a.py::test_one")
    server.wait_for(lambda: len(server.events[journal.source]) == 3)
    journal.end()
    state = journal.folder / "ship.json"
    wait_until(lambda: json.loads(state.read_text())["state"] == "done", "ship.json never said done")
    assert json.loads(state.read_text())["sources"]["main"] == {"acked": 4, "read": 4, "ended": True}
    assert state.stat().st_mode & 0o777 == 0o600
    assert process.poll() is None  # pytest, which this process plays, still runs


@pytest.mark.hazard(21)
def test_a_recorder_that_comes_back_elsewhere_is_found_again(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    with published(directory, server):
        start_shipper(journal.folder.name)
        server.wait_for(lambda: len(server.events.get(journal.source, [])) == 1)
        server.restart()
        publish(directory, server)
        for number in range(50):
            journal.test(f"test_a.py::test_{number}")
        journal.end()
        server.wait_for(lambda: server.events[journal.source] == journal.events())


@pytest.mark.hazard(29)
def test_a_recorder_that_lost_its_database_gets_everything_again(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    journal.test("test_a.py::test_one")
    start_shipper(journal.folder.name, url=server.url)
    server.wait_for(lambda: len(server.events.get(journal.source, [])) == 3)
    server.events.clear()
    server.cut()
    journal.test("test_a.py::test_two")
    server.wait_for(lambda: server.events.get(journal.source) == journal.events())


def publish(directory: Path, server: IngestServer) -> None:
    facts = {"pid": os.getpid(), "url": server.url, "token": TOKEN, "version": "0", "protocolVersion": 1}
    temporary = directory / "recorder.json.new"
    temporary.write_text(json.dumps(facts))
    temporary.replace(directory / "recorder.json")


@contextmanager
def published(directory: Path, server: IngestServer) -> Iterator[None]:
    """The server is the project's recorder: no other one can start, however long a shipper does not reach it."""
    with FileLock(directory / RECORDER_LOCK):
        publish(directory, server)
        yield


@pytest.mark.hazard(14)
def test_proxies_of_the_environment_are_not_used(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended_session(directory)
    dead = "http://127.0.0.1:1"
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "ws_proxy")
    process = start_shipper(sync=True, url=server.url, environment=dict.fromkeys(names, dead))
    assert finish(process)[0] == 0
    assert server.events[journal.source] == journal.events()
    assert "Origin" not in server.handshakes[0].headers
    assert server.handshakes[0].path == "/ws"


def test_a_module_in_the_working_directory_shadows_nothing(
    directory: Path, server: IngestServer, start_shipper: StartShipper, tmp_path: Path
) -> None:
    journal = ended_session(directory)
    for name in ("websocket", "psutil", "filelock", "json", "semantest_recorder", "pytest_semantest"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'harm')!r}, 'w')\nraise SystemExit(99)\n")
    process = start_shipper(sync=True, url=server.url, environment={"PYTHONPATH": str(tmp_path)})
    assert finish(process)[0] == 0
    assert server.events[journal.source] == journal.events()
    assert not (tmp_path / "harm").exists()


@pytest.mark.hazard(15)
def test_a_damaged_journal_is_shipped_with_gaps_and_kept(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory))
    journal.start()
    journal.test("test_a.py::test_one")
    line = encode(4, body("test/start", testId="test_a.py::test_two"))
    journal.write_raw(line[:30] + b"X" + line[31:])
    journal.seq = 4
    journal.write("test/end", testId="test_a.py::test_two")
    journal.end()
    journal.write_raw(encode(7, b"{}")[:9])
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    types = server.types()[journal.source]
    assert types == ["run/start", "test/start", "test/end", "journal/gap", "test/end", "run/end", "journal/gap"]
    assert server.events[journal.source][3]["payload"] == {"reason": GAP_REASON}
    assert server.events[journal.source][6]["payload"] == {"reason": GAP_REASON}
    kept = directory / "damaged" / f"{journal.folder.name}.main.journal"
    assert line[31:] in kept.read_bytes()


def test_a_folder_without_a_readable_record_is_told_and_left(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    folder = session(directory)
    (folder / "main.journal").write_bytes(b"\0" * 500)
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert code == 5
    assert "no record of its journals can be read" in said
    assert (folder / "main.journal").read_bytes() == b"\0" * 500


def test_sigterm_sends_what_there_is_and_ends(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    process = start_shipper(journal.folder.name, url=server.url)
    server.wait_for(lambda: len(server.events.get(journal.source, [])) == 1)
    process.send_signal(signal.SIGINT)  # Ctrl-C is pytest's business
    for number in range(400):  # more than one batch, and little beside the seconds that it has
        journal.test(f"test_a.py::test_{number}")
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0
    assert server.events[journal.source] == journal.events()
    assert journal.path.exists()


def test_a_second_shipper_leaves_a_session_that_has_one(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    shipper = start_shipper(journal.folder.name, url=server.url)
    server.wait_for(lambda: len(server.events.get(journal.source, [])) == 1)
    code, said = finish(start_shipper(sync=True, url=server.url, timeout=3600))
    assert (code, said) == (0, f"{journal.folder.name}: still runs, its shipper (pid {shipper.pid}) ships it\n")


def test_a_running_session_without_a_shipper_is_shipped_so_far_and_not_closed(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    journal.start_test("test_a.py::test_one")
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert (code, said) == (0, f"{journal.folder.name}: still runs, 2 events are acknowledged\n")
    assert server.types() == {journal.source: ["run/start", "test/start"]}
    assert not (journal.folder / "shipper.journal").exists()
