"""The end of the embedded recorder: whatever happens on the way, it ends, in full and once."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
import websockets

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.embedding import OrchestratorIntegration, create_orchestrator_integration
from semantest_recorder.store.reader import Reader
from tests.recorder.event_loop import in_loop


def make(path: Path, **policy: Any) -> OrchestratorIntegration:
    return create_orchestrator_integration(path / "own.db", {"require_authentication": False, **policy})


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"id": f"e{time.monotonic_ns()}", "type": kind, "timestamp": time.time() * 1000, "payload": payload}


def is_closed(system: OrchestratorIntegration) -> bool:
    """Whether the thread that writes has ended, and says so."""
    try:
        system.engine.store.between(lambda _ingest: False, lambda _failure: None)
    except RuntimeError:
        return True
    return False


async def say_for_ever(system: OrchestratorIntegration, said: dict[str, Any]) -> None:
    while True:
        await system.get_orchestrator().handle_event(said)


def test_a_run_that_ends_while_runs_are_cancelled_holds_up_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        orchestrator = system.get_orchestrator()
        for run_id in ("a", "b", "c"):
            await orchestrator.start_test_run({"runId": run_id})
        ending = asyncio.create_task(orchestrator.end_test_run("b"))
        await asyncio.sleep(0)  # it begins: `b` is over while `a` is being cancelled
        await system.shutdown(cancel_runs=True)
        assert (await ending)["runId"] == "b"
        assert is_closed(system)

    in_loop(test())
    states = {run.id: run.state for run in Reader(tmp_path / "own.db").runs()}
    assert (states["a"], states["c"]) == ("cancelled", "cancelled")
    assert states["b"] in ("passed", "interrupted", "failed")


def test_a_store_without_room_is_no_reason_to_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        system = make(tmp_path)
        orchestrator = system.get_orchestrator()
        await orchestrator.start_test_run({"runId": "a"})
        await orchestrator.start_test_run({"runId": "b"})
        system.engine.store._connection.execute("PRAGMA max_page_count = 1")
        for size in (10_000, 500, 1):  # until not even the smallest fits
            with pytest.raises(Refusal, match="make room"):
                await say_for_ever(system, event("custom/x", runId="a", text="x" * size))
        await system.shutdown(cancel_runs=True)
        assert is_closed(system)

    in_loop(test())
    told = [record.getMessage() for record in caplog.records if "cannot be cancelled" in record.getMessage()]
    assert len(told) == 2, "for a and b"
    assert all("make room" in line for line in told)


class Slow:
    """A plugin whose tasks refuse to end."""

    name = "slow"

    def __init__(self) -> None:
        self.destroyed = 0
        self.task: asyncio.Task[None] | None = None

    async def initialize(self) -> None:
        self.task = asyncio.create_task(self.stay())

    async def stay(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    def destroy(self) -> None:
        self.destroyed += 1
        self.task = None


def test_a_second_shutdown_returns_at_once_and_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plugin = Slow()

    async def test() -> None:
        system = make(tmp_path)
        await system.get_orchestrator().register_plugin(plugin)
        await system.get_orchestrator().start_test_run({"runId": "a"})
        await asyncio.gather(system.shutdown(), system.shutdown())
        assert is_closed(system)
        before = len(caplog.records)
        await system.shutdown(cancel_runs=True)
        assert len(caplog.records) == before

    in_loop(test())
    assert plugin.destroyed == 1
    assert "not destroyed" not in caplog.text


def test_no_task_is_left_behind(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not by a replay that goes on, and not by a plugin's task that refuses to be cancelled: that one is named."""

    async def test() -> None:
        system = make(tmp_path)
        handlers = system.create_websocket_handlers()
        await system.get_orchestrator().register_plugin(Slow())
        for ago_ms in (200_000, 0):  # replayed as fast as it happened, this takes a minute
            await handlers.on_event({**event("custom/x"), "timestamp": time.time() * 1000 - ago_ms})
        async with websockets.serve(handlers.serve, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            headers = {"Authorization": f"Bearer {system.token}"}
            async with websockets.connect(url, additional_headers=headers) as socket:
                await socket.send(json.dumps({"id": "s", "type": "subscribe", "payload": {"eventTypes": ["custom/*"]}}))
                asked = {"startTime": 0, "endTime": 1e13, "speed": 1}
                await socket.send(json.dumps({"id": "r", "type": "replayEvents", "payload": asked}))
                while json.loads(await socket.recv())["type"] != "replayStarted":
                    pass
                others = asyncio.all_tasks()
                assert any("replay" in repr(task.get_coro()) for task in others)
                await system.shutdown()
                assert not [task for task in asyncio.all_tasks() if "Hub" in repr(task.get_coro())]

    with caplog.at_level(logging.WARNING):
        in_loop(test())
        gc.collect()
    assert "destroyed but it is pending" not in caplog.text
    assert "Slow.stay" in caplog.text


def test_a_plugin_that_comes_after_the_end_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        await system.shutdown()
        with pytest.raises(Refusal) as refusal:
            await system.get_orchestrator().register_plugin(Slow())
        assert refusal.value.code == "STOPPING"

    in_loop(test())
