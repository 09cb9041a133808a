"""The recorder inside somebody's own program: one call, the original's surface, and a server that speaks the wire."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.typing import Origin

from semantest_recorder.client import AsyncClient, NotConnectedError
from semantest_recorder.core.policy import InvalidPolicy
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.embedding import OrchestratorIntegration, create_orchestrator_integration
from semantest_recorder.plugins.configuration import InvalidPlugins
from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.reader import Reader

EXAMPLE = Path(__file__).parents[3] / "examples" / "embedding" / "server.py"


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"id": f"e{time.monotonic_ns()}", "type": kind, "timestamp": time.time() * 1000, "payload": payload}


@asynccontextmanager
async def running(path: Path, **policy: Any) -> AsyncIterator[OrchestratorIntegration]:
    system = create_orchestrator_integration(db_path=path, security_policy=policy)
    try:
        yield system
    finally:
        await system.shutdown()


def in_loop(test: Callable[[Path], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """Runs an async test in a loop of its own."""

    def run(tmp_path: Path) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(60):
                await test(tmp_path)

        asyncio.run(bounded())

    run.__name__ = test.__name__
    return run


@in_loop
async def test_a_run_through_the_orchestrator_as_the_original_has_it(tmp_path: Path) -> None:
    async with running(tmp_path / "own.db") as system:
        orchestrator, persistence = system.get_orchestrator(), system.get_persistence()
        state = orchestrator.get_state_manager()
        status = await orchestrator.start_test_run({"run_id": "r1", "name": "Mine", "fail_fast": True})
        assert (status["status"], status["name"]) == ("running", "Mine")
        await persistence.save_events(
            [
                event("test/suite/start", suiteId="s", suiteName="Shop"),
                event("test/start", testId="t1", testName="t1", suiteId="s"),
                event("test/log", testId="t1", message="hello", level="info"),
                event("test/assertion", testId="t1", type="pass"),
                event("test/screenshot", testId="t1", name="page"),
                event("test/end", testId="t1", status="passed", duration=4),
            ]
        )
        await orchestrator.handle_event(event("test/start", testId="t2", testName="t2", suiteId="s"))
        assert [test["testId"] for test in state.get_active_tests()] == ["t2"]
        assert state.is_test_active("t2")
        assert state.is_suite_active("s")
        assert state.get_test_assertions("t1") == {"passed": 1, "failed": 0, "total": 1}
        assert state.get_test_screenshots("t1") == ["page"]
        assert [log["message"] for log in state.get_test_logs("t1")] == ["hello"]
        assert {test["testId"] for test in state.get_suite_test_results("s")} == {"t1", "t2"}
        stats = state.get_test_stats()
        assert (stats["total"], stats["active"], stats["passed"], stats["passRate"]) == (2, 1, 1, 1.0)
        assert [run["runId"] for run in orchestrator.get_active_runs()] == ["r1"]
        cancelled = await orchestrator.cancel_test_run("r1", "enough")
        assert (cancelled["status"], cancelled["stopReason"]) == ("cancelled", "enough")
        assert orchestrator.get_active_runs() == []
        assert orchestrator.get_run_status("nothing") is None
        with pytest.raises(Refusal, match="is over") as refusal:
            await orchestrator.end_test_run("r1")
        assert refusal.value.code == "RUN_NOT_FOUND"
        assert persistence.get_statistics()["totalTestRuns"] == 1
        (suite,) = persistence.get_suite_results_by_run("r1")
        assert (suite["suiteName"], suite["totalTests"]) == ("Shop", 2)
        assert len(persistence.get_events_by_type("test/*", limit=3)) == 3
        everything = [found["type"] async for found in orchestrator.replay_events(0, 1e15)]
        assert everything[0] == "run/start"
        assert everything.count("test/start") == 2
    assert Reader(tmp_path / "own.db").run("r1").state == "cancelled"


class Original:
    """A plugin as the original has them: methods, dicts, and ``None`` drops."""

    name = "original"

    def __init__(self) -> None:
        self.told: list[str] = []
        self.done = threading.Event()

    async def before_test_run(self, run: dict[str, Any]) -> None:
        self.told.append(f"run {run['runId']}")

    def after_test(self, test: dict[str, Any]) -> None:
        self.told.append(f"test {test['testId']} {test['status']}")

    def after_test_run(self, run: dict[str, Any]) -> None:
        self.told.append(f"end {run['state']}")
        self.done.set()

    def on_event(self, event: dict[str, Any]) -> dict[str, Any] | None:
        return None if event["type"] == "custom/noise" else event


@in_loop
async def test_a_plugin_of_the_original_kind(tmp_path: Path) -> None:
    plugin = Original()
    async with running(tmp_path / "own.db") as system:
        orchestrator = system.get_orchestrator()
        await orchestrator.register_plugin(plugin)
        await orchestrator.start_test_run({"runId": "r"})
        await system.get_persistence().save_events(
            [
                event("test/start", testId="t", testName="t"),
                event("custom/noise"),
                event("test/end", testId="t", status="passed", duration=1),
            ]
        )
        await orchestrator.end_test_run("r")
        assert await asyncio.to_thread(plugin.done.wait, 30)
        assert plugin.told == ["run r", "test t passed", "end passed"]
        assert not system.get_persistence().get_events_by_type("custom/*")
        assert system.get_persistence().get_events_by_type("event/dropped")[0]["payload"]["type"] == "custom/noise"
        assert [found["name"] for found in orchestrator.get_plugins() if found["enabled"]] == [
            "original",
            "event-filter",
        ]
        with pytest.raises(InvalidPlugins, match=r"there is no plugin 'orginal'; did you mean 'original'\?"):
            await orchestrator.unregister_plugin("orginal")
        await orchestrator.unregister_plugin("original")
        with pytest.raises(InvalidPlugins, match="there is no plugin 'original'; there are event-filter"):
            await orchestrator.unregister_plugin("original")


@in_loop
async def test_secrets_are_masked_without_a_word_about_plugins(tmp_path: Path) -> None:
    async with running(tmp_path / "semantest.db") as system:
        await system.get_persistence().save_event(event("custom/x", runId="r", password="hunter2hunter2"))
        (stored,) = system.get_persistence().get_events_by_type("custom/x")
        assert "hunter2" not in str(stored)


@in_loop
async def test_the_guard_as_the_original_has_it(tmp_path: Path) -> None:
    async with running(tmp_path / "own.db", max_events_per_second=5, blocked_event_types=["custom/no"]) as system:
        security, handlers = system.get_security(), system.create_websocket_handlers()
        assert security.requires_authentication()
        assert security.get_policy()["maxEventsPerSecond"] == 5
        assert (await handlers.on_validate_event(event("custom/yes")))["valid"]
        found = await handlers.on_validate_event(event("custom/no"))
        assert [problem["code"] for problem in found["errors"]] == ["EVENT_TYPE_BLOCKED"]
        with pytest.raises(Refusal) as refusal:
            await handlers.on_event(event("custom/no"))
        assert refusal.value.code == "VALIDATION_ERROR"
        for _ in range(4):  # the refused one counts, too
            await handlers.on_event(event("custom/yes"))
        with pytest.raises(Refusal) as limited:
            await handlers.on_event(event("custom/yes"))
        assert limited.value.code == "RATE_LIMITED"
        stats = security.get_rate_limit_stats()
        assert [(limit["limit"], limit["remaining"]) for limit in stats.values()] == [(5, 0)]
        for client_id in stats:
            security.reset_rate_limit(client_id)
        assert not security.update_policy({"blocked_event_types": []})["blockedEventTypes"]
        await handlers.on_event(event("custom/no"))
        assert handlers.on_get_security_metrics()["rateLimitExceeded"] == 1
        with pytest.raises(InvalidPolicy, match="did you mean maxEventSize"):
            security.update_policy({"max_event_sizes": 1})


@in_loop
async def test_a_websockets_server_speaks_the_whole_wire(tmp_path: Path) -> None:
    async with running(tmp_path / "own.db") as system:
        handlers = system.create_websocket_handlers()
        async with websockets.serve(handlers.serve, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            async with AsyncClient(url, system.token) as client, AsyncClient(url, system.token) as watcher:
                await watcher.subscribe("test/start", "test/end")
                await client.start_run("w1")
                await client.send("test/start", {"testId": "t", "testName": "t"})
                await client.send("test/end", {"testId": "t", "status": "passed", "duration": 1})
                assert (await client.end_run("w1"))["state"] == "passed"
                seen = watcher.events()
                assert [(await anext(seen))["type"] for _ in range(2)] == ["test/start", "test/end"]
            with pytest.raises(NotConnectedError):
                async with AsyncClient(url, "wrong") as stranger:
                    await stranger.request("echo")


@in_loop
async def test_what_was_running_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path / "own.db") as system:
        await system.get_orchestrator().start_test_run({"runId": "r", "retries": 1})
    async with running(tmp_path / "own.db") as system:
        await system.get_orchestrator().handle_event(event("test/failed", testId="t", runId="r"))
        await system.get_orchestrator().handle_event(event("test/passed", testId="t", runId="r", attempt=2))
        status = await system.get_orchestrator().end_test_run("r")
        assert (status["state"], status["flakyTests"]) == ("passed", 1)


@in_loop
async def test_old_runs_are_deleted_as_a_whole_and_the_newest_stays(tmp_path: Path) -> None:
    async with running(tmp_path / "own.db") as system:
        orchestrator, persistence = system.get_orchestrator(), system.get_persistence()
        for run_id in ("old", "new"):
            await orchestrator.start_test_run({"runId": run_id})
            await persistence.save_event(event("test/passed", testId="t", runId=run_id))
            await orchestrator.end_test_run(run_id)
        assert await persistence.cleanup_old_events(0) == 0
        assert await persistence.cleanup_old_events(time.time() * 1000 + 1000) == 1
        assert (orchestrator.get_run_status("old"), persistence.get_statistics()["totalTestRuns"]) == (None, 1)


@in_loop
async def test_the_newest_events_of_a_type_are_all_that_is_read(tmp_path: Path) -> None:
    async with running(tmp_path / "own.db", scan_content=False) as system:
        persistence = system.get_persistence()
        await system.get_orchestrator().start_test_run({"runId": "r"})
        picture = "x" * 100_000
        await persistence.save_events(event("custom/x", runId="r", number=n, picture=picture) for n in range(300))
        tracemalloc.start()
        found = persistence.get_events_by_type("custom/*", limit=3)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert [one["payload"]["number"] for one in found] == [299, 298, 297]
        assert peak < 10 * len(picture)
        assert persistence.get_events_by_type("custom/*", limit=0) == []
        with pytest.raises(Refusal) as refusal:
            persistence.get_events_by_type("*/x")
        assert refusal.value.code == "INVALID_PATTERN"


def test_the_guard_can_be_asked_and_set_before_the_loop_runs(tmp_path: Path) -> None:
    system = create_orchestrator_integration(tmp_path / "own.db", {"max_event_size": 1000})
    security = system.get_security()
    assert security.get_policy()["maxEventSize"] == 1000
    assert security.update_policy({"blocked_event_types": ["custom/no"]})["maxEventSize"] == 1000
    assert not security.validate_event(event("custom/no"))["valid"]

    async def refused() -> None:
        with pytest.raises(Refusal):
            await system.get_persistence().save_event(event("custom/no"))
        await system.shutdown()

    asyncio.run(refused())


@in_loop
async def test_a_run_that_there_is_not_has_no_status_and_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async with running(tmp_path / "own.db") as system:
        assert system.get_orchestrator().get_run_status("zz") is None
        (tmp_path / "own.db").unlink()
        with pytest.raises(Refusal) as refusal:
            system.get_orchestrator().get_run_status("zz")
        assert refusal.value.code == "STORE_ERROR"


def test_a_wrong_key_or_path_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicy, match="did you mean requireAuthentication"):
        create_orchestrator_integration(tmp_path / "a.db", {"require_authentification": False})
    with pytest.raises(CannotOpen):
        create_orchestrator_integration(tmp_path / "no" / "a.db")


def test_the_example_serves_and_stops(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLE), "--port", "0", "--database", str(tmp_path / "example.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]

        async def talk() -> Any:
            async with asyncio.timeout(60), websockets.connect(url) as socket:
                await socket.send(json.dumps({"type": "getActiveRuns"}))
                while True:
                    message = json.loads(await socket.recv())
                    if message["type"] == "activeRuns":
                        return message["payload"]

        async def visit() -> None:
            async with asyncio.timeout(60), websockets.connect(url, origin=Origin("https://example.com")):
                pass

        (run,) = asyncio.run(talk())
        with pytest.raises(websockets.InvalidStatus, match="403"):
            asyncio.run(visit())
        assert run["name"] == "Self check"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert out.endswith("stopped\n")
    finally:
        process.kill()
        process.communicate()
    assert Reader(tmp_path / "example.db").run(run["runId"]).state == "cancelled"
