"""All connections together: batches to the writer, verdicts back, committed events to subscribers."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from aiohttp import web

from semantest_recorder.core.access import Identity
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.batch import Batch, Committed, Refused, Verdict
from semantest_recorder.core.commit_wait import STALLED_MS, CommitWait
from semantest_recorder.core.effects import Query
from semantest_recorder.core.measures import IngestMeasures, Load
from semantest_recorder.core.ownership import SourceOwners
from semantest_recorder.core.publishing import published
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.security import Security
from semantest_recorder.core.session import Client, Limits, ServerFacts, Session, Shared
from semantest_recorder.server.attendance import Attendance
from semantest_recorder.server.conflicts import Conflicts
from semantest_recorder.server.connection import Connection
from semantest_recorder.server.delivery import Delivery
from semantest_recorder.server.handshake import Handshake, read_handshake
from semantest_recorder.server.outgoing import MAX_OUTGOING_BYTES, Outgoing
from semantest_recorder.server.peer import MAX_QUEUED_BYTES, Peer, text_frame
from semantest_recorder.server.replaying import Replay
from semantest_recorder.server.storage import Archive, BatchWriter
from semantest_recorder.server.turns import Turns

_ROUTES_MAX = 1000
#: So many are in the status by name.
_SOURCES_SHOWN = 1000
_REPLAYS_MAX = 8
_POSTPONED_MAX = 10_000
_POSTPONED_MS = 2000.0
#: The store's refusals that may end by themselves.
_STORE_CODES = ("STORE_FULL", "STORE_ERROR")

_log = logging.getLogger(__name__)


class Hub:
    """Lives in the event loop; only ``_settle`` is called from the writer's thread.

    ``clock`` gives milliseconds since the epoch; ``on_commit`` is called in the loop for every commit.
    """

    def __init__(
        self,
        writer: BatchWriter,
        facts: ServerFacts,
        clock: Callable[[], float],
        archive: Archive,
        *,
        security: Security,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
        max_outgoing_bytes: int = MAX_OUTGOING_BYTES,
        on_commit: Callable[[Committed], None] = lambda _verdict: None,
    ) -> None:
        self.now_ms = clock
        self.accepting = True
        self.facts = facts
        self.runs = ActiveRuns(archive.has_run)
        self.security = security
        self._archive = archive
        self._writer = writer
        self._on_commit = on_commit
        self._max_queued_bytes = max_queued_bytes
        self.outgoing = Outgoing(max_outgoing_bytes, _drop_reader)
        self._owners = SourceOwners()
        self.measures = IngestMeasures()
        self._shared = Shared(self._owners, self.runs, self.security, facts, self.measures)
        self.attendance = Attendance(self.runs)
        self._tasks: set[asyncio.Task[None]] = set()
        self._replaying: set[asyncio.Task[None]] = set()
        self._replays = 0
        self._turns = Turns(archive.at_once)
        #: The recorder's own batches that were refused, and when they are tried again: nobody else would.
        self._postponed: deque[tuple[float, Batch]] = deque(maxlen=_POSTPONED_MAX)
        self._connections: dict[str, Peer] = {}
        self._uses = 0
        self._subscribers: dict[str, Peer] = {}
        self._routes: dict[str, tuple[Peer, ...]] = {}
        self._delivery = Delivery(self._deliver)
        self._store_error: str | None = None
        self._wait = CommitWait()
        self._conflicts = Conflicts()
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
        """For how long nobody has been connected or asked for anything, and nothing has waited, in milliseconds."""
        if self._connections or self._uses or self._writer.pending_events:
            return 0.0
        return self.now_ms() - self._left_ms

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Somebody uses the recorder without a connection, for as long as the block takes."""
        self._uses += 1
        try:
            yield
        finally:
            self._uses -= 1
            self._left_ms = self.now_ms()

    async def serve(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        """Serves a WebSocket handshake and its connection to its end."""
        said = read_handshake(lambda name: request.headers.getall(name, []))
        session = self.open_session(identity, said)
        connection = Connection(request, session, self, max_queued_bytes=self._max_queued_bytes)
        self.join(connection)
        try:
            await connection.run()
        finally:
            self.leave(connection)
        return connection.response

    def open_session(self, identity: Identity, said: Handshake) -> Session:
        """A session for somebody who is about to ``join`` and has ``said`` this of itself."""
        client_id = secrets.token_hex(8)
        # Nobody can name a connection as its process.
        process = f"process {said.instance}" if said.instance else f"connection {client_id}"
        agent = said.agent[:200].encode("utf-8", "replace").decode()
        client = Client(client_id, identity, process, agent, said.attends)
        return Session(client, self._shared, self.now_ms())

    def join(self, peer: Peer) -> None:
        """Somebody takes part, until ``leave``."""
        client = peer.session.client
        self._connections[client.id] = peer
        name, agent = client.identity.name, client.agent or "no User-Agent"
        fields = {"client": client.id, "name": name}
        _log.info("client %s (%s) connected: %s", client.id, name, agent, extra={"fields": fields})

    def submit(self, batch: Batch, connection: Peer | None) -> None:
        """Hands a batch to the writer; its verdict comes back to the connection's session, if there is one."""
        came_s = monotonic()
        self._wait.came(self.now_ms())
        self._writer.submit(batch, lambda verdict: self._settle(connection, verdict, batch, came_s))

    def keep_time(self) -> None:
        """Ends what is over by time alone, or may not be any more; to be called some times a second."""
        if self.accepting:
            while self._postponed and self._postponed[0][0] <= self.now_ms():
                self.submit(self._postponed.popleft()[1], None)
            for batch in self.runs.due(self.now_ms(), self.attendance.attended()):
                self.submit(batch, None)
        self._close_denied()

    def _close_denied(self) -> None:
        closed: Counter[tuple[str, str]] = Counter()
        for connection in [one for one in self._connections.values() if not one.is_closing]:
            name = connection.session.client.identity.name
            denied = None if connection.session.closed else self.security.admit(connection.session.client.identity)
            if denied is not None:
                connection.close_soon(1008, denied.detail[:100], discard=True)
                closed[name, denied.detail] += 1
        for (name, reason), count in closed.items():
            connections = "1 connection" if count == 1 else f"{count} connections"
            _log.warning("closed %s of %s: %s", connections, name, reason, extra={"fields": {"name": name}})

    def find_out(self, query: Query, connection: Peer) -> None:
        """Finds the answer to what a session asked, while the loop goes on."""
        if query.name == "server.health":
            connection.perform(connection.session.answer(self.health(), self.now_ms()))
            return
        if query.name != "replay":
            self._begin(self._find_out(query, connection), self._tasks)
        elif len(self._replaying) >= _REPLAYS_MAX:
            text = f"{_REPLAYS_MAX} replays go on already; wait for the end of one"
            connection.perform(connection.session.fail("RATE_LIMITED", text, self.now_ms()))
        else:
            self._begin(self._replay(query, connection), self._replaying)

    @staticmethod
    def _begin(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def forget_runs(self, run_ids: Iterable[str]) -> None:
        """These runs were deleted: nothing more is said beside them."""
        for run_id in run_ids:
            self.runs.forget(run_id)
            self.attendance.forget(run_id)
            for connection in self._connections.values():
                connection.session.beside.discard(run_id)

    async def _replay(self, query: Query, connection: Peer) -> None:
        self._replays += 1
        replay = Replay(self._replays, connection, self._targets, self.now_ms, query.parameters)
        connection.perform(connection.session.answer(replay.facts, self.now_ms()))
        try:
            await replay.run(self._archive.replay)
        except Exception:  # noqa: BLE001 - the one who asked was told
            _log.exception("%s broke", replay.facts["replayId"])

    async def _find_out(self, query: Query, connection: Peer) -> None:
        """In its client's turn. What is asked of one run is small: an answer to who starts one waits for it."""
        session = connection.session
        try:
            await connection.wait_for_room()
            async with self._turns.turn(session.client.identity.name, is_small=query.name == "runStatus"):
                if session.closed:
                    return
                found = await self._archive.find(query.name, query.parameters)
        except Refusal as refusal:
            connection.perform(session.fail(refusal.code, str(refusal), self.now_ms()))
        except Exception as error:  # noqa: BLE001 - who asked gets an answer, whatever it is
            _log.exception("the query %s failed", query.name)
            text = f"the recorder could not answer ({type(error).__name__}); its log says why"
            connection.perform(session.fail("INTERNAL_ERROR", text, self.now_ms()))
        else:
            connection.perform(session.answer(found, self.now_ms()))

    def subscribed(self, connection: Peer) -> None:
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

    def health(self) -> dict[str, Any]:
        """``status`` is ``ok``, ``degraded`` (the store refuses or hangs: ``storeError`` says why) or ``stopping``."""
        status = "ok" if self.accepting else "stopping"
        error = self._store_error or self._stall()
        if error is not None:
            status = "degraded"
        return {"status": status, "storeError": error, "pendingEvents": self.pending_events}

    def _stall(self) -> str | None:
        stalled_ms = self._wait.stalled_ms(self.now_ms())
        if stalled_ms < STALLED_MS or not self.pending_events:
            return None
        return f"nothing was stored for {stalled_ms / 1000:.0f} s, though events wait: the disk hangs, or a plugin"

    @property
    def is_ready(self) -> bool:
        """Whether events are taken, and stored."""
        return bool(self.health()["status"] == "ok")

    @property
    def store_refuses(self) -> bool:
        """Whether the store took nothing when it was last asked to."""
        return self._store_error is not None

    def store_recovered(self) -> None:
        """The store takes something again, as somebody found out who had nothing to store."""
        if self._store_error is not None:
            self._store_error = None
            _log.info("the store takes events again")

    def status(self) -> dict[str, Any]:
        """Health, counts and who is connected, for ``/api/v1/status``."""
        return self.health() | {
            "uptimeMs": self.now_ms() - self.facts.started_ms,
            "connections": len(self._connections),
            "subscribers": len(self._subscribers),
            "sources": self._owners.sources(_SOURCES_SHOWN),
            "sourceCount": len(self._owners),
            "counts": self._counts,
        }

    def load(self) -> Load:
        """Counts since the start and of this moment, for metrics."""
        return Load(
            len(self._connections),
            len(self._subscribers),
            len(self._owners),
            sum(1 for _run in self.runs),
            sum(connection.queued_bytes for connection in self._connections.values()),
            self._turns.waiting,
            len(self._replaying),
            len(self._postponed),
            dict(self._counts),
            self._wait.oldest_ms(self.now_ms()),
        )

    async def close(self, reason: str, timeout_s: float) -> None:
        """Sends what is queued and closes every connection with 1001; the writer must have drained before."""
        self._delivery.finish()
        for connection in list(self._connections.values()):
            connection.close_soon(1001, reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._connections:
                    self._left.clear()
                    await self._left.wait()
        unfinished = self._tasks | self._replaying  # whoever asked is gone, or is given up
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished)

    # -- verdicts ----------------------------------------------------------------------------------------------

    def _settle(self, connection: Peer | None, verdict: Verdict, batch: Batch, came_s: float) -> None:
        """Called by the writer's thread."""
        self._wait.answered(self.now_ms())
        if connection is None and isinstance(verdict, Refused) and verdict.code in _STORE_CODES:
            self._postponed.append((self.now_ms() + _POSTPONED_MS, batch))
        if isinstance(verdict, Committed):
            self.measures.duplicate_events += max(0, len(batch.events) - len(verdict.fresh))
        self._delivery.add(connection, verdict, came_s)

    def _deliver(self, connection: Peer | None, verdict: Verdict, came_s: float) -> Iterator[int]:
        """Tells everybody; gives the size of each message to subscribers, see ``Delivery``."""
        self._count(verdict)
        if isinstance(verdict, Committed):
            self.runs.note(verdict, self.now_ms())
            self.attendance.committed(connection, verdict, self.now_ms())
        if connection is not None:
            connection.settled(verdict)
            self.measures.acks.observe(monotonic() - came_s)
        if isinstance(verdict, Committed):
            self._on_commit(verdict)
            yield from self._publish(verdict, connection)

    def _count(self, verdict: Verdict) -> None:
        self._counts["batches"] += 1
        if isinstance(verdict, Committed):
            self._counts["events"] += len(verdict.fresh)
            self._store_error = None
            return
        self._counts["refusedBatches"] += 1
        self.measures.refused_batches[verdict.code] += 1
        if verdict.code in _STORE_CODES and self._store_error != verdict.message:
            self._store_error = verdict.message
            _log.error("%s: %s", verdict.code, verdict.message)
        if verdict.code == "SEQ_CONFLICT":
            self._conflicts.note(verdict)

    def _publish(self, verdict: Committed, sender: Peer | None) -> Iterator[int]:
        if not self._subscribers:
            return
        for event in published(verdict, lambda kind: bool(self._targets(kind))):
            wire = text_frame(event.frame)
            for connection in self._targets(event.type):
                if connection is not sender:
                    connection.publish(event.frame, wire)
            yield len(wire)

    def _targets(self, kind: str) -> tuple[Peer, ...]:
        """Who wants events of a type; remembered until a subscription changes."""
        found = self._routes.get(kind)
        if found is None:
            if len(self._routes) >= _ROUTES_MAX:  # types are the clients' to invent
                self._routes.clear()
            found = tuple(c for c in self._subscribers.values() if c.session.subscription.matches(kind))
            self._routes[kind] = found
        return found

    def leave(self, connection: Peer) -> None:
        """Somebody has gone."""
        client_id = connection.session.client.id
        connection.session.close()
        self.outgoing.forget(connection)
        self.subscribed(connection)
        self.security.forget(client_id)
        self.attendance.left(connection)
        self._connections.pop(client_id, None)
        self._counts["droppedSubscribers"] += connection.lagged
        self._left_ms = self.now_ms()
        self._left.set()
        _log.info("client %s disconnected", client_id)
        if self.accepting:
            for batch in self.runs.leave(client_id, connection.session.beside, self.now_ms()):
                self.submit(batch, None)


def _drop_reader(connection: Peer) -> None:
    _log.warning("client %s does not read its answers: dropped, they are too many", connection.session.client.id)
    connection.close_soon(1013, "too slow: connect again", discard=True)
    connection.cut_if_stuck()  # what the socket holds would stay until the goodbye is given up
