"""Live events: who gets what, and that a reader who does not read harms nobody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
import websocket

from semantest_recorder.server.connection import Connection
from tests.recorder.server.running import RunningServer, batch, records_of_test, run_start, wait_until


def test_a_subscriber_sees_what_was_committed_enriched_and_in_order(server: RunningServer) -> None:
    shipper, watcher = server.connect(), server.connect()
    watcher.subscribe("test/*")
    shipper.send(batch(1, [run_start(), *records_of_test(1), *records_of_test(2)]))
    messages = [watcher.receive() for _ in range(5)]
    assert [m["payload"]["type"] for m in messages] == [
        "test/suite/start",
        "test/start",
        "test/end",
        "test/start",
        "test/end",
    ]
    assert all(m["type"] == "event" for m in messages)
    start = messages[1]["payload"]
    assert start["id"] == "s.main:2"
    assert start["payload"] == records_of_test(1)[0]["payload"] | {
        "runId": "r1",
        "worker": "main",
        "suiteId": "tests/test_a.py",
        "suiteName": "tests/test_a.py",
    }


def test_an_event_is_not_echoed_to_the_connection_that_sent_it(server: RunningServer) -> None:
    shipper, watcher = server.connect(), server.connect()
    shipper.subscribe("*")
    watcher.subscribe("run/start")
    shipper.send(batch(1, [run_start(), *records_of_test(1)]))
    assert shipper.receive()["type"] == "ack"
    assert watcher.receive()["payload"]["type"] == "run/start"
    assert shipper.ask({"id": 1, "type": "ping"})["type"] == "pong", "nothing else was in between"


def test_a_batch_delivered_again_is_not_published_again(server: RunningServer) -> None:
    shipper, watcher = server.connect(), server.connect()
    watcher.subscribe("*")
    for _ in range(3):
        shipper.ask(batch(1, [run_start()]))
    shipper.ask(batch(2, records_of_test(1)))
    ids = [watcher.receive()["id"] for _ in range(3)]
    assert ids[0] == "s.main:1"
    assert "s.main:1" not in ids[1:]


def test_unsubscribing_ends_it_and_subscribing_again_begins_it(server: RunningServer) -> None:
    shipper, watcher = server.connect(), server.connect()
    watcher.subscribe("run/start", "test/end")
    shipper.ask(batch(1, [run_start(), *records_of_test(1)]))
    assert [watcher.receive()["payload"]["type"] for _ in range(2)] == ["run/start", "test/end"]
    watcher.ask({"id": 2, "type": "unsubscribe", "payload": {"eventTypes": ["test/end"]}})
    shipper.ask(batch(4, records_of_test(2)))
    watcher.subscribe("test/end")
    shipper.ask(batch(6, records_of_test(3)))
    assert watcher.receive()["payload"]["payload"]["testId"].endswith("test_3")


@pytest.mark.hazard(23)
def test_a_reader_who_is_stuck_is_dropped_and_slows_nobody(serve: Callable[..., RunningServer]) -> None:
    server = serve(max_queued_bytes=1024 * 1024)  # twice what one batch below publishes
    small = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
    stuck = server.connect(sockopt=small)
    reader, shipper = server.connect(), server.connect()
    stuck.subscribe("*")
    reader.subscribe("test/end")
    shipper.ask(batch(1, [run_start()]))
    noise = {"type": "custom/noise", "timestamp": 1.0, "payload": {"text": "x" * 50_000}}
    seq, rounds = 2, 0
    while server.call(lambda: server.hub.status()["subscribers"]) == 2:
        ack = shipper.ask(batch(seq, [noise] * 10 + records_of_test(rounds)))  # ``stuck`` reads nothing of it
        seq, rounds = ack["seq"] + 1, rounds + 1
        assert ack["type"] == "ack"
        assert reader.receive()["payload"]["type"] == "test/end"
        assert rounds < 500
    assert server.call(lambda: server.hub.status()["subscribers"]) == 1
    wait_until(
        lambda: server.call(lambda: server.hub.status()["connections"]) == 2
    )  # cut, though it still reads nothing
    assert shipper.ask(batch(seq, records_of_test(rounds)))["type"] == "ack"
    assert reader.receive()["payload"]["type"] == "test/end"


@pytest.mark.hazard(23)
def test_a_slow_reader_that_comes_back_is_told_to_resync(serve: Callable[..., RunningServer]) -> None:
    server = serve(max_queued_bytes=1024 * 1024)  # twice what one batch below publishes
    slow = server.connect(sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))
    shipper = server.connect()
    slow.subscribe("*")
    shipper.ask(batch(1, [run_start()]))
    noise = {"type": "custom/noise", "timestamp": 1.0, "payload": {"text": "x" * 50_000}}
    seq = 2
    while server.call(lambda: server.hub.status()["subscribers"]):
        seq = shipper.ask(batch(seq, [noise] * 10))["seq"] + 1
        assert seq < 5000
    assert slow.close_code() == 1013


@pytest.mark.hazard(23)
@pytest.mark.parametrize("kind", ["request", "ping"])
def test_who_asks_and_does_not_read_the_answers_is_not_read_any_more(
    serve: Callable[..., RunningServer], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    limit, size, count = 256 * 1024, 15_000, 60
    queued: list[int] = []
    enqueue = Connection._enqueue

    def watched(connection: Connection, frame: bytes, *, own: bool = True) -> None:
        enqueue(connection, frame, own=own)
        queued.append(connection._queued_bytes)

    monkeypatch.setattr(Connection, "_enqueue", watched)
    server = serve(max_queued_bytes=limit, send_buffer=16 * 1024)
    client = server.connect(sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024),))
    asked = {"id": 0, "type": kind, "method": "echo", "payload": {"text": "x" * size}}

    def ask() -> None:
        for number in range(count):
            client.send(asked | {"id": number})

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    wait_until(lambda: max(queued, default=0) > limit / 2)
    assert [client.receive()["id"] for _ in range(count)] == list(range(count)), "nothing is dropped"
    asking.join()
    assert max(queued) < limit + 2 * size


@pytest.mark.parametrize("leaves", [True, False])
def test_unread_answers_keep_no_connection(
    serve: Callable[..., RunningServer], monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    if not leaves:
        monkeypatch.setattr("semantest_recorder.server.connection.HEARTBEAT_S", 0.5)
    server = serve(max_queued_bytes=1024)
    client = server.connect(sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))

    def ask() -> None:
        with suppress(OSError, websocket.WebSocketException):
            for number in range(1000):
                client.send({"id": number, "type": "ping", "payload": {"text": "x" * 60_000}})

    threading.Thread(target=ask, daemon=True).start()
    wait_until(
        lambda: server.call(lambda: any(c._queued_bytes for c in server.hub._connections.values()) or not leaves)
    )
    if leaves:
        client.cut()
    wait_until(lambda: server.call(lambda: server.hub.status()["connections"]) == 0)
    assert server.call(lambda: server.hub.outgoing.total) == 0, "and nothing waits for it"


def test_when_everybody_has_left_nothing_is_kept_of_them(server: RunningServer) -> None:
    clients = [server.connect() for _ in range(5)]
    for client in clients:
        client.subscribe("*")
    assert server.call(lambda: server.hub.status()["subscribers"]) == 5
    for client in clients[:3]:
        client.close()
    for client in clients[3:]:
        client.cut()
    wait_until(lambda: server.call(lambda: server.hub.status()["connections"]) == 0)
    assert server.call(lambda: server.hub.status()["subscribers"]) == 0


def test_events_of_every_size_arrive_whole_when_many_are_sent_at_once(server: RunningServer) -> None:
    shipper, watcher = server.connect(), server.connect()
    watcher.subscribe("custom/*")
    shipper.ask(batch(1, [run_start()]))
    sizes = [*range(130), *range(65_100, 65_560, 7), 200_000, 1_000_000, 0, 1]
    texts = [str(size % 10) * size for size in sizes]
    events = [{"type": "custom/size", "timestamp": 1.0, "payload": {"text": text}} for text in texts]
    shipper.send(batch(2, events))
    assert [watcher.receive()["payload"]["payload"]["text"] for _ in texts] == texts
    assert watcher.ask({"id": 9, "type": "ping"})["id"] == 9
