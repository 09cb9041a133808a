"""A client without a socket: the program that embeds the recorder says and asks what any client may."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, NamedTuple

import msgspec

from semantest_recorder.core.access import OWNER
from semantest_recorder.core.batch import Verdict
from semantest_recorder.core.effects import Ingest
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.handshake import Handshake
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.peer import Peer

#: What of many events is sent before their commit is waited for, so that others have room and the loop its turns.
_PART_EVENTS = 256
_PART_BYTES = 4 * 1024 * 1024


class EventsNotSavedError(Refusal):
    """Events that were not taken; all others are committed.

    ``refusals``: the ``error`` messages of the wire, each with the ``index`` of its event in what was sent and the
    event's id as ``eventId``, in the order of the events. The text and ``code`` are those of the first one.
    """

    def __init__(self, refusals: list[dict[str, Any]], sent: int) -> None:
        first = refusals[0]
        text = str(first["message"])
        if sent > 1:
            text = f"{len(refusals)} of {sent} events were not taken, first the one at index {first['index']}: {text}"
        super().__init__(str(first["code"]), text)
        self.refusals = refusals


class _Sending:
    """One call that sends events: how many of them have no verdict yet, and which were refused."""

    def __init__(self) -> None:
        self.sent = 0
        self.pending = 0
        self.refusals: dict[int, dict[str, Any]] = {}
        #: Is done when all that was sent has its verdict.
        self.settled: asyncio.Future[None] | None = None

    def settle(self) -> None:
        """One more has its verdict."""
        self.pending -= 1
        if not self.pending and self.settled is not None and not self.settled.done():
            self.settled.set_result(None)


class _Said(NamedTuple):
    """An event of a call."""

    sending: _Sending
    place: int
    event_id: object

    def refuse(self, message: Mapping[str, Any]) -> None:
        """It is not taken, for the reason that the message gives."""
        self.sending.refusals[self.place] = {**message, "index": self.place, "eventId": self.event_id}


class InProcessPeer(Peer):
    """Speaks with the hub by the same messages as everybody, in the hub's own loop."""

    def __init__(self, hub: Hub, *, on_event: Callable[[dict[str, Any]], None] | None = None) -> None:
        super().__init__(hub.open_session(OWNER, Handshake(agent="embedding program")), hub)
        self._ids = count(1)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        #: Errors do not name their event: it is the one that is being said, or has its verdict, now.
        self._at: _Said | None = None
        #: The event of each batch that has no verdict yet, by source; a command's has none.
        self._in_flight: dict[str, deque[_Said | None]] = {}
        self._waiting: set[asyncio.Future[None]] = set()
        self._on_event = on_event
        hub.join(self)

    async def request(self, method: str, payload: object = None) -> Any:
        """The answer to a method. Raises ``Refusal`` (``STOPPING`` once the recorder stops)."""
        request_id = f"q{next(self._ids)}"
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        try:
            self._say(msgspec.json.encode({"id": request_id, "type": "request", "method": method, "payload": payload}))
            message = await answer
        finally:
            del self._answers[request_id]
        if not message["success"]:
            raise Refusal(str(message["payload"]["code"]), str(message["error"]))
        return message.get("payload")

    async def send(self, event: Mapping[str, Any]) -> None:
        """Returns when the event is committed. Raises ``EventsNotSavedError``, also when there is no room now."""
        sending = _Sending()
        frame = _frame_of(said := _next(sending, event), event)
        if frame is not None:
            self._say_event(said, frame)
        await self._finish(sending)

    async def send_all(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Returns when all are committed; waits for room, and as long as the policy's rate wants.

        Raises ``EventsNotSavedError`` for those that were not, ``Refusal`` (``STOPPING``) once the recorder stops.
        """
        sending, size = _Sending(), 0
        for event in events:
            frame = _frame_of(said := _next(sending, event), event)
            if frame is None:
                continue
            while wait_s := self._say_event(said, frame):  # noqa: ASYNC110 - it was told for how long
                await asyncio.sleep(wait_s)
            size += len(frame)
            if sending.pending >= _PART_EVENTS or size >= _PART_BYTES:
                await self._wait(sending)
                size = 0
        await self._finish(sending)

    def leave(self) -> None:
        """Takes part no more; calls that wait for an answer are refused."""
        self._hub.leave(self)
        waiting: list[asyncio.Future[Any]] = [*self._answers.values(), *self._waiting]
        for future in waiting:
            if not future.done():
                future.set_exception(_stopping())

    def settled(self, verdict: Verdict) -> None:
        """Tells the call whose event it was, too."""
        batches = self._in_flight[verdict.source]
        self._at = said = batches.popleft()
        if not batches:
            del self._in_flight[verdict.source]
        try:
            super().settled(verdict)
        finally:
            self._at = None
            if said is not None:
                said.sending.settle()

    def _say_event(self, said: _Said, frame: bytes) -> float:
        """For how many seconds it has to wait, and was not taken; 0 when it was, or is refused for good."""
        refusals = said.sending.refusals
        refusals.pop(said.place, None)
        self._at = said
        try:
            self._say(frame)
        finally:
            self._at = None
        refusal = refusals.get(said.place)
        if refusal is None or refusal["code"] != "RATE_LIMITED":
            return 0.0
        return float(refusal["details"]["retryAfterMs"]) / 1000

    def _say(self, frame: bytes) -> None:
        if self.session.closed or not self._hub.accepting:
            raise _stopping()
        effects = self.session.receive(frame, self._hub.now_ms(), self._hub.pending_events)
        for effect in effects:
            if isinstance(effect, Ingest):
                self._in_flight.setdefault(effect.batch.source, deque()).append(self._at)
                if self._at is not None:
                    self._at.sending.pending += 1
        self.perform(effects)

    async def _wait(self, sending: _Sending) -> None:
        """Until all that was sent has its verdict."""
        if not sending.pending:
            return
        if self.session.closed:
            raise _stopping()
        sending.settled = asyncio.get_running_loop().create_future()
        self._waiting.add(sending.settled)
        try:
            await sending.settled
        finally:
            self._waiting.discard(sending.settled)

    async def _finish(self, sending: _Sending) -> None:
        await self._wait(sending)
        if sending.refusals:
            refusals = [refusal for _index, refusal in sorted(sending.refusals.items())]
            raise EventsNotSavedError(refusals, sending.sent)

    def _enqueue(self, frame: bytes, *, own: bool = True) -> None:  # noqa: ARG002 - nothing waits here
        message = msgspec.json.decode(frame)
        match message["type"]:
            case "response":
                answer = self._answers.get(str(message["requestId"]))
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case "error" if self._at is not None:
                self._at.refuse(message)
            case "event" if self._on_event is not None:
                self._on_event(message["payload"])

    async def wait_for_room(self) -> None:
        """Nothing waits here."""

    def _closes_soon(self) -> None:
        self.leave()


def _next(sending: _Sending, event: object) -> _Said:
    sending.sent += 1
    return _Said(sending, sending.sent - 1, event.get("id") if isinstance(event, Mapping) else None)


def _frame_of(said: _Said, event: object) -> bytes | None:
    """What is sent; ``None`` when it cannot be, which is the refusal of this one event."""
    try:
        return msgspec.json.encode({"type": "event", "payload": event})
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        text = f"the event cannot be written as JSON: {error}"
        said.refuse({"type": "error", "code": "VALIDATION_ERROR", "message": text, "details": []})
        return None


def _stopping() -> Refusal:
    return Refusal("STOPPING", "the recorder is stopping")
