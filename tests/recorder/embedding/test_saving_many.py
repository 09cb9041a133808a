"""Many events in one call: all of them are saved, or it is said which are not."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.session import Limits, ServerFacts
from semantest_recorder.embedding import EventsNotSavedError, OrchestratorIntegration, create_orchestrator_integration
from tests.recorder.event_loop import in_loop


def event(number: int, kind: str = "custom/x", /, **payload: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "type": kind, "timestamp": time.time() * 1000, "payload": payload}


def make(folder: Path, **policy: Any) -> OrchestratorIntegration:
    return create_orchestrator_integration(folder / "own.db", policy)


def saved(system: OrchestratorIntegration) -> int:
    total: int = system.get_persistence().get_statistics()["totalEvents"]
    return total


def test_more_events_than_may_wait_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = partial(ServerFacts, limits=Limits(max_pending_events=100))
    monkeypatch.setattr("semantest_recorder.engine.ServerFacts", few)

    async def test() -> None:
        system = make(tmp_path)
        await system.get_orchestrator().start_test_run({"runId": "r"})
        await system.get_persistence().save_events(event(number, runId="r", number=number) for number in range(350))
        found = system.get_persistence().get_events_by_time_range(0, 1e15, ["custom/x"])
        assert [one["payload"]["number"] for one in found] == list(range(350))
        await system.shutdown()

    in_loop(test())


def test_more_bytes_than_may_wait_at_a_time(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path, scan_content=False)
        await system.get_orchestrator().start_test_run({"runId": "r"})
        text = "x" * 1_000_000
        await system.get_persistence().save_events(event(number, runId="r", text=text) for number in range(80))
        assert saved(system) == 81
        await system.shutdown()

    in_loop(test())


def test_a_rate_is_waited_for(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path, max_events_per_second=5)
        await system.get_orchestrator().start_test_run({"runId": "r"})
        await system.get_persistence().save_events([event(number, runId="r") for number in range(8)])
        assert saved(system) == 9
        await system.shutdown()

    in_loop(test())


def test_who_is_refused_is_named(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path, blocked_event_types=["custom/no"])
        await system.get_orchestrator().start_test_run({"runId": "r"})
        kinds = ["custom/x", "custom/no", "custom/x", "custom/no", "custom/x"]
        events = [event(number, kind, runId="r") for number, kind in enumerate(kinds)]
        events[4]["payload"]["what"] = object()
        with pytest.raises(EventsNotSavedError, match="first the one at index 1") as refused:
            await system.get_persistence().save_events(events)
        assert str(refused.value).startswith("3 of 5 events were not taken")
        assert refused.value.code == "VALIDATION_ERROR"
        found = [(one["index"], one["eventId"], one["code"]) for one in refused.value.refusals]
        assert found == [(number, f"e{number}", "VALIDATION_ERROR") for number in (1, 3, 4)]
        assert "JSON" in refused.value.refusals[2]["message"]
        assert saved(system) == 3
        await system.shutdown()

    in_loop(test())


def test_a_full_disk_names_what_it_did_not_take(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        await system.get_orchestrator().start_test_run({"runId": "r"})
        system.engine.store._connection.execute("PRAGMA max_page_count = 100")
        events = [event(number, runId="r", number=number, text="x" * 1000) for number in range(600)]
        with pytest.raises(EventsNotSavedError, match="make room") as refused:
            await system.get_persistence().save_events(events)
        system.engine.store._connection.execute("PRAGMA max_page_count = 1000000")
        left = [events[one["index"]] for one in refused.value.refusals]
        assert 0 < len(left) < 600
        await system.get_persistence().save_events(left)
        found = system.get_persistence().get_events_by_type("custom/x", limit=1000)
        assert sorted(one["payload"]["number"] for one in found) == list(range(600))
        await system.shutdown()

    in_loop(test())


def test_the_end_comes_while_it_waits(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path, max_events_per_second=1)
        await system.get_orchestrator().start_test_run({"runId": "r"})
        saving = asyncio.create_task(
            system.get_persistence().save_events([event(number, runId="r") for number in range(1000)])
        )
        await asyncio.sleep(0)  # it begins
        await system.shutdown()
        with pytest.raises(Refusal) as refusal:
            await saving
        assert refusal.value.code == "STOPPING"

    in_loop(test())


def test_many_callers_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        system = make(tmp_path)
        await system.get_orchestrator().start_test_run({"runId": "r"})
        save = system.get_persistence().save_event
        await asyncio.gather(*(save(event(number, runId="r")) for number in range(1000)))
        assert saved(system) == 1001
        await system.shutdown()

    in_loop(test())
