"""Runs, as the original's TestOrchestrator has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.embedding.spelling import camel_keys
from semantest_recorder.embedding.state import TestStateManager

if TYPE_CHECKING:
    from semantest_recorder.embedding.integration import OrchestratorIntegration


class Orchestrator:
    """Starts, ends and cancels runs; everything it is told is committed when a call returns."""

    def __init__(self, system: OrchestratorIntegration) -> None:
        self._system = system
        self._state = TestStateManager(system)

    async def register_plugin(self, plugin: object, name: str | None = None) -> None:
        """Adds a plugin: an object with methods named like hooks, or with ``hookimpl`` (docs/guide/plugins.md).

        Returns when it is initialized; one whose ``initialize`` fails is disabled. Raises ``InvalidPlugins``, and
        ``Refusal`` after the end.
        """
        if self._system.stopping:
            raise Refusal("STOPPING", "the recorder is stopping")
        await asyncio.to_thread(self._system.engine.dispatcher.register, plugin, name)

    async def unregister_plugin(self, name: str) -> None:
        """Takes a plugin away; its ``destroy`` is called. Raises ``InvalidPlugins`` for a name that there is not."""
        await asyncio.to_thread(self._system.engine.dispatcher.unregister, name)

    def get_plugins(self) -> list[dict[str, Any]]:
        """Every plugin with its calls and failures."""
        return self._system.engine.dispatcher.registry.to_wire()

    async def start_test_run(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Starts a run (config as on the wire, snake_case allowed); its status. Raises ``Refusal``."""
        status: dict[str, Any] = await self._system.peer.request("startTestRun", camel_keys(config))
        return status

    async def end_test_run(self, run_id: str) -> dict[str, Any]:
        """Ends a run; its final status. Raises ``Refusal``."""
        status: dict[str, Any] = await self._system.peer.request("endTestRun", {"runId": run_id})
        return status

    async def cancel_test_run(self, run_id: str, reason: str | None = None) -> dict[str, Any]:
        """Cancels a run, of a client or of pytest; its status. Raises ``Refusal``."""
        wanted = {"runId": run_id} | ({"reason": reason} if reason is not None else {})
        status: dict[str, Any] = await self._system.peer.request("cancelTestRun", wanted)
        return status

    async def handle_event(self, event: Mapping[str, Any]) -> None:
        """Takes an event of any type; returns when it is committed. Raises ``Refusal``."""
        await self._system.peer.send(event)

    def get_active_runs(self) -> list[dict[str, Any]]:
        """The status of every run that is not over."""
        found: list[dict[str, Any]] = self._system.archive.find_now("activeRuns")
        return found

    def get_run_status(self, run_id: str) -> dict[str, Any] | None:
        """The status of a run, over or not; ``None`` when there is none of this id. Raises ``Refusal`` (the store)."""
        try:
            found: dict[str, Any] = self._system.archive.find_now("runStatus", run_id=run_id)
        except Refusal as refusal:
            if refusal.code == "RUN_NOT_FOUND":
                return None
            raise
        return found

    async def replay_events(self, start_time: float, end_time: float) -> AsyncIterator[dict[str, Any]]:
        """The events of a time, oldest first; nothing is stored or applied by it."""
        async for page in self._system.archive.replay(start_time, end_time, None):
            for event in page:
                yield {**event, "payload": self._system.archive.read(event["payload"])}

    def get_state_manager(self) -> TestStateManager:
        """What is known of tests and suites of runs that are not over."""
        return self._state
