"""Shippers of pytest at a server of somebody's own: they are known again, and told when their run is cancelled."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from pytest_semantest.shipper.connection import Connection, RefusedError
from semantest_recorder.client import AsyncClient, NotConnectedError
from semantest_recorder.core.batch import Batch, RawEvent
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.embedding import OrchestratorIntegration, create_orchestrator_integration
from semantest_recorder.store.writer import Writer
from tests.recorder.event_loop import in_loop

RUN = "nightly/ä"


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[OrchestratorIntegration, str]]:
    """An embedded recorder behind ``websockets``, and its address."""
    system = create_orchestrator_integration(folder / "own.db")
    async with websockets.serve(system.create_websocket_handlers().serve, "127.0.0.1", 0) as server:
        yield system, f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws"
        await system.shutdown()


@asynccontextmanager
async def shipper(place: tuple[OrchestratorIntegration, str], **headers: str) -> AsyncIterator[ClientConnection]:
    """A connection like that of the shipper, greeted."""
    system, url = place
    said = {
        "Authorization": f"Bearer {system.token}",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    async with websockets.connect(url, additional_headers=said) as socket:
        await until(socket, "event")
        yield socket


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["type"] == kind:
            return message
        assert message["type"] != "error", message


async def begin_run(socket: ClientConnection) -> None:
    payload = {"runId": RUN, "session": "s", "source": "s.main", "worker": "main"}
    await send(socket, 1, {"type": "run/start", "timestamp": time.time() * 1000, "payload": payload})


async def send(socket: ClientConnection, seq: int, event: dict[str, Any]) -> None:
    await socket.send(json.dumps({"type": "events", "source": "s.main", "firstSeq": seq, "events": [event]}))
    assert (await until(socket, "ack"))["seq"] == seq


def test_one_that_connects_again_goes_on_with_its_source(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            serving(tmp_path) as place,
            shipper(place, X_Semantest_Instance="one") as first,
            shipper(place, X_Semantest_Instance="one") as again,
        ):
            await begin_run(first)
            await send(again, 2, {"type": "custom/x", "timestamp": 1.0, "payload": {}})
            await first.wait_closed()
            assert (first.close_code, first.close_reason) == (1000, "this process has connected again")

    in_loop(test())


def test_one_that_comes_back_with_nothing_to_send_is_told_of_the_cancellation(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path) as place:
            async with shipper(place) as socket:
                await begin_run(socket)
            await place[0].get_orchestrator().cancel_test_run(RUN, "enough")
            async with shipper(place, X_Semantest_Run="nightly/%C3%A4") as socket:
                assert (await until(socket, "cancel"))["payload"]["reason"] == "enough"

    in_loop(test())


def test_a_run_that_was_deleted_may_begin_anew(tmp_path: Path) -> None:
    week_ago = time.time() * 1000 - 8 * 24 * 3600 * 1000
    write_open_run(tmp_path / "own.db", "old", week_ago)  # silent for a week, it counts as over

    async def test() -> None:
        async with serving(tmp_path) as (system, _url):
            orchestrator, persistence = system.get_orchestrator(), system.get_persistence()
            await orchestrator.start_test_run({"runId": "new"})
            with pytest.raises(Refusal, match="choose another runId"):
                await orchestrator.start_test_run({"runId": "old"})
            assert await persistence.cleanup_old_events(week_ago + 1000) == 1
            assert (await orchestrator.start_test_run({"runId": "old"}))["runId"] == "old"

    in_loop(test())


def write_open_run(database: Path, run_id: str, at_ms: float) -> None:
    """A database as a recorder left it that ended while pytest ran."""
    payload = {"runId": run_id, "session": "s", "source": "s.main", "worker": "main"}
    start = RawEvent("run/start", at_ms, msgspec.Raw(msgspec.json.encode(payload)))
    writer, done = Writer(database), threading.Event()
    writer.submit(Batch("s.main", 1, [start], at_ms), lambda _verdict: done.set())
    writer.close()
    assert done.is_set()


def receive_for_ever(connection: Connection) -> None:
    while True:
        connection.receive()


@pytest.mark.parametrize("required", [True, False])
def test_whoever_is_not_let_in_is_told_why(tmp_path: Path, required: bool) -> None:
    async def test() -> None:
        async with serving(tmp_path) as (system, url):
            system.get_security().update_policy({"require_authentication": required})
            async with websockets.connect(url, additional_headers={"Authorization": "Bearer wrong"}) as socket:
                await socket.wait_closed()
                assert (socket.close_code, socket.close_reason) == (1008, "this token is not valid here")
            with pytest.raises(NotConnectedError, match=r"\(1008 this token is not valid here\)"):
                async with AsyncClient(url, "wrong") as client:
                    await client.request("echo")
            if required:
                async with websockets.connect(url) as socket:
                    await socket.wait_closed()
                    assert (socket.close_code, socket.close_reason) == (1008, "send 'Authorization: Bearer TOKEN'")

    in_loop(test())


def test_the_shipper_of_pytest_is_told_that_its_token_is_refused(tmp_path: Path) -> None:
    def ship(url: str) -> str:
        with closing(Connection(url, "wrong", "one")) as connection, pytest.raises(RefusedError) as refused:
            receive_for_ever(connection)
        return str(refused.value)

    async def test() -> None:
        async with serving(tmp_path) as (_system, url):
            said = await asyncio.to_thread(ship, url)
            assert said == "the recorder refuses the connection: this token is not valid here"

    in_loop(test())
