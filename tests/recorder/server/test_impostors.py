"""Clients that speak as somebody else: pytest's processes, the recorder, another client."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from semantest_recorder.store.reader import Reader
from tests.recorder.server.running import Client, RunningServer, batch, records_of_test, run_start, wait_until
from tests.recorder.server.saying import now_ms, request, say

NewServer = Callable[..., RunningServer]


def test_a_shipper_cannot_write_what_the_recorder_writes_itself(server: RunningServer) -> None:
    answer = server.connect().ask(batch(1, [run_start("r", session="live/r")], source="live/r.main"))
    assert answer["code"] == "INVALID_MESSAGE"


def test_another_token_does_not_take_over_a_source(serve: NewServer) -> None:
    server = serve(anonymous=True)
    victim = server.connect()
    victim.ask(batch(1, [run_start("p")]))
    victims_id = victim.hello["payload"]["payload"]["clientId"]
    for name in (f"connection {victims_id}", victims_id, ""):
        headers = [f"X-Semantest-Instance: {name}"] if name else []
        thief = Client(f"ws://127.0.0.1:{server.port}/ws", headers)
        assert thief.ask(batch(2, records_of_test(1)))["code"] == "SOURCE_IN_USE"
        thief.close()
    assert victim.ask(batch(2, records_of_test(1)))["type"] == "ack"


@pytest.mark.parametrize("kind", ["worker/crash", "journal/gap", "collect/error", "run/context", "event/dropped"])
def test_clients_do_not_speak_as_pytests_own_processes(server: RunningServer, kind: str) -> None:
    shipper, client = server.connect(), server.connect()
    shipper.ask(batch(1, [run_start("p"), *records_of_test(1)]))
    say(client, kind, {"runId": "p", "session": "s", "worker": "main"})
    assert client.receive()["code"] == "FORBIDDEN"
    assert request(client, "getRunStatus", {"runId": "p"})["status"] == "running"


def test_a_client_may_add_to_a_run_of_pytest_and_neither_end_nor_hold_it(server: RunningServer) -> None:
    shipper, client = server.connect(), server.connect()
    shipper.ask(batch(1, [run_start("p"), *records_of_test(1)]))
    say(client, "test/log", {"testId": "tests/test_a.py::test_1", "message": "seen", "runId": "p"})
    refused = client.ask({"type": "endTestRun", "payload": {"runId": "p"}})
    assert refused["code"] == "RUN_OF_PYTEST"
    say(client, "run/end", {"runId": "p"})
    assert client.receive()["code"] == "RUN_OF_PYTEST"
    end = {"type": "run/end", "timestamp": now_ms(), "payload": {"runId": "p", "exitCode": 0}}
    shipper.ask(batch(4, [end]))
    assert request(client, "getRunStatus", {"runId": "p"})["status"] == "completed"
    client.close()
    wait_until(lambda: [s.state for s in Reader(server.database).sources("p")] == ["ended", "ended"])
    assert Reader(server.database).run("p").state == "passed"
