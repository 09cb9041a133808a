"""Handlers for a WebSocket server of one's own: one that speaks the whole wire, and one for each thing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from semantest_recorder.core.access import Denied
from semantest_recorder.embedding.stream import StreamPeer, WebSocket
from semantest_recorder.server.handshake import read_handshake

if TYPE_CHECKING:
    from semantest_recorder.embedding.integration import OrchestratorIntegration


class WebSocketHandlers:
    """``serve`` is all that a server needs; the others are the original's, for servers that read messages themselves.

    Each of those raises ``Refusal`` for what cannot be done.
    """

    def __init__(self, system: OrchestratorIntegration) -> None:
        self._system = system

    async def serve(self, socket: WebSocket, *, token: str | None = None) -> None:
        """Speaks the wire (docs/reference/wire.md) with one client until it leaves.

        ``token``: the client's; by default that of the handshake's Authorization header where the connection has one
        (``websockets``). Who is not let in is told and closed with 1008, who comes after ``shutdown`` with 1001.
        A client that does not read is cut off: its connection may still be open when this returns; the server ends it.
        """
        if self._system.stopping:
            await socket.close(1001, "the recorder is stopping")
            return
        header = _headers(socket)
        identity = self._system.identify(header("Authorization") if token is None else [f"Bearer {token}"])
        denied = identity if isinstance(identity, Denied) else self._system.security.admit(identity)
        if isinstance(identity, Denied) or denied is not None:
            await socket.close(1008, denied.detail[:100] if denied is not None else "")
            return
        hub = self._system.hub
        await StreamPeer(socket, hub.open_session(identity, read_handshake(header)), hub).run()

    async def on_event(self, event: Mapping[str, Any]) -> None:
        """Takes one event; returns when it is committed. Raises ``Refusal``."""
        await self._system.get_persistence().save_event(event)

    async def on_start_test_run(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Starts a run; its status. Raises ``Refusal``."""
        return await self._system.get_orchestrator().start_test_run(config)

    async def on_end_test_run(self, run_id: str) -> dict[str, Any]:
        """Ends a run; its final status. Raises ``Refusal``."""
        return await self._system.get_orchestrator().end_test_run(run_id)

    async def on_cancel_test_run(self, run_id: str, reason: str | None = None) -> dict[str, Any]:
        """Cancels a run; its status. Raises ``Refusal``."""
        return await self._system.get_orchestrator().cancel_test_run(run_id, reason)

    def on_get_active_runs(self) -> list[dict[str, Any]]:
        """The status of every run that is not over."""
        return self._system.get_orchestrator().get_active_runs()

    def on_get_run_status(self, run_id: str) -> dict[str, Any] | None:
        """The status of a run, ``None`` when there is none of this id."""
        return self._system.get_orchestrator().get_run_status(run_id)

    async def on_validate_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """``{valid, errors?}``."""
        return self._system.get_security().validate_event(event)

    def on_get_security_metrics(self) -> dict[str, Any]:
        """As ``getSecurityMetrics`` of the wire."""
        return self._system.get_security().get_metrics()

    async def on_get_events_by_time_range(self, start_time: float, end_time: float) -> list[dict[str, Any]]:
        """The events of a time, oldest first; read in a thread."""
        read = self._system.get_persistence().get_events_by_time_range
        return await asyncio.to_thread(read, start_time, end_time)

    async def on_get_test_results_by_run(self, run_id: str) -> list[dict[str, Any]]:
        """The results of a run; read in a thread."""
        return await asyncio.to_thread(self._system.get_persistence().get_test_results_by_run, run_id)

    async def on_get_statistics(self) -> dict[str, Any]:
        """As ``getStatistics`` of the wire; read in a thread."""
        return await asyncio.to_thread(self._system.get_persistence().get_statistics)


def _headers(socket: WebSocket) -> Callable[[str], Sequence[str]]:
    """Gives all values of a header of the handshake, where ``websockets`` keeps them; none of a connection without."""
    found: Callable[[str], Sequence[str]] | None = getattr(
        getattr(getattr(socket, "request", None), "headers", None), "get_all", None
    )
    return found or (lambda _name: [])
