"""One WebSocket connection as a pure state machine: frames, verdicts and the time in, effects out.

The shell reads frames, carries out effects in their order, and never calls a session from two threads. A closed
session gives no more effects.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec

from semantest_recorder.core import messages
from semantest_recorder.core.access import ANY_ROLE, INGESTERS, READERS, Identity, Role
from semantest_recorder.core.batch import Batch, Committed, Refused, Verdict
from semantest_recorder.core.effects import Close, Effect, Ingest, Query, Send, Subscribed, Supersede
from semantest_recorder.core.ownership import InUse, Owner, SourceOwners
from semantest_recorder.core.requests import METHODS, Elsewhere
from semantest_recorder.core.subscription import InvalidPattern, Subscription

MAX_SEQ = 2**53
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
    """Who is at the other end: our id for the connection, its rights, its process and its User-Agent."""

    id: str
    identity: Identity
    instance: str
    agent: str = ""


class Handler(NamedTuple):
    """How a message type is handled, and the roles of which its sender needs one."""

    roles: frozenset[Role]
    handle: Callable[[Session, Any], list[Effect]]


class _Waiting(NamedTuple):
    """A request that is answered once ``after`` batches of its connection have their verdict."""

    after: int
    request: messages.RequestMessage


class Session:
    """The recorder's side of one connection."""

    def __init__(self, client: Client, owners: SourceOwners, server: ServerFacts, now_ms: float) -> None:
        self.client = client
        self.subscription = Subscription()
        self.unacked_bytes = 0
        self._owners = owners
        self.server = server
        self.opened_ms = now_ms
        self.now_ms = now_ms
        self._pending_events = 0
        self._frame_bytes = 0
        self._sent = 0
        self._submitted = 0
        self._settled = 0
        self._in_flight: dict[str, deque[int]] = {}
        #: First seq of the batch that was throttled, per source: what follows it would only be a gap.
        self._held: dict[str, int] = {}
        self._waiting: deque[_Waiting] = deque()
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
            message = messages.decode(frame if isinstance(frame, str) else frame.decode())
        except UnicodeDecodeError:
            return self._close(1007, "frames are UTF-8")
        except messages.UnknownType as error:
            return [self._error("UNKNOWN_TYPE", f"unknown message type {str(error)[:100]!r}")]
        except messages.InvalidMessage as error:
            return [self._invalid(str(error), error.source)]
        handler = self._HANDLERS[type(message)]
        if not self.client.identity.has_any(handler.roles):
            return [self._forbidden(message, handler.roles)]
        return handler.handle(self, message)

    def verdict(self, verdict: Verdict, now_ms: float) -> list[Effect]:
        """The writer has stored or refused the oldest batch of the verdict's source that was in flight."""
        self.now_ms = now_ms
        self._settled += 1
        source = verdict.source
        sizes = self._in_flight[source]
        self.unacked_bytes -= sizes.popleft()
        if not sizes:
            del self._in_flight[source]
        if self.closed:
            return []
        if isinstance(verdict, Committed):
            if verdict.seq >= self._held.get(source, MAX_SEQ + 1):
                del self._held[source]
            answer = Send(messages.encode("ack", now_ms, id=self._next_id(), source=source, seq=verdict.seq))
        else:
            answer = self._refusal(verdict)
        return [answer, *self._answer_waiting()]

    def answer(self, query: Query, result: object, now_ms: float) -> list[Effect]:
        """The shell has found out the answer to a query."""
        self.now_ms = now_ms
        return [] if self.closed else [self._response(query.request_id, result)]

    def close(self) -> None:
        """The connection is gone: its sources are free, batches in flight only settle."""
        self.closed = True
        self._waiting.clear()
        self._owners.release(self.client.id)

    # -- handlers -----------------------------------------------------------------------------------------

    def _events(self, message: messages.EventsMessage) -> list[Effect]:
        source, count = message.source, len(message.events)
        if not _SOURCE_NAME.fullmatch(source):
            return [self._invalid("a source name has 1 to 200 characters, none of them a control character")]
        if not 1 <= count <= self.server.limits.max_pending_events:
            return [self._invalid(f"a batch holds 1 to {self.server.limits.max_pending_events} events", source)]
        if not 1 <= message.first_seq <= MAX_SEQ - count:
            return [self._invalid(f"firstSeq is a number from 1 to {MAX_SEQ}", source)]
        claim = self._owners.claim(source, Owner(self.client.id, self.client.instance))
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
            return self._throttle(source, max(0, room))
        self._held.pop(source, None)
        self._in_flight.setdefault(source, deque()).append(self._frame_bytes)
        self.unacked_bytes += self._frame_bytes
        self._submitted += 1
        return Ingest(Batch(source, message.first_seq, message.events, self.now_ms))

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
        return [Send(messages.encode("pong", self.now_ms, message.payload, id=message.id))]

    def _pong(self, _message: messages.PongMessage) -> list[Effect]:
        return []

    def _request(self, message: messages.RequestMessage) -> list[Effect]:
        if self._settled == self._submitted:
            return [self._perform(message)]
        if len(self._waiting) >= self.server.limits.max_waiting_requests:
            error = {"code": "RATE_LIMITED", "message": "too many requests wait for an answer", "retryAfterMs": 1000}
            return [self._response(message.id, error=error)]
        self._waiting.append(_Waiting(self._submitted, message))
        return []

    #: Every message type that clients may send.
    _HANDLERS: ClassVar[Mapping[type, Handler]] = {
        messages.EventsMessage: Handler(INGESTERS, _events),
        messages.SubscribeMessage: Handler(READERS, _subscribe),
        messages.UnsubscribeMessage: Handler(READERS, _unsubscribe),
        messages.PingMessage: Handler(ANY_ROLE, _ping),
        messages.PongMessage: Handler(ANY_ROLE, _pong),
        messages.RequestMessage: Handler(ANY_ROLE, _request),
    }

    # -- requests ----------------------------------------------------------------------------------------------

    def _answer_waiting(self) -> list[Effect]:
        effects = []
        while self._waiting and self._waiting[0].after <= self._settled:
            effects.append(self._perform(self._waiting.popleft().request))
        return effects

    def _perform(self, request: messages.RequestMessage) -> Effect:
        try:
            name = messages.method_of(request)
        except messages.InvalidMessage as error:
            return self._response(request.id, error={"code": "INVALID_MESSAGE", "message": str(error)})
        method = METHODS.get(name)
        if method is None:
            text = f"no method {name[:100]!r}; there are {', '.join(METHODS)}"
            return self._response(request.id, error={"code": "METHOD_NOT_FOUND", "message": text})
        if not self.client.identity.has_any(method.roles):
            return self._response(request.id, error=_lacking(name, method.roles))
        answer = method.perform(self, request)
        return Query(name, request.id) if answer is Elsewhere.ASK else self._response(request.id, answer)

    # -- what is sent ------------------------------------------------------------------------------------------

    def _next_id(self) -> str:
        self._sent += 1
        return f"{self.client.id}-{self._sent}"

    def _response(self, request_id: object, payload: object = None, *, error: dict[str, Any] | None = None) -> Send:
        return Send(messages.encode_response(self.now_ms, request_id, payload, error=error))

    def _error(self, code: str, text: str, details: dict[str, Any] | None = None) -> Send:
        return Send(messages.encode_error(self.now_ms, code, text, details=details, id=self._next_id()))

    def _invalid(self, text: str, source: str | None = None) -> Send:
        return self._error("INVALID_MESSAGE", text, {"source": source} if source is not None else None)

    def _refusal(self, refused: Refused) -> Send:
        details: dict[str, Any] = {"source": refused.source}
        if refused.expected is not None:
            details["expected"] = refused.expected
        return self._error(refused.code, refused.message, details)

    def _throttle(self, source: str, credit: int) -> Send:
        wait_ms = max(50, min(5000, self._pending_events // 200))
        fields = {"source": source, "retryAfterMs": wait_ms, "credit": credit}
        return Send(messages.encode("throttle", self.now_ms, id=self._next_id(), **fields))

    def _forbidden(self, message: messages.Message, roles: frozenset[Role]) -> Send:
        kind = str(type(message).__struct_config__.tag)
        details = {"source": message.source} if isinstance(message, messages.EventsMessage) else None
        return self._error("FORBIDDEN", _lacking(kind, roles)["message"], details)

    def _close(self, code: int, reason: str) -> list[Effect]:
        self.close()
        return [Close(code, reason)]


def _lacking(what: str, roles: frozenset[Role]) -> dict[str, Any]:
    names = " or ".join(sorted(role.value for role in roles))
    return {"code": "FORBIDDEN", "message": f"{what} needs the role {names}"}
