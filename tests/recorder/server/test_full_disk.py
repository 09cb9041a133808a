"""The database takes nothing for a while: who is told, and what is stored later."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from semantest_recorder.store.reader import Reader
from tests.recorder.server.running import RunningServer, wait_until
from tests.recorder.server.saying import pass_time, say

pytestmark = pytest.mark.hazard(22)


@contextmanager
def full_disk(server: RunningServer) -> Iterator[None]:
    """Meanwhile the database refuses every event."""
    with closing(sqlite3.connect(server.database)) as blocker:
        blocker.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no room'); END")
        blocker.commit()
        yield
        blocker.execute("DROP TRIGGER full")
        blocker.commit()


def test_what_the_store_refuses_is_named(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r"}})
    with full_disk(server):
        say(client, "custom/x", {}, id="e1")
        refused = client.until("error")
    assert (refused["code"], refused["eventId"]) == ("STORE_ERROR", "e1")


def test_what_the_disk_refuses_can_be_said_again(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r", "timeout": 60_000}})
    with full_disk(server):
        assert client.ask({"type": "endTestRun", "payload": {"runId": "r"}})["type"] == "error"
        pass_time(server, 61_000)
        client.ask({"type": "ping"})
    assert client.ask({"type": "endTestRun", "payload": {"runId": "r"}})["type"] == "testRunEnded"


def test_what_the_recorder_itself_could_not_store_it_stores_later(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r", "timeout": 60_000}})
    with full_disk(server):
        pass_time(server, 61_000)
        wait_until(lambda: bool(server.hub._postponed))
    wait_until(lambda: server.call(server.hub.keep_time) or Reader(server.database).run("r").state != "running")
    assert Reader(server.database).run("r").state == "timeout"
