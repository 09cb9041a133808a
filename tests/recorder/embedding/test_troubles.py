"""The embedded recorder when something goes wrong: refused events, clients that hang, the end, an error."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.server import ServerConnection

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.embedding import OrchestratorIntegration, create_orchestrator_integration
from semantest_recorder.embedding.in_process import EventsNotSavedError
from tests.recorder.event_loop import in_loop


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"id": f"e{time.monotonic_ns()}", "type": kind, "timestamp": time.time() * 1000, "payload": payload}


def make(path: Path, **policy: Any) -> OrchestratorIntegration:
    return create_orchestrator_integration(path / "own.db", {"require_authentication": False, **policy})


def test_a_refusal_goes_to_the_one_whose_event_it_was(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path, blocked_event_types=["custom/no"])
        on_event = system.create_websocket_handlers().on_event
        kinds = ["custom/yes", "custom/no", "custom/yes", "custom/no"]
        outcomes = await asyncio.gather(*[on_event(event(kind)) for kind in kinds], return_exceptions=True)
        assert [isinstance(outcome, EventsNotSavedError) for outcome in outcomes] == [False, True, False, True]
        assert len(system.get_persistence().get_events_by_type("custom/*")) == 2
        await system.shutdown()

    in_loop(test())


def test_what_was_refused_of_a_call_that_was_given_up_is_nobody_elses(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path, blocked_event_types=["custom/no"])
        on_event = system.create_websocket_handlers().on_event
        await on_event(event("custom/yes"))
        both = [event("custom/yes"), event("custom/no")]
        given_up = asyncio.create_task(system.get_persistence().save_events(both))
        await asyncio.sleep(0)  # it begins
        given_up.cancel()
        await on_event(event("custom/yes"))
        assert given_up.cancelled()
        with pytest.raises(EventsNotSavedError):
            await on_event(event("custom/no"))
        await system.shutdown()

    in_loop(test())


def test_another_event_loop_is_refused_and_the_first_one_goes_on(tmp_path: Path) -> None:
    system = make(tmp_path)
    assert (tmp_path / "own.db").stat().st_mode & 0o077 == 0

    async def test() -> None:
        await system.get_persistence().save_event(event("custom/first"))
        with pytest.raises(RuntimeError, match="lives in the event loop of its first use"):
            await asyncio.to_thread(asyncio.run, system.get_persistence().save_event(event("custom/other")))
        await system.get_persistence().save_event(event("custom/second"))
        found = system.get_persistence().get_events_by_type("custom/*")
        assert [one["type"] for one in found] == ["custom/second", "custom/first"]
        await system.shutdown()

    in_loop(test())


def test_calls_after_the_end_are_refused(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        orchestrator = system.get_orchestrator()
        await orchestrator.start_test_run({"runId": "r"})
        await system.shutdown()
        with pytest.raises(Refusal) as refusal:
            await orchestrator.end_test_run("r")
        assert refusal.value.code == "STOPPING"
        with pytest.raises(Refusal) as refusal:
            await orchestrator.handle_event(event("custom/late"))
        assert refusal.value.code == "STOPPING"

    in_loop(test())


def test_calls_after_the_end_of_a_system_that_was_never_used_are_refused(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        await system.shutdown()
        with pytest.raises(Refusal) as refusal:
            await system.get_orchestrator().start_test_run({"runId": "r"})
        assert refusal.value.code == "STOPPING"

    in_loop(test())


def test_calls_that_wait_while_it_stops_have_an_end(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        orchestrator = system.get_orchestrator()
        await orchestrator.start_test_run({"runId": "r"})
        waiting = [asyncio.create_task(orchestrator.handle_event(event("custom/last"))) for _ in range(3)]
        waiting.append(asyncio.create_task(orchestrator.end_test_run("r")))  # type: ignore[arg-type]
        await asyncio.sleep(0)  # they begin
        await system.shutdown()
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert not isinstance(outcome, BaseException) or getattr(outcome, "code", None) == "STOPPING", outcome

    in_loop(test())


@pytest.mark.parametrize("used", [True, False])
def test_who_comes_after_the_end_is_sent_away(tmp_path: Path, used: bool) -> None:
    async def test() -> None:
        system = make(tmp_path)
        handlers = system.create_websocket_handlers()
        async with websockets.serve(handlers.serve, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            if used:
                await handlers.on_event(event("custom/x"))
            await system.shutdown()
            async with websockets.connect(f"ws://127.0.0.1:{port}/") as socket:
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "the recorder is stopping")

    in_loop(test())


def test_a_reader_that_is_stuck_is_left_alone(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        handlers, ended = system.create_websocket_handlers(), asyncio.Event()

        async def serve(socket: ServerConnection) -> None:
            await handlers.serve(socket)
            ended.set()

        # Without pings, the only end is the recorder's own.
        options: Any = {"ping_interval": None, "close_timeout": 0.1, "compression": None}
        async with websockets.serve(serve, "127.0.0.1", 0, **options) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            async with websockets.connect(url, max_queue=1, **options) as socket:
                subscribe = {"id": "s", "type": "subscribe", "payload": {"eventTypes": ["custom/*"]}}
                await socket.send(json.dumps(subscribe))
                while json.loads(await socket.recv())["type"] != "response":
                    pass
                picture = "x" * 10_000
                for _ in range(80):  # 40 MB: more than sockets and queue hold
                    await system.get_persistence().save_events([event("custom/x", picture=picture) for _ in range(50)])
                await ended.wait()
                assert system.hub.status()["connections"] == 1  # the program's own
                assert system.hub.status()["counts"]["droppedSubscribers"] == 1
        await system.shutdown()

    in_loop(test())


def test_time_goes_on_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        system = make(tmp_path)
        keep_time, failed = system.hub.keep_time, asyncio.Event()

        def fail_once() -> None:
            monkeypatch.setattr(system.hub, "keep_time", keep_time)
            failed.set()
            raise OSError("the disk hiccups")

        monkeypatch.setattr(system.hub, "keep_time", fail_once)
        await failed.wait()
        orchestrator = system.get_orchestrator()
        await orchestrator.start_test_run({"runId": "r", "timeout": 1})
        while orchestrator.get_active_runs():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        assert "longer than the 1 ms" in (orchestrator.get_run_status("r") or {})["stopReason"]
        await system.shutdown()

    in_loop(test())


def test_a_client_that_drops_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        system = make(tmp_path)
        async with websockets.serve(system.create_websocket_handlers().serve, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            for _ in range(3):
                socket = await websockets.connect(url)
                await socket.recv()
                socket.transport.abort()
                await socket.wait_closed()
            await asyncio.gather(*(served.wait_closed() for served in server.connections))
        await system.shutdown()

    in_loop(test())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


class Lines:
    """A connection of a library that nobody knows: ends as it is told."""

    def __init__(self, end: Exception) -> None:
        self.end = end
        self.sent: list[str] = []

    async def __aiter__(self) -> AsyncIterator[str]:
        yield json.dumps({"id": "1", "type": "request", "method": "echo"})
        raise self.end

    async def send(self, message: str) -> None:
        self.sent.append(json.loads(message)["type"])

    async def close(self, code: int = 1000, reason: str = "") -> None:
        raise AssertionError("it is closed already")


class SocketClosed(Exception):  # noqa: N818 - as libraries have it
    pass


class GoneAway(SocketClosed):
    pass


@pytest.mark.parametrize("end", [GoneAway(), ConnectionResetError(), EOFError()])
def test_each_library_has_its_own_word_for_a_connection_that_is_gone(tmp_path: Path, end: Exception) -> None:
    async def test() -> None:
        system = make(tmp_path)
        await system.create_websocket_handlers().serve(Lines(end))
        assert system.hub.status()["connections"] == 0
        await system.shutdown()

    in_loop(test())


def test_a_mistake_in_an_adapter_is_not_hidden(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        with pytest.raises(AttributeError, match="no such thing"):
            await system.create_websocket_handlers().serve(Lines(AttributeError("no such thing")))
        await system.shutdown()

    in_loop(test())
