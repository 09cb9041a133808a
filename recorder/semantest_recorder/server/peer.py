"""Who takes part: one end of a conversation, whatever carries its frames."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from semantest_recorder.core.effects import (
    Announce,
    Close,
    Effect,
    Ingest,
    Query,
    Send,
    Subscribed,
    Supersede,
)

if TYPE_CHECKING:
    from semantest_recorder.core.batch import Verdict
    from semantest_recorder.core.session import Session
    from semantest_recorder.server.hub import Hub

#: What may wait for one reader, in bytes, before it is dropped and told to resync; nor is more read from a client while
#: so much of its answers waits.
MAX_QUEUED_BYTES = 8 * 1024 * 1024

_log = logging.getLogger(__name__)


class Peer(ABC):
    """Carries out what a session asks for; a subclass carries frames from and to the client."""

    def __init__(self, session: Session, hub: Hub, *, max_queued_bytes: int = MAX_QUEUED_BYTES) -> None:
        self.session = session
        #: Whether it did not read its events and was dropped for that.
        self.lagged = False
        self._hub = hub
        self._max_queued_bytes = max_queued_bytes
        #: Frames, and how much of each is counted as the client's own.
        self._queue: deque[tuple[bytes, int]] = deque()
        self._queued_bytes = 0
        self._work = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        #: Whether nothing is sent any more but the goodbye.
        self._discards = False
        self._refusals_noted: set[str] = set()

    @property
    def queued_bytes(self) -> int:
        """What waits to be sent."""
        return self._queued_bytes

    @property
    def is_closing(self) -> bool:
        """Whether it was told to close."""
        return self._closing is not None

    @abstractmethod
    def _closes_soon(self) -> None:
        """It is told to close; what is queued may still be sent."""

    @abstractmethod
    async def wait_for_room(self) -> None:
        """Returns when the client has read enough of its answers for one more."""

    def greet(self) -> None:
        """Says what the recorder says first, and what waits for who attends a run."""
        self.perform(self.session.open())
        self._hub.attendance.greeted(self, self._hub.now_ms())

    def settled(self, verdict: Verdict) -> None:
        """The oldest batch of the verdict's source that this peer sent was stored or refused."""
        self.perform(self.session.verdict(verdict, self._hub.now_ms()))

    def perform(self, effects: Iterable[Effect]) -> None:
        """Carries out what the session asks for."""
        for effect in effects:
            match effect:
                case Send(text, lacks):
                    self._enqueue(text)
                    if lacks:
                        self._note_refusal(lacks)
                case Ingest(batch):
                    self._hub.submit(batch, self)
                case Subscribed():
                    self._hub.subscribed(self)
                case Supersede(connection):
                    self._hub.supersede(connection)
                case Announce(batch):
                    self._hub.submit(batch, None)
                case Query():
                    self._hub.find_out(effect, self)
                case Close(code, reason):
                    self.close_soon(code, reason)

    def _note_refusal(self, lacks: str) -> None:
        """Once for each kind of message: a client may send as many as it likes."""
        if lacks not in self._refusals_noted:
            self._refusals_noted.add(lacks)
            client = self.session.client
            name = client.identity.name
            fields = {"client": client.id, "name": name}
            _log.warning("refused a message of client %s (%s): %s", client.id, name, lacks, extra={"fields": fields})

    def _send_now(self, wire: bytes) -> bool:  # noqa: ARG002 - where it can be done
        """Sends a ``text_frame`` without the queue, which is empty; false when it has to be queued."""
        return False

    def publish(self, frame: bytes, wire: bytes) -> None:
        """Sends or queues an event for a subscriber; one that does not read is dropped and told to resync.

        ``wire`` is its ``text_frame``, made once for all of them.
        """
        if self._closing is not None or (not self._queue and self._send_now(wire)):
            return
        if self._queue and self._queued_bytes + len(frame) > self._max_queued_bytes:
            self.lagged = True
            _log.warning("client %s does not read its events: dropped", self.session.client.id)
            self.close_soon(1013, "too slow: connect again and read the present state", discard=True)
            return
        self._enqueue(frame, own=False)

    def close_soon(self, code: int, reason: str, *, discard: bool = False) -> None:
        """Closes the connection behind what is queued, or at once with ``discard``."""
        if self._closing is not None:
            return
        self._closing = code, reason
        self.session.close()
        self._hub.subscribed(self)
        if discard:
            self._discards = True
            self._queue.clear()
            self._queued_bytes = 0
            self._hub.outgoing.forget(self)
        self._work.set()
        self._closes_soon()

    def cut_if_stuck(self) -> bool:
        """Ends it without a goodbye when the socket takes nothing, and keeps it; whether it did."""
        return False

    def _enqueue(self, frame: bytes, *, own: bool = True) -> None:
        """``own``: nobody else is sent the same bytes."""
        if self._discards:
            return
        counted = len(frame) if own else 0
        self._queue.append((frame, counted))
        self._queued_bytes += len(frame)
        self._work.set()
        if counted:
            self._hub.outgoing.add(self, counted)


def text_frame(text: bytes) -> bytes:
    """An unmasked, unfragmented text frame (RFC 6455, 5.2)."""
    length = len(text)
    if length < 126:
        return bytes((0x81, length)) + text
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + text
    return b"\x81\x7f" + length.to_bytes(8, "big") + text
