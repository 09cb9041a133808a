"""What of one source is still to be acknowledged, and what of it to send next. Pure: no socket, no file, no clock.

Go-back-N (docs/design/shipping.md): up to ``WINDOW`` batches are in flight; an ack advances, an error or a new
connection goes back to the last ack. The caller pushes the journal's records in order and sends the frames it gets.
"""

from __future__ import annotations

import json
from collections import deque
from itertools import islice

BATCH_EVENTS = 500
BATCH_BYTES = 512 * 1024
WINDOW = 8
#: The outbox takes no more records while it holds this many bytes: what is in flight and as much again.
HELD_BYTES = 2 * WINDOW * BATCH_BYTES
#: Waits between fruitless tries, in seconds.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


class ProtocolViolationError(Exception):
    """The recorder said something about this source that cannot be true; the connection must be closed."""


class Outbox:
    """The unacknowledged records of one source.

    ``acked``: the recorder has committed all up to it. ``wanted``: the seq of the record to push next; it moves back
    when the recorder has less than it once acknowledged. ``stopped``: why nothing more is sent, ``None`` normally.
    ``predecessor``: another shipper sent this source before, so the recorder may know more than this one sent.
    """

    def __init__(self, source: str, *, acked: int = 0, predecessor: bool = False) -> None:
        self.source = source
        self.acked = acked
        self.stopped: str | None = None
        self._head = b'{"type":"events","source":%b,"firstSeq":' % json.dumps(source).encode()
        self._predecessor = predecessor
        self._bodies: deque[bytes] = deque()  # of acked + 1, acked + 2, ...
        self._held = 0
        self._next = acked + 1  # to be sent next
        self._ever_sent = acked
        self._flights: deque[int] = deque()  # the last seq of each batch in flight
        self._went_back = False
        self._window = WINDOW
        self._not_before = 0.0
        self._fruitless = 0

    @property
    def wanted(self) -> int:
        """The seq of the record that ``push`` expects."""
        return self.acked + 1 + len(self._bodies)

    @property
    def has_room(self) -> bool:
        """Whether more records should be pushed now."""
        return self._held < HELD_BYTES and self.stopped is None

    @property
    def unsent(self) -> int:
        """How many records were not sent since the last go-back."""
        return self.wanted - self._next

    @property
    def in_flight(self) -> int:
        """How many batches wait for their ack."""
        return len(self._flights)

    def push(self, seq: int, body: bytes) -> None:
        """Takes the next record. Raises ``ValueError`` when ``seq`` is not ``wanted``."""
        if seq != self.wanted:
            raise ValueError(f"record {seq} pushed, {self.wanted} wanted")
        self._bodies.append(body)
        self._held += len(body)

    def next_frame(self, now: float) -> bytes | None:
        """The next ``events`` message to send, or ``None``: nothing to send, window full, throttled or stopped.

        ``now`` in seconds of a monotonic clock. A frame that was given out counts as sent.
        """
        if self.stopped is not None or now < self._not_before or self.in_flight >= self._window:
            return None
        batch: list[bytes] = []
        size = 0
        for body in islice(self._bodies, self._next - self.acked - 1, None):
            size += len(body) + 1
            if batch and (len(batch) >= BATCH_EVENTS or size > BATCH_BYTES):
                break
            batch.append(body)
        if not batch:
            return None
        first, self._next = self._next, self._next + len(batch)
        self._ever_sent = max(self._ever_sent, self._next - 1)
        self._flights.append(self._next - 1)
        return b'%b%d,"events":[%b]}' % (self._head, first, b",".join(batch))

    def acknowledge(self, seq: int) -> bool:
        """All up to ``seq`` are committed; true when that is news.

        Raises ``ProtocolViolationError`` for an ack of what was never sent or below an earlier one. Resent batches are
        acknowledged twice, so after a go-back an old ack is only old.
        """
        if seq > self._ever_sent:
            if not self._predecessor:
                raise ProtocolViolationError(f"{self.source}: ack of {seq}, but only {self._ever_sent} were sent")
            seq = self._ever_sent  # the predecessor's; counted when this shipper sent it too
        if seq < self.acked and not self._went_back:
            raise ProtocolViolationError(f"{self.source}: ack of {seq} after an ack of {self.acked}")
        if seq <= self.acked:
            return False
        for _ in range(min(seq - self.acked, len(self._bodies))):
            self._held -= len(self._bodies.popleft())
        self.acked = seq
        self._next = max(self._next, seq + 1)
        while self._flights and self._flights[0] <= seq:
            self._flights.popleft()
        self._fruitless, self._not_before, self._window = 0, 0.0, WINDOW
        return True

    def throttle(self, now: float, retry_after_ms: float, credit: int) -> None:
        """Nothing of a batch was taken: sends again after the time, with at most ``credit`` batches in flight."""
        self._go_back()
        self._window = max(1, min(WINDOW, credit))
        self._not_before = now + min(max(retry_after_ms, 0.0), 60_000.0) / 1000

    def rewind(self, now: float, expected: int) -> None:
        """The recorder has nothing from ``expected`` on, so that is sent next.

        It may be below an ack, when the recorder lost its database: then ``wanted`` moves back with it. Raises
        ``ProtocolViolationError`` when ``expected`` lies beyond what was sent. The second fruitless one in
        a row pauses; the answers to batches that were behind the first one in flight do not count.
        """
        if not 1 <= expected <= self._ever_sent + 1:
            raise ProtocolViolationError(f"{self.source}: {expected} expected, but only {self._ever_sent} were sent")
        is_echo = not self._flights
        self._go_back()
        if expected <= self.acked:
            self.acked = expected - 1
            self._bodies.clear()
            self._held = 0
            self._next = expected
        if is_echo:
            return
        if self._fruitless:
            self._pause(now)
        self._fruitless += 1

    def retry_later(self, now: float) -> None:
        """The recorder could not take a batch for a reason that passes: goes back and waits, longer each time."""
        is_echo = not self._flights
        self._go_back()
        if not is_echo:
            self._pause(now)
            self._fruitless += 1

    def disconnected(self) -> None:
        """The connection is gone, and with it whatever was in flight."""
        self._go_back()
        self._went_back = False
        self._not_before, self._window = 0.0, WINDOW

    def stop(self, reason: str) -> None:
        """Sends nothing more of this source: its journal stays."""
        self.stopped = reason
        self._go_back()

    def _pause(self, now: float) -> None:
        self._not_before = now + min(FIRST_PAUSE * 2 ** min(self._fruitless, 10), LONGEST_PAUSE)

    def _go_back(self) -> None:
        self._next = self.acked + 1
        self._flights.clear()
        self._went_back = True
