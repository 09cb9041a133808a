"""One WebSocket connection as a pure state machine: frames, verdicts and the time in, effects out.

The shell reads frames, carries out effects in their order, and never calls a session from two threads. A closed
session gives no more effects.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import msgspec

from pytest_semantest.protocol.events import RUN_START
from semantest_recorder.core import messages
from semantest_recorder.core.access import ANY_ROLE, INGESTERS, OPERATORS, OWNER, READERS, Identity, Role
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.batch import LIVE, Batch, Committed, Refused, Verdict
from semantest_recorder.core.commands import COMMANDS, ECHO_MAX, MESSAGES
from semantest_recorder.core.dialogue import Dialogue, Reply, lacking
from semantest_recorder.core.effects import NO_PARAMETERS, Announce, Close, Effect, Ingest, Send, Subscribed, Supersede
from semantest_recorder.core.live_event import ids_of, read_live_event
from semantest_recorder.core.marking import noted
from semantest_recorder.core.measures import IngestMeasures
from semantest_recorder.core.ownership import InUse, Owner, SourceOwners, TooMany
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.security import Security
from semantest_recorder.core.subscription import InvalidPattern, Subscription

MAX_SEQ = 2**53
#: When a source comes again whose token sends too many, in milliseconds.
_CROWDED_MS = 5000.0
_SOURCE_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class Limits(msgspec.Struct, frozen=True, rename="camel"):
    """How much of others' data is held. Limits delay a shipper, they never drop an event.

    ``max_pending_events``: of all connections, waiting for the writer; ``max_unacked_bytes`` and
    ``max_waiting_requests``: of one connection; ``max_frame_bytes`` is enforced where frames are read.
    """

    max_pending_events: int = 50_000
    max_unacked_bytes: int = 64 * 1024 * 1024
    max_waiting_requests: int = 256
    max_frame_bytes: int = messages.MAX_FRAME


class ServerFacts(msgspec.Struct, frozen=True, rename="camel"):
    """What ``server.info`` says."""

    server_version: str
    protocol_version: int
    oldest_protocol: int
    started_ms: float
    limits: Limits = Limits()


class Client(NamedTuple):
    """Who is at the other end: our id for the connection, its rights, its process and its User-Agent.

    ``attends``: the run of pytest that it says it attends, empty for none.
    """

    id: str
    identity: Identity
    instance: str
    agent: str = ""
    attends: str = ""

    @property
    def holder(self) -> str:
        """The name of its token, empty for the owner's, for which no limit holds that keeps others room."""
        return "" if self.identity.name == OWNER.name else self.identity.name


class Handler(NamedTuple):
    """How a message type is handled, and the roles of which its sender needs one."""

    roles: frozenset[Role]
    handle: Callable[[Session, Any], list[Effect]]


class Shared(NamedTuple):
    """What all sessions of a recorder share."""

    owners: SourceOwners
    runs: ActiveRuns
    security: Security
    server: ServerFacts
    measures: IngestMeasures


