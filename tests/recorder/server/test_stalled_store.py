"""A store that neither takes nor refuses anything: a disk that hangs, say."""

from __future__ import annotations

from http.client import HTTPConnection
from threading import Event

import pytest

from semantest_recorder.core.commit_wait import STALLED_MS
from semantest_recorder.store.ingest import Ingest
from tests.recorder.server.running import DEADLINE_S, RunningServer, wait_until
from tests.recorder.server.saying import now_ms, say

pytestmark = pytest.mark.hazard(22)


def readiness(server: RunningServer) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    connection.request("GET", "/readyz")
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_store_that_answers_nothing_is_not_ready_until_it_does(server: RunningServer) -> None:
    hangs, go_on = Event(), Event()

    def hang(_ingest: Ingest) -> bool:
        hangs.set()
        go_on.wait(DEADLINE_S)
        return False

    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r"}})
    try:
        server.writer.between(hang, lambda _failure: None)
        assert hangs.wait(DEADLINE_S)
        server.stands_ms = now_ms()
        say(client, "custom/x", {})
        wait_until(lambda: server.hub.pending_events > 0)
        assert readiness(server) == 200
        server.stands_ms += STALLED_MS
        assert readiness(server) == 503
        health = server.call(server.hub.health)
        assert health["status"] == "degraded"
        assert health["storeError"].startswith("nothing was stored for 10 s")
    finally:
        go_on.set()
    wait_until(lambda: readiness(server) == 200)
    assert server.call(server.hub.load).oldest_wait_ms == 0
