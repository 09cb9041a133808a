"""Keeps a connection to a recorder and carries frames out and answers in.

The decisions about each source are the outbox's; this is the shell around it: find, connect, send, receive, and wait
longer after each failure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_semantest.protocol.version import OLDEST_PROTOCOL
from pytest_semantest.shipper.backoff import Backoff
from pytest_semantest.shipper.connection import (
    CONNECT_S,
    Connection,
    ConnectionFailedError,
    RefusedError,
    UnusableError,
)
from pytest_semantest.shipper.diagnostics import Log
from pytest_semantest.shipper.outbox import Outbox, ProtocolViolationError
from pytest_semantest.shipper.rendezvous import Endpoint, Rendezvous, UnreachableError

#: Without an answer for this long while batches are in flight, or to the handshake, the connection counts as dead.
SILENCE_S = 20.0
#: Failing for this long is told as ``unreachable``, seconds.
PATIENCE_S = 1.0
_REFUSED_FIRST_S = 1.0
_LOOK_AGAIN_S = 0.03
#: Connecting is given this long at least, however near the deadline is.
_SHORTEST_S = 0.05
_QUEUE_BYTES = 1024 * 1024
#: Requests for stacks that may wait.
_ASKED_MAX = 1000

_STOPS = frozenset({"SEQ_CONFLICT", "SOURCE_UNKNOWN", "INVALID_MESSAGE"})
_REFUSALS = frozenset({"UNAUTHORIZED", "FORBIDDEN"})


class OutdatedError(RefusedError):
    """The recorder speaks a protocol that is too old."""


class Link:
    """The way to the recorder.

    ``refused``, ``unreachable``: why there is no connection, in one line, ``None`` otherwise; ``wants_token``: it
    is the token that was refused. ``failure``: what failed last, however short a time ago; ``in_vain``: trying again
    meets the same. ``url``: the recorder's address once it is known, ``endpoint`` with its token. ``named``: that
    address was given; it is not the project's own recorder. ``last_contact``: when a recorder was first met, or last
    took something or put it off, in monotonic seconds. ``deadline``: no attempt to connect takes longer than until
    then, nor than until ``give_up`` seconds after the last contact.
    """

    def __init__(
        self,
        rendezvous: Rendezvous,
        instance: str,
        log: Log,
        now: float,
        *,
        deadline: float | None = None,
        give_up: float | None = None,
    ) -> None:
        self.refused: str | None = None
        self.wants_token = False
        self.unreachable: str | None = None
        self.failure: str | None = None
        self.in_vain = False
        self.named = rendezvous.named_url is not None
        self.url = rendezvous.named_url
        self.endpoint: Endpoint | None = None
        self.last_contact = now
        #: ``(run id, reason, grace in seconds)`` once the recorder asked for the end of the run.
        self.cancelled: tuple[str, str, float] | None = None
        #: ``(run id, worker)`` of each process whose stacks the recorder asked for; the shipment takes them out.
        self.asked_stacks: list[tuple[str, str]] = []
        #: The run that is attended, once it is known.
        self.run_id: str | None = None
        self._rendezvous = rendezvous
        self.instance = instance
        self._log = log
        self._connection: Connection | None = None
        self._welcomed = False
        self._backoff = Backoff()
        self._refused_backoff = Backoff(first=_REFUSED_FIRST_S)
        self._next_try = now
        self._failing_since: float | None = None
        self._silent_since = now
        self._deadline = deadline
        self._give_up = give_up
        self._was_met = False

    @property
    def is_open(self) -> bool:
        """Whether a recorder is connected and has greeted."""
        return self._connection is not None and self._welcomed

    def descriptors(self) -> tuple[list[int], list[int]]:
        """``(read, write)`` descriptors to wait for."""
        if self._connection is None:
            return [], []
        fd = self._connection.fileno()
        return [fd], [fd] if self._connection.wants_to_write else []

    def step(self, now: float, outboxes: Mapping[str, Outbox], sendable: Iterable[Outbox]) -> bool:
        """Connects, receives and sends what can be done now; true when something went in or out.

        ``outboxes`` by source take the answers; ``sendable`` are those that may send, first ones first.
        """
        if self._connection is None and not self._connect(now):
            return False
        assert self._connection is not None  # noqa: S101
        try:
            moved = self._receive(now, self._connection, outboxes)
            if self._welcomed:
                moved = self._send(now, self._connection, sendable) or moved
            self._watch_silence(now, outboxes)
        except (ConnectionFailedError, ProtocolViolationError, RecursionError) as error:  # deeply nested words of it
            self._drop(now, str(error), outboxes)
            return True
        except RefusedError as error:
            self._drop(now, str(error), outboxes)
            self._refuse(now, error)
            return True
        return moved

    def wait_s(self, now: float) -> float:
        """How long there is nothing to do unless a descriptor becomes ready, in seconds; at most one."""
        return 1.0 if self._connection is not None else min(max(self._next_try - now, 0.0), 1.0)

    def close(self) -> None:
        """Leaves the recorder."""
        if self._connection is not None:
            self._connection.leave()
            self._connection = None

    def _connect(self, now: float) -> bool:
        if now < self._next_try:
            return False
        try:
            endpoint = self._rendezvous.find(now)
        except UnreachableError as error:
            self._fail(now, str(error), lasts=error.lasts)
            return False
        if endpoint is None:
            self._next_try = now + _LOOK_AGAIN_S
            return False
        self.url = endpoint.url
        self.endpoint = endpoint
        try:
            self._connection = Connection(
                endpoint.url, endpoint.token, self.instance, self._patience(now), run_id=self.run_id
            )
        except RefusedError as error:
            self._refuse(now, error)
            return False
        except ConnectionFailedError as error:
            self._rendezvous.failed(endpoint)
            self._fail(now, str(error), lasts=self.named and isinstance(error, UnusableError))
            return False
        self._welcomed = False
        self._silent_since = now
        return True

    def _receive(self, now: float, connection: Connection, outboxes: Mapping[str, Outbox]) -> bool:
        messages = connection.receive()
        for message in messages:
            self._silent_since = now
            self._handle(now, message, connection, outboxes)
        connection.check()
        return bool(messages)

    def _handle(
        self, now: float, message: dict[str, Any], connection: Connection, outboxes: Mapping[str, Outbox]
    ) -> None:
        kind = message.get("type")
        if kind == "event":
            self._greeted(now, message.get("payload"))
        elif kind == "ack":
            outbox = outboxes.get(str(message.get("source")))
            if outbox is not None and outbox.acknowledge(_seq(message.get("seq"))):
                self.last_contact = now
                self._backoff.reset()
        elif kind == "throttle":
            outbox = outboxes.get(str(message.get("source")))
            if outbox is not None:
                self.last_contact = now
                outbox.throttle(
                    now, _number(message.get("retryAfterMs"), 1000.0), int(_number(message.get("credit"), 1))
                )
        elif kind == "cancel":
            self._cancel(message.get("payload"))
        elif kind == "stack":
            self._ask_stack(message.get("payload"))
        elif kind == "error":
            self._error(now, message, outboxes)
        elif kind == "ping":
            connection.send(json.dumps({"type": "pong", "id": message.get("id"), "payload": None}).encode())

    def _cancel(self, payload: object) -> None:
        if isinstance(payload, dict) and self.cancelled is None:
            reason = str(payload.get("reason", ""))[:500]
            self.cancelled = str(payload.get("runId")), reason, _number(payload.get("graceMs"), 10_000.0) / 1000

    def _ask_stack(self, payload: object) -> None:
        if isinstance(payload, dict) and len(self.asked_stacks) < _ASKED_MAX:
            self.asked_stacks.append((str(payload.get("runId")), str(payload.get("worker"))))

    def _greeted(self, now: float, event: object) -> None:
        if not isinstance(event, dict) or event.get("type") != "system.connected" or self._welcomed:
            return
        facts = event.get("payload")
        version = facts.get("protocolVersion") if isinstance(facts, dict) else None
        if isinstance(version, int) and version < OLDEST_PROTOCOL:
            raise OutdatedError(
                f"{self.url} speaks protocol {version}, {OLDEST_PROTOCOL} is needed: upgrade the recorder"
            )
        self._welcomed = True
        self.refused = self.unreachable = None
        self.wants_token = False
        self._failing_since = None
        if not self._was_met:  # one that greets again and again, and takes nothing, is as good as none
            self._was_met = True
            self.last_contact = now
        self._refused_backoff.reset()
        self._log(f"connected to {self.url}")

    def _error(self, now: float, message: dict[str, Any], outboxes: Mapping[str, Outbox]) -> None:
        body = message.get("payload") if isinstance(message.get("payload"), dict) else message
        assert isinstance(body, dict)  # noqa: S101
        code, text, details = str(body.get("code")), str(body.get("message", ""))[:300], body.get("details")
        details = details if isinstance(details, dict) else {}
        self._log(f"recorder says {code}: {text}")
        if code in _REFUSALS:
            raise RefusedError(f"the recorder refuses: {text}")
        outbox = outboxes.get(str(details.get("source")))
        if outbox is None:
            if code in _STOPS:
                raise ConnectionFailedError(f"{code}: {text}")
            return
        if code == "SEQ_GAP":
            outbox.rewind(now, _seq(details.get("expected")))
        elif code in _STOPS:
            outbox.stop(f"{code}: {text}")
        else:
            outbox.retry_later(now)

    def _send(self, now: float, connection: Connection, sendable: Iterable[Outbox]) -> bool:
        sent = False
        for outbox in sendable:
            while connection.waiting_bytes < _QUEUE_BYTES:
                frame = outbox.next_frame(now)
                if frame is None:
                    break
                if outbox.in_flight == 1:
                    self._silent_since = now
                connection.send(frame)
                sent = True
        return sent

    def _watch_silence(self, now: float, outboxes: Mapping[str, Outbox]) -> None:
        waiting = not self._welcomed or any(outbox.in_flight for outbox in outboxes.values())
        if waiting and now - self._silent_since > SILENCE_S:
            raise ConnectionFailedError(f"no answer for {SILENCE_S:.0f} s")

    def _drop(self, now: float, why: str, outboxes: Mapping[str, Outbox]) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._welcomed = False
        for outbox in outboxes.values():
            outbox.disconnected()
        self._fail(now, why)

    def _fail(self, now: float, why: str, *, lasts: bool = False) -> None:
        self._log(why)
        self.failure = why
        self.in_vain = lasts
        if self._failing_since is None:
            self._failing_since = now
        if lasts or now - self._failing_since >= PATIENCE_S:
            self.unreachable = why
        self._next_try = now + self._backoff.next()

    def _patience(self, now: float) -> float:
        """How long each step of connecting may take, in seconds."""
        ends = [now + CONNECT_S]
        if self._deadline is not None:
            ends.append(self._deadline)
        if self._give_up is not None:
            ends.append(self.last_contact + self._give_up)
        return max(_SHORTEST_S, min(ends) - now)

    def _refuse(self, now: float, why: RefusedError) -> None:
        self._log(str(why))
        self.refused = str(why)
        self.wants_token = not isinstance(why, OutdatedError)
        self._next_try = now + self._refused_backoff.next()


def _seq(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ProtocolViolationError(f"{value!r} is no seq")
    return value


def _number(value: object, default: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return default
    try:
        number = float(value)
    except OverflowError:  # an int of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        raise ProtocolViolationError("a number that is too large")
    return number