class Session:
    """The recorder's side of one connection."""

    def __init__(self, client: Client, shared: Shared, now_ms: float) -> None:
        self.client = client
        self.subscription = Subscription()
        self.unacked_bytes = 0
        self._owners = shared.owners
        self.runs = shared.runs
        self.security = shared.security
        self.server = shared.server
        self._measures = shared.measures
        #: The run that this connection started last.
        self.started_run: str | None = None
        #: Runs of pytest, or ones that are over, beside which this client said something.
        self.beside: set[str] = set()
        self.opened_ms = now_ms
        self.now_ms = now_ms
        self._pending_events = 0
        self._frame = ""
        self._frame_bytes = 0
        self._sent = 0
        #: By source, the size and last seq of each batch and, of an event said once, the ids by which it is refused.
        self._in_flight: dict[str, deque[tuple[int, int, Mapping[str, Any]]]] = {}
        #: First seq of the batch that was throttled, per source: what follows it would only be a gap.
        self._held: dict[str, int] = {}
        self._dialogue = Dialogue(self, self.server.limits.max_waiting_requests)
        self.closed = False

    def open(self) -> list[Effect]:
        """What the recorder says first."""
        payload = {
            "clientId": self.client.id,
            "protocolVersion": self.server.protocol_version,
            "serverVersion": self.server.server_version,
        }
        return [Send(messages.encode_event(self.now_ms, self._next_id(), "system.connected", payload))]

    def receive(self, frame: str | bytes, now_ms: float, pending_events: int) -> list[Effect]:
        """A frame has come; ``pending_events`` wait for the writer, of all connections."""
        if self.closed:
            return []
        self.now_ms = now_ms
        self._pending_events = pending_events
        self._frame_bytes = len(frame)
        try:
            text = frame if isinstance(frame, str) else frame.decode()
            message = messages.decode(text, MESSAGES)
        except UnicodeDecodeError:
            return self._close(1007, "frames are UTF-8")
        except messages.UnknownType as error:
            return [self._error("UNKNOWN_TYPE", f"unknown message type {str(error)[:100]!r}")]
        except messages.InvalidMessage as error:
            return [self._invalid(str(error), error.source)]
        if len(bytes(message.id)) > messages.MAX_ID:
            source = message.source if isinstance(message, messages.EventsMessage) else None
            return [self._invalid(f"an id has at most {messages.MAX_ID} bytes of JSON", source)]
        if isinstance(message, messages.CommandMessage):
            command = COMMANDS[message.type]
            reply = Reply(message.id, command.answer)
            return self._dialogue.command(message.type, command, message.payload, reply)
        handler = self._HANDLERS[type(message)]
        if not self.client.identity.has_any(handler.roles):
            return [self._forbidden(message, handler.roles)]
        self._frame = text
        try:
            return handler.handle(self, message)
        finally:
            self._frame = ""  # a connection that says nothing more must not hold it

    def verdict(self, verdict: Verdict, now_ms: float) -> list[Effect]:
        """The writer has stored or refused the oldest batch of the verdict's source that was in flight."""
        self.now_ms = now_ms
        source = verdict.source
        waiting = self._in_flight[source]
        size, last_seq, about = waiting.popleft()
        self.unacked_bytes -= size
        if not waiting:
            del self._in_flight[source]
        was_promised, effects = self._dialogue.settle(verdict)
        if self.closed:
            return []
        if was_promised:
            return effects
        return [*self._said_of(verdict, last_seq, about), *effects]

    def _said_of(self, verdict: Verdict, last_seq: int, about: Mapping[str, Any]) -> list[Effect]:
        """What the client is told of a batch that ends with ``last_seq``.

        No more than that is acknowledged, though another copy of its journal may have brought more: an ack of what it
        never sent is a forged one for a shipper. Of what it said one by one it is told nothing when all is well.
        """
        source = verdict.source
        if not isinstance(verdict, Committed):
            if verdict.code == "SOURCE_IN_USE":
                self._owners.give_back(source, self.client.id)
            return [self._refusal(verdict, about)]
        if source.startswith(LIVE):
            return []
        if verdict.seq >= self._held.get(source, MAX_SEQ + 1):
            del self._held[source]
        seq = min(verdict.seq, last_seq)
        return [Send(messages.encode("ack", self.now_ms, id=self._next_id(), source=source, seq=seq))]

    def answer(self, result: object, now_ms: float) -> list[Effect]:
        """The shell has found out what was asked."""
        self.now_ms = now_ms
        return self._dialogue.answer(result)

    def fail(self, code: str, message: str, now_ms: float) -> list[Effect]:
        """The shell could not find out what was asked."""
        self.now_ms = now_ms
        return self._dialogue.fail(code, message)

    def cancel(self, run_id: str, reason: str, grace_ms: float, now_ms: float) -> Send:
        """Tells a shipper that the pytest whose journals it sends is to be stopped."""
        payload = {"runId": run_id, "reason": reason, "graceMs": grace_ms}
        return Send(messages.encode("cancel", now_ms, payload, id=self._next_id()))

    def ask_stack(self, run_id: str, worker: str, now_ms: float) -> Send:
        """Asks a shipper what a process of the session that it sends is doing."""
        return Send(messages.encode("stack", now_ms, {"runId": run_id, "worker": worker}, id=self._next_id()))

    def submit(self, batch: Batch, about: Mapping[str, Any] = NO_PARAMETERS) -> Ingest:
        """The batch goes to the writer: it is counted until its verdict comes. ``about``: how a refusal calls it."""
        last_seq = batch.first_seq + len(batch.events) - 1
        self._in_flight.setdefault(batch.source, deque()).append((self._frame_bytes, last_seq, about))
        self.unacked_bytes += self._frame_bytes
        return Ingest(batch)

    def close(self) -> None:
        """The connection is gone: its sources are free, batches in flight only settle."""
        self.closed = True
        self._dialogue.close()
        self._owners.release(self.client.id)

    # -- handlers -----------------------------------------------------------------------------------------

    def _events(self, message: messages.EventsMessage) -> list[Effect]:
        source, count = message.source, len(message.events)
        if not _SOURCE_NAME.fullmatch(source):
            return [self._invalid("a source name has 1 to 200 characters, none of them a control character")]
        if source.startswith(LIVE):
            return [self._invalid(f"sources that start with {LIVE!r} are written by the recorder itself", source)]
        if not 1 <= count <= self.server.limits.max_pending_events:
            return [self._invalid(f"a batch holds 1 to {self.server.limits.max_pending_events} events", source)]
        if not 1 <= message.first_seq <= MAX_SEQ - count:
            return [self._invalid(f"firstSeq is a number from 1 to {MAX_SEQ}", source)]
        claim = self._owners.claim(source, Owner(self.client.id, self.client.instance, self.client.identity.name))
        if isinstance(claim, TooMany):
            return [self._throttle(source, 0, _CROWDED_MS, "sources")]
        if isinstance(claim, InUse):
            text = f"source {source} is being sent by another process; it is free when that one's connection closes"
            return [self._error("SOURCE_IN_USE", text, {"source": source})]
        effects: list[Effect] = [Supersede(claim.superseded)] if claim.superseded else []
        return [*effects, self._admit(message, count)]

    def _admit(self, message: messages.EventsMessage, count: int) -> Effect:
        """Takes a batch, or nothing of it while there is no room for it."""
        source, limits = message.source, self.server.limits
        room = limits.max_pending_events - self._pending_events
        crowded = self.unacked_bytes and self.unacked_bytes + self._frame_bytes > limits.max_unacked_bytes
        # A batch larger than the room left goes in once nothing else waits, so that no batch is too large for ever.
        full = self._pending_events > 0 and count > room
        held = self._held.get(source)
        if full or crowded or (held is not None and message.first_seq > held):
            self._held[source] = message.first_seq if held is None else min(held, message.first_seq)
            return self._throttle(source, max(0, room), max(50, min(5000, self._pending_events // 200)), "pending")
        wait_ms = self.security.take(self.client.id, count, self.now_ms)
        if wait_ms:
            self._held[source] = message.first_seq if held is None else min(held, message.first_seq)
            return self._throttle(source, 0, wait_ms, "rate")
        self._held.pop(source, None)
        self._dialogue.submitted += 1
        batch = Batch(source, message.first_seq, message.events, self.now_ms, holder=self.client.identity.name)
        return self.submit(noted(batch, self.security.marks(self._frame, message.events)))

    def _event(self, message: messages.EventMessage) -> list[Effect]:
        """An event said once: it is refused with reasons, or becomes part of the log."""
        about = ids_of(message.id, message.payload)
        wait_ms = self.security.take(self.client.id, 1, self.now_ms)
        if wait_ms:
            text = "more events than the policy allows within a second; this one was not taken: send it again later"
            return [self._error("RATE_LIMITED", text, {"retryAfterMs": wait_ms}, about)]
        found = read_live_event(message.payload, self.security, self.now_ms)
        if isinstance(found, list):
            text, problems = "; ".join(problem.message for problem in found)[:1000], msgspec.to_builtins(found)
            return [self._error("VALIDATION_ERROR", text, problems, about)]
        limits = self.server.limits
        if self._pending_events >= limits.max_pending_events or self.unacked_bytes > limits.max_unacked_bytes:
            text = "the recorder has more to write than it can hold; this event was not taken: send it again later"
            return [self._error("RATE_LIMITED", text, {"retryAfterMs": 500}, about)]
        try:
            written = self.runs.write(
                found.event,
                found.payload,
                self.started_run,
                self.client.id,
                self.now_ms,
                holder=self.client.holder,
                operates=self.client.identity.has_any(OPERATORS),
            )
        except Refusal as refusal:
            return [self._error(refusal.code, str(refusal), about=about)]
        if found.event.type == RUN_START:
            self.started_run = str(found.payload.get("runId"))
        if written.beside is not None:
            self.beside.add(written.beside)
        self._dialogue.submitted += 1
        return [self.submit(written.batch, about), *(Announce(batch) for batch in written.after)]

    def _subscribe(self, message: messages.SubscribeMessage) -> list[Effect]:
        try:
            self.subscription.add(message.payload.event_types)
        except InvalidPattern as error:
            problem = {"code": "INVALID_PATTERN", "message": str(error)}
            return [self._response(message.id, error=problem)]
        return [Subscribed(), self._response(message.id, {"subscribed": message.payload.event_types})]

    def _unsubscribe(self, message: messages.UnsubscribeMessage) -> list[Effect]:
        self.subscription.discard(message.payload.event_types)
        return [Subscribed(), self._response(message.id, {"unsubscribed": message.payload.event_types})]

    def _ping(self, message: messages.PingMessage) -> list[Effect]:
        if len(bytes(message.payload)) > ECHO_MAX:
            return [self._invalid(f"no more than {ECHO_MAX} bytes are said back")]
        return [Send(messages.encode("pong", self.now_ms, message.payload, id=message.id))]

    def _pong(self, _message: messages.PongMessage) -> list[Effect]:
        return []

    def _request(self, message: messages.RequestMessage) -> list[Effect]:
        reply = Reply(message.id, None)
        try:
            name = messages.method_of(message)
        except messages.InvalidMessage as error:
            return [self._response(message.id, error={"code": "INVALID_MESSAGE", "message": str(error)})]
        command = COMMANDS.get(name)
        if command is None:
            text = f"no method {name[:100]!r}; there are {', '.join(COMMANDS)}"
            return [self._response(message.id, error={"code": "METHOD_NOT_FOUND", "message": text})]
        return self._dialogue.command(name, command, message.payload, reply)

    #: Every message type that clients may send.
    _HANDLERS: ClassVar[Mapping[type, Handler]] = {
        messages.EventsMessage: Handler(INGESTERS, _events),
        messages.EventMessage: Handler(INGESTERS, _event),
        messages.SubscribeMessage: Handler(READERS, _subscribe),
        messages.UnsubscribeMessage: Handler(READERS, _unsubscribe),
        messages.PingMessage: Handler(ANY_ROLE, _ping),
        messages.PongMessage: Handler(ANY_ROLE, _pong),
        messages.RequestMessage: Handler(ANY_ROLE, _request),
    }

    # -- what is sent ------------------------------------------------------------------------------------------

    def _next_id(self) -> str:
        self._sent += 1
        return f"{self.client.id}-{self._sent}"

    def _response(self, request_id: object, payload: object = None, *, error: dict[str, Any] | None = None) -> Send:
        return Send(messages.encode_response(self.now_ms, request_id, payload, error=error))

    def _error(
        self,
        code: str,
        text: str,
        details: Mapping[str, Any] | Sequence[Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Send:
        self._measures.refused_messages[code] += 1
        return Send(messages.encode_error(self.now_ms, code, text, details=details, about=about, id=self._next_id()))

    def _invalid(self, text: str, source: str | None = None) -> Send:
        return self._error("INVALID_MESSAGE", text, {"source": source} if source is not None else None)

    def _refusal(self, refused: Refused, about: Mapping[str, Any]) -> Send:
        details: dict[str, Any] = {"source": refused.source}
        if refused.expected is not None:
            details["expected"] = refused.expected
        return self._error(refused.code, refused.message, details, about)

    def _throttle(self, source: str, credit: int, wait_ms: float, reason: str) -> Send:
        self._measures.delayed(reason, wait_ms)
        fields = {"source": source, "retryAfterMs": wait_ms, "credit": credit}
        return Send(messages.encode("throttle", self.now_ms, id=self._next_id(), **fields))

    def _forbidden(self, message: messages.Message, roles: frozenset[Role]) -> Send:
        kind = str(type(message).__struct_config__.tag)
        details = {"source": message.source} if isinstance(message, messages.EventsMessage) else None
        refused = lacking(kind, roles)["message"]
        about = ids_of(message.id, message.payload if isinstance(message, messages.EventMessage) else msgspec.Raw())
        return self._error("FORBIDDEN", refused, details, about)._replace(lacks=refused)

    def _close(self, code: int, reason: str) -> list[Effect]:
        self.close()
        return [Close(code, reason)]
