"""All connections together: batches to the writer, verdicts back, committed events to subscribers."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from aiohttp import hdrs, web

from semantest_recorder.core.access import Identity
from semantest_recorder.core.batch import Batch, Committed, Verdict
from semantest_recorder.core.ownership import SourceOwners
from semantest_recorder.core.publishing import published
from semantest_recorder.core.session import Client, Limits, ServerFacts, Session
from semantest_recorder.server.connection import MAX_QUEUED_BYTES, Connection

INSTANCE_HEADER = "X-Semantest-Instance"
_ROUTES_MAX = 1000

_log = logging.getLogger(__name__)


class BatchWriter(Protocol):
    """What the hub needs of the store's writer."""

    @property
    def pending_events(self) -> int:
        """Events that were submitted and not yet answered."""

    def submit(self, batch: Batch, done: Callable[[Verdict], None]) -> None:
        """Queues the batch and calls ``done`` in another thread."""


class Hub:
    """Lives in the event loop; only ``_settle`` is called from the writer's thread.

    ``clock`` gives milliseconds since the epoch; ``on_commit`` is called in the loop for every commit.
    """

    def __init__(
        self,
        writer: BatchWriter,
        facts: ServerFacts,
        clock: Callable[[], float],
        *,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
        on_commit: Callable[[Committed], None] = lambda _verdict: None,
    ) -> None:
        self.now_ms = clock
        self.accepting = True
        self.facts = facts
        self._writer = writer
        self._on_commit = on_commit
        self._max_queued_bytes = max_queued_bytes
        self._owners = SourceOwners()
        self._connections: dict[str, Connection] = {}
        self._subscribers: dict[str, Connection] = {}
        self._routes: dict[str, tuple[Connection, ...]] = {}
        self._loop = asyncio.get_running_loop()
        self._verdicts: deque[tuple[Connection, Verdict]] = deque()
        self._delivery_due = False
        self._store_error: str | None = None
        self._counts = {"events": 0, "batches": 0, "refusedBatches": 0, "droppedSubscribers": 0}
        self._left_ms = clock()
        self._left = asyncio.Event()

    @property
    def limits(self) -> Limits:
        """What sessions are held to."""
        return self.facts.limits

    @property
    def pending_events(self) -> int:
        """Events of all connections that wait for the writer."""
        return self._writer.pending_events

    def idle_ms(self) -> float:
        """For how long nobody has been connected and nothing has waited, in milliseconds."""
        if self._connections or self._writer.pending_events:
            return 0.0
        return self.now_ms() - self._left_ms

    def touch(self) -> None:
        """Somebody has used the recorder without a connection."""
        self._left_ms = self.now_ms()

    async def serve(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        """Serves a WebSocket handshake and its connection to its end."""
        client_id = secrets.token_hex(8)
        instance = request.headers.get(INSTANCE_HEADER, "") or f"connection {client_id}"
        client = Client(client_id, identity, instance, request.headers.get(hdrs.USER_AGENT, "")[:200])
        session = Session(client, self._owners, self.facts, self.now_ms())
        connection = Connection(request, session, self, max_queued_bytes=self._max_queued_bytes)
        self._connections[client_id] = connection
        _log.info("client %s connected: %s", client_id, client.agent or "no User-Agent")
        try:
            await connection.run()
        finally:
            self._forget(connection)
        return connection.response

    def submit(self, batch: Batch, connection: Connection) -> None:
        """Hands a batch to the writer; its verdict comes back to the connection's session."""
        self._writer.submit(batch, lambda verdict: self._settle(connection, verdict))

    def subscribed(self, connection: Connection) -> None:
        """The connection's subscription has changed, or it is closing."""
        client_id = connection.session.client.id
        if connection.session.subscription and not connection.session.closed:
            self._subscribers[client_id] = connection
        else:
            self._subscribers.pop(client_id, None)
        self._routes.clear()

    def supersede(self, client_id: str) -> None:
        """Closes a connection whose process has come back on another one."""
        connection = self._connections.get(client_id)
        if connection is not None:
            connection.close_soon(1000, "this process has connected again", discard=True)

    def answer(self, method: str) -> object:
        """What sessions cannot know themselves. Raises ``KeyError`` for a method that no session asks."""
        return {"server.health": self.health}[method]()

    def health(self) -> dict[str, Any]:
        """``status`` is ``ok``, ``degraded`` (the store refuses: ``storeError`` says why) or ``stopping``."""
        status = "ok" if self.accepting else "stopping"
        if self._store_error is not None:
            status = "degraded"
        return {"status": status, "storeError": self._store_error, "pendingEvents": self.pending_events}

    def status(self) -> dict[str, Any]:
        """Health, counts and who is connected, for ``/api/v1/status``."""
        return self.health() | {
            "uptimeMs": self.now_ms() - self.facts.started_ms,
            "connections": len(self._connections),
            "subscribers": len(self._subscribers),
            "sources": self._owners.sources(),
            "counts": self._counts,
        }

    async def close(self, reason: str, timeout_s: float) -> None:
        """Sends what is queued and closes every connection with 1001; the writer must have drained before."""
        while self._verdicts:
            self._deliver_one(*self._verdicts.popleft())
        for connection in list(self._connections.values()):
            connection.close_soon(1001, reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._connections:
                    self._left.clear()
                    await self._left.wait()

    # -- verdicts ----------------------------------------------------------------------------------------------

    def _settle(self, connection: Connection, verdict: Verdict) -> None:
        """Called by the writer's thread: one wake-up of the loop for all verdicts of a commit."""
        self._verdicts.append((connection, verdict))
        if not self._delivery_due:
            self._delivery_due = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop has ended: nobody is left who waits for an ack
                _log.debug("verdict for %s came after the end", verdict.source)

    def _deliver(self) -> None:
        """One verdict at a time, so that readers can take what it publishes before the next one adds to it."""
        self._delivery_due = False  # before the queue is read: what is appended later schedules again
        if self._verdicts:
            self._deliver_one(*self._verdicts.popleft())
        if self._verdicts:
            self._delivery_due = True
            self._loop.call_soon(self._deliver)

    def _deliver_one(self, connection: Connection, verdict: Verdict) -> None:
        self._count(verdict)
        connection.perform(connection.session.verdict(verdict, self.now_ms()))
        if isinstance(verdict, Committed):
            self._publish(verdict, connection)
            self._on_commit(verdict)

    def _count(self, verdict: Verdict) -> None:
        self._counts["batches"] += 1
        if isinstance(verdict, Committed):
            self._counts["events"] += len(verdict.fresh)
            self._store_error = None
            return
        self._counts["refusedBatches"] += 1
        if verdict.code in ("STORE_FULL", "STORE_ERROR") and self._store_error != verdict.message:
            self._store_error = verdict.message
            _log.error("%s: %s", verdict.code, verdict.message)

    def _publish(self, verdict: Committed, sender: Connection) -> None:
        if not self._subscribers:
            return
        for event in published(verdict, lambda kind: bool(self._targets(kind))):
            for connection in self._targets(event.type):
                if connection is not sender:
                    connection.publish(event.frame)

    def _targets(self, kind: str) -> tuple[Connection, ...]:
        """Who wants events of a type; remembered until a subscription changes."""
        found = self._routes.get(kind)
        if found is None:
            if len(self._routes) >= _ROUTES_MAX:  # types are the clients' to invent
                self._routes.clear()
            found = tuple(c for c in self._subscribers.values() if c.session.subscription.matches(kind))
            self._routes[kind] = found
        return found

    def _forget(self, connection: Connection) -> None:
        client_id = connection.session.client.id
        connection.session.close()
        self.subscribed(connection)
        self._connections.pop(client_id, None)
        self._counts["droppedSubscribers"] += connection.lagged
        self._left_ms = self.now_ms()
        self._left.set()
        _log.info("client %s disconnected", client_id)
