"""A client without a socket: the program that embeds the recorder says and asks what any client may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import msgspec

from semantest_recorder.core.access import OWNER
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.handshake import Handshake
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.peer import Peer


class EventsRefusedError(Refusal):
    """Events that were not taken; ``refusals`` are the ``error`` messages, the first one is the text."""

    def __init__(self, refusals: list[dict[str, Any]]) -> None:
        super().__init__(str(refusals[0]["code"]), str(refusals[0]["message"]))
        self.refusals = refusals


class InProcessPeer(Peer):
    """Speaks with the hub by the same messages as everybody, in the hub's own loop."""

    def __init__(self, hub: Hub, *, on_event: Callable[[dict[str, Any]], None] | None = None) -> None:
        super().__init__(hub.open_session(OWNER, Handshake(agent="embedding program")), hub)
        self._ids = count(1)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._refusals: list[dict[str, Any]] = []
        #: Errors do not name their event: what is refused belongs to the one call that sends.
        self._sending = asyncio.Lock()
        self._given_up = False
        self._on_event = on_event
        hub.join(self)

    async def request(self, method: str, payload: object = None) -> Any:
        """The answer to a method. Raises ``Refusal`` (``STOPPING`` once the recorder stops)."""
        request_id = f"q{next(self._ids)}"
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        try:
            self._say({"id": request_id, "type": "request", "method": method, "payload": payload})
            message = await answer
        finally:
            del self._answers[request_id]
        if not message["success"]:
            raise Refusal(str(message["payload"]["code"]), str(message["error"]))
        return message.get("payload")

    async def send(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Returns when the events are committed. Raises ``EventsRefusedError`` for those that were not taken."""
        async with self._sending:
            if self._given_up:  # what is refused of that call may still come, and is nobody else's
                await self.request("echo")
            self._refusals = []
            self._given_up = True
            for event in events:
                self._say({"type": "event", "payload": event})
            await self.request("echo")
            self._given_up = False
            refusals, self._refusals = self._refusals, []
        if refusals:
            raise EventsRefusedError(refusals)

    def leave(self) -> None:
        """Takes part no more; calls that wait for an answer are refused."""
        self._hub.leave(self)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(_stopping())

    def _say(self, message: object) -> None:
        if self.session.closed or not self._hub.accepting:
            raise _stopping()
        frame = msgspec.json.encode(message).decode()
        self.perform(self.session.receive(frame, self._hub.now_ms(), self._hub.pending_events))

    def _enqueue(self, frame: bytes) -> None:
        message = msgspec.json.decode(frame)
        match message["type"]:
            case "response":
                answer = self._answers.get(str(message["requestId"]))
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case "error":
                self._refusals.append(message)
            case "event" if self._on_event is not None:
                self._on_event(message["payload"])

    def _closes_soon(self) -> None:
        self.leave()


def _stopping() -> Refusal:
    return Refusal("STOPPING", "the recorder is stopping")
