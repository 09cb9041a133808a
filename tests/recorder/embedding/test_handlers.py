"""The handlers of the original, one for each thing, behind a WebSocket server that reads its messages itself."""

from __future__ import annotations

import inspect
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.embedding import create_orchestrator_integration
from tests.recorder.event_loop import in_loop

Ask = Callable[..., Awaitable[Any]]


@asynccontextmanager
async def asking(database: Path) -> AsyncIterator[Ask]:
    """Asks a server whose messages are ``[handler, arguments]``; the answer, or the code of a refusal."""
    system = create_orchestrator_integration(database, {"require_authentication": False})
    handlers = system.create_websocket_handlers()

    async def serve(socket: websockets.ServerConnection) -> None:
        async for message in socket:
            name, arguments = json.loads(message)
            try:
                answer = getattr(handlers, name)(*arguments)
                answer = await answer if inspect.isawaitable(answer) else answer
            except Refusal as refusal:
                answer = refusal.code
            await socket.send(json.dumps(answer))

    try:
        async with websockets.serve(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.connect(f"ws://127.0.0.1:{port}", proxy=None) as client:

                async def ask(name: str, *arguments: Any) -> Any:
                    await client.send(json.dumps([name, arguments]))
                    return json.loads(await client.recv())

                yield ask
    finally:
        await system.shutdown()


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"id": f"e{time.monotonic_ns()}", "type": kind, "timestamp": time.time() * 1000, "payload": payload}


def test_a_run_from_its_start_to_its_end(tmp_path: Path) -> None:
    async def test() -> None:
        async with asking(tmp_path / "own.db") as ask:
            began = time.time() * 1000
            assert (await ask("on_start_test_run", {"run_id": "r", "name": "Mine"}))["status"] == "running"
            for kind, more in (("test/start", {"testName": "t"}), ("test/end", {"status": "passed", "duration": 4})):
                await ask("on_event", event(kind, testId="t", **more))
            status = await ask("on_get_run_status", "r")
            assert (status["status"], status["name"], status["totalTests"]) == ("running", "Mine", 1)
            ended = await ask("on_end_test_run", "r")
            assert (ended["status"], ended["passedTests"]) == ("completed", 1)
            assert (await ask("on_get_run_status", "r"))["status"] == "completed"
            assert await ask("on_end_test_run", "r") == "RUN_NOT_FOUND"
            (result,) = await ask("on_get_test_results_by_run", "r")
            assert (result["testId"], result["status"], result["duration"]) == ("t", "passed", 4)
            assert await ask("on_get_test_results_by_run", "none") == "RUN_NOT_FOUND"
            kinds = [found["type"] for found in await ask("on_get_events_by_time_range", began, time.time() * 1000)]
            assert kinds == ["run/start", "test/start", "test/end", "run/end"]
            assert await ask("on_get_events_by_time_range", 0, began - 1) == []
            found = await ask("on_get_statistics")
            assert (found["totalTestRuns"], found["totalTestResults"]) == (1, 1)
            assert await ask("on_get_run_status", "none") is None

    in_loop(test())


def test_a_run_that_is_cancelled(tmp_path: Path) -> None:
    async def test() -> None:
        async with asking(tmp_path / "own.db") as ask:
            for run, reason in (("r1", ["enough"]), ("r2", [])):
                await ask("on_start_test_run", {"runId": run})
                cancelled = await ask("on_cancel_test_run", run, *reason)
                assert cancelled["status"] == "cancelled"
                assert reason == [] or cancelled["stopReason"] == "enough"
            assert await ask("on_cancel_test_run", "none") == "RUN_NOT_FOUND"
            assert await ask("on_get_active_runs") == []

    in_loop(test())


def test_questions_that_are_awaited_leave_the_event_loop_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, threads = sqlite3.connect, set[threading.Thread]()

    def noted(*arguments: Any, **options: Any) -> Any:
        threads.add(threading.current_thread())
        return connect(*arguments, **options)

    async def test() -> None:
        async with asking(tmp_path / "own.db") as ask:
            await ask("on_start_test_run", {"runId": "r"})
            monkeypatch.setattr(sqlite3, "connect", noted)
            await ask("on_get_statistics")
            await ask("on_get_test_results_by_run", "r")
            await ask("on_get_events_by_time_range", 0, 1e15)
            assert threads
            assert threading.current_thread() not in threads

    in_loop(test())
