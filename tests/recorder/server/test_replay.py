"""Stored events are sent once more: to whom, in which time, and until when."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from itertools import repeat
from threading import Event
from typing import Any

import pytest

from semantest_recorder.archive import Archive
from semantest_recorder.server.replaying import Replay
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.timeline import TimedEvent, events_between
from tests.recorder.server.running import DEADLINE_S, RunningServer, batch, records_of_test, run_start, wait_until
from tests.recorder.server.saying import now_ms


def test_a_replay_goes_to_who_asked_and_to_subscribers_and_changes_nothing(server: RunningServer) -> None:
    client, subscriber = server.connect(), server.connect()
    client.ask(batch(1, [run_start("p"), *(r for number in range(300) for r in records_of_test(number))]))
    subscriber.subscribe("test/end")
    before = Reader(server.database).sources("p")
    at = run_start()["timestamp"]
    started = client.ask({"type": "replayEvents", "payload": {"startTime": at, "endTime": at + 1000}})
    assert started["type"] == "replayStarted"
    replayed = []
    while (message := client.receive())["type"] != "replayEnded":
        assert message["replay"] == started["payload"]["replayId"]
        replayed.append(message["payload"])
    assert len(replayed) == 601
    assert (message["payload"]["events"], message["payload"]["completed"]) == (601, True)
    assert [subscriber.until("event")["payload"]["type"] for _ in range(300)] == ["test/end"] * 300
    assert Reader(server.database).sources("p") == before


def test_a_replay_takes_the_time_that_its_speed_says(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(_replay: Replay, seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(Replay, "_pause", pause)
    client = server.connect()
    start = run_start()
    at = start["timestamp"]
    later = [{"type": "custom/x", "timestamp": at + more, "payload": {}} for more in (1000, 1000, 3000)]
    client.ask(batch(1, [start, *later]))
    for speed, expected in ((1, [1.0, 0.0, 2.0]), (4, [0.25, 0.0, 0.5]), (0.5, [2.0, 0.0, 4.0]), (0, [])):
        client.ask({"type": "replayEvents", "payload": {"startTime": at, "endTime": at + 9999, "speed": speed}})
        assert client.until("replayEnded")["payload"]["events"] == 4
        assert pauses == expected
        pauses.clear()


def test_a_replay_waits_for_who_reads_and_ends_with_who_asked(serve: Callable[..., RunningServer]) -> None:
    server = serve(max_queued_bytes=3 * 1024 * 1024, send_buffer=128 * 1024)
    client = server.connect(sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024),))
    text = "x" * 100_000
    log = [
        {"type": "test/log", "timestamp": now_ms() + n, "payload": {"testId": "t", "message": text}} for n in range(40)
    ]
    client.send(batch(1, [run_start("p"), *log[:20]]))
    assert client.receive()["type"] == "ack"
    client.send(batch(22, log[20:]))
    assert client.receive()["type"] == "ack"
    wanted = {"startTime": 0, "endTime": now_ms() + 10_000}
    client.ask({"type": "replayEvents", "payload": wanted})
    replayed = 0
    while client.receive()["type"] != "replayEnded":
        replayed += 1
    assert replayed == 41
    for _ in range(8):
        client.ask({"type": "replayEvents", "payload": {**wanted, "speed": 1e-9}})
    refused = client.ask({"type": "request", "method": "replayEvents", "payload": wanted})
    while refused["type"] != "response":
        refused = client.receive()
    assert refused["payload"]["code"] == "RATE_LIMITED"
    client.cut()
    wait_until(lambda: not server.hub._replaying)


def test_a_replay_that_nobody_wants_any_more_does_not_go_on_looking(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.connect().ask(batch(1, [run_start("p")]))
    (stored,) = events_between(server.database, 0, now_ms())
    looks = Event()

    def endless(*_arguments: object) -> Iterator[TimedEvent]:
        for event in repeat(stored):
            looks.set()
            yield event

    async def replay(archive: Archive) -> list[list[dict[str, Any]]]:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("semantest_recorder.archive.events_between", endless)
            unwanted = asyncio.ensure_future(anext(archive.replay(0, now_ms(), ["custom/rare"])))
            await asyncio.to_thread(looks.wait, DEADLINE_S)
            unwanted.cancel()
            await asyncio.wait([unwanted])
        return [page async for page in archive.replay(0, now_ms(), None)]

    (page,) = asyncio.run(replay(Archive(server.database)))
    assert [event["type"] for event in page] == ["run/start"]
