"""Answers that nobody reads: of one client, and of all together."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from semantest_recorder.archive import Archive
from tests.recorder.server.running import Client, RunningServer, batch, run_start, wait_until

pytestmark = pytest.mark.hazard(23)

_SMALL = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
_PAGE_BYTES = 512 * 1024
_ASKED = 12
_RANGE = {"startTime": 0, "endTime": 9e15}


def fill(server: RunningServer) -> None:
    """Gives it a log of which a page has some more than ``_PAGE_BYTES``."""
    client = server.connect()
    events = [{"type": "custom/x", "timestamp": 1.0, "payload": {"text": "x" * 1024}}] * (_PAGE_BYTES // 1024)
    assert client.ask(batch(1, [run_start(), *events]))["type"] == "ack"
    client.close()
    wait_until(lambda: server.call(lambda: server.hub.status()["connections"]) == 0)


def ask_for_pages(client: Client) -> None:
    for number in range(_ASKED):
        client.send(
            {"id": number, "type": "request", "method": "getEventsByTimeRange", "payload": _RANGE | {"limit": 10_000}}
        )


def test_no_question_of_a_client_is_asked_while_its_answers_wait(
    serve: Callable[..., RunningServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, find = list[str](), Archive._find

    def counted(archive: Archive, query: str, parameters: Mapping[str, Any]) -> object:
        found.append(query)
        return find(archive, query, parameters)

    monkeypatch.setattr(Archive, "_find", counted)
    server = serve(max_queued_bytes=_PAGE_BYTES // 4)
    fill(server)
    client = server.connect()
    ask_for_pages(client)

    def is_held_up() -> bool:
        """A question is there, and neither answered nor in a thread."""
        return len(server.hub._tasks) == 1 and server.hub._turns._free == Archive.at_once

    wait_until(lambda: len(found) == _ASKED or server.call(is_held_up))
    assert len(found) < _ASKED
    assert [client.until("response")["id"] for _ in range(_ASKED)] == list(range(_ASKED)), "nothing is dropped"


def test_the_one_for_whom_most_waits_is_dropped_when_all_together_are_too_much(
    serve: Callable[..., RunningServer],
) -> None:
    server = serve(max_outgoing_bytes=3 * _PAGE_BYTES)
    fill(server)
    greedy, modest = server.connect(sockopt=_SMALL), server.connect()
    modest.send({"id": "p", "type": "request", "method": "getEventsByTimeRange", "payload": _RANGE | {"limit": 10}})
    ask_for_pages(greedy)
    wait_until(lambda: server.call(lambda: server.hub.status()["connections"]) == 1)
    assert modest.until("response")["success"]
    assert modest.ask({"id": 1, "type": "ping"})["type"] == "pong"
    assert server.call(lambda: server.hub.outgoing.total) == 0
