"""``--sync`` has one limit, whatever a recorder or a session does."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.shipper.conftest import StartShipper
from tests.shipper.ended_sessions import FIRST, SECOND, ended
from tests.shipper.ingest_server import IngestServer, Misbehaviour
from tests.shipper.journals import NO_PID, Journal, session
from tests.shipper.test_shipping import GIVE_UP_S, LIMIT_S, finish

pytestmark = pytest.mark.usefixtures("_no_other_recorder")


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
