"""The log and what follows from it, as the original's EventPersistence has them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from semantest_recorder.core.retention import Policy, runs_to_delete
from semantest_recorder.engine import now_ms
from semantest_recorder.store.survey import survey

if TYPE_CHECKING:
    from semantest_recorder.embedding.integration import OrchestratorIntegration

#: The largest integer of SQLite.
_MOST = 2**63 - 1


class Persistence:
    """Saves events and asks for them; questions are answered from what was committed."""

    def __init__(self, system: OrchestratorIntegration) -> None:
        self._system = system

    async def save_event(self, event: Mapping[str, Any]) -> None:
        """Takes one event; returns when it is committed. Raises ``Refusal``."""
        await self._system.peer.send(event)

    async def save_events(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Takes any number of events, in their order; returns when they are committed.

        They are sent in parts: while there is no room, or the policy's rate is used up, it waits. Raises
        ``EventsNotSavedError`` in the end when some were not taken; its ``refusals`` say which (``index``, ``eventId``)
        and why. All others are committed.
        """
        await self._system.peer.send_all(events)

    def get_events_by_time_range(
        self, start_time: float, end_time: float, types: list[str] | None = None
    ) -> list[dict[str, Any]]:
        """All events of a time (milliseconds since the epoch), oldest first. Raises ``Refusal``."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self._system.archive.find_now(
                "events", start_ms=start_time, end_ms=end_time, types=types, limit=10_000, cursor=cursor
            )
            found += [{**event, "payload": self._system.archive.read(event["payload"])} for event in page["events"]]
            cursor = page["cursor"]
            if cursor is None:
                return found

    def get_events_by_type(self, event_type: str, limit: int = 100) -> list[dict[str, Any]]:
        """The last ``limit`` events of a type (exact, or a prefix such as ``test/*``), newest first."""
        found = self._system.archive.find_now("newestEvents", types=[event_type], limit=max(0, min(limit, _MOST)))
        return [{**event, "payload": self._system.archive.read(event["payload"])} for event in found]

    def get_test_results_by_run(self, run_id: str) -> list[dict[str, Any]]:
        """All results of a run. Raises ``Refusal`` (``RUN_NOT_FOUND``)."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self._system.archive.find_now("testResults", run_id=run_id, cursor=cursor, limit=10_000)
            found += page["results"]
            cursor = page["cursor"]
            if cursor is None:
                return found

    def get_suite_results_by_run(self, run_id: str) -> list[dict[str, Any]]:
        """The suites of a run, with their counts."""
        found: list[dict[str, Any]] = self._system.archive.find_now("suites", run_id=run_id)
        return found

    async def cleanup_old_events(self, before_timestamp: float) -> int:
        """Deletes the runs that began before a time (milliseconds since the epoch); how many.

        Runs go as a whole: half a run would be judged wrongly. One that still goes on stays, as does the newest one.
        Raises ``StoreError`` when the database cannot be read, and ``RuntimeError`` when the database or the end of the
        recorder cuts the deletion short, or it has ended already.
        """
        now = now_ms()
        stored = await asyncio.to_thread(survey, self._system.engine.database, lambda _facts: "")
        chosen = runs_to_delete(stored, Policy(older_than_ms=now - before_timestamp), now)
        done = await self._system.engine.clean([run.id for run in chosen])
        return len(done.deleted)

    def get_statistics(self) -> dict[str, Any]:
        """Totals, and the size of the database in bytes."""
        found: dict[str, Any] = self._system.archive.find_now("statistics")
        return found
