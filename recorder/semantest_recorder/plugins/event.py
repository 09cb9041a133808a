"""An event as ``on_event`` sees it, and what may become of it (pure)."""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import Any, Final

import msgspec

from pytest_semantest.protocol import events as types
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.marking import TOMBSTONE
from semantest_recorder.core.security import KEPT_TYPES

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode
#: Types that no event can be turned into, or out of: what a run consists of, and what the recorder itself writes.
FIXED_TYPES = KEPT_TYPES | {TOMBSTONE, types.JOURNAL_GAP}
#: What these say of whom they are about: without it the ledger of planned tests would not close.
FIXED_FIELDS: Final = ("runId", "session", "source", "worker", "testId", "attempt", "tests", "offset", "total")


_STATES: Final = ("status", "outcome", "phase", "origin")
_NUMBERS: Final = (
    *("duration", "line", "exitCode", "willRetry", "interrupted", "stoppedEarly", "pid", "deselected", "implicit"),
)
STATES: Final = frozenset(
    {*types.WIRE_STATUS, *types.WIRE_STATUS.values(), "setup", "call", "teardown", "pending", "client"}
)


class _Drop:
    """The type of ``DROP``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DROP"


#: Returned by ``on_event``: the event is not stored, a tombstone keeps its place.
DROP: Final = _Drop()


class UnusableEvent(ValueError):  # noqa: N818 - named for what it says about its argument
    """What a plugin returned cannot be stored; the text says why."""


class Event:
    """One event on its way into the log.

    ``payload`` is decoded when it is first asked for, anew for each plugin: changing it in place changes nothing. Who
    wants another event returns ``event.replace(...)``. ``seq`` is ``None`` where the recorder gives it at the commit,
    ``run_id`` where it is not known yet.
    """

    __slots__ = ("_payload", "raw", "run_id", "seq", "source", "worker")

    def __init__(
        self, raw: RawEvent, *, source: str = "", seq: int | None = None, run_id: str | None = None, worker: str = ""
    ) -> None:
        self.raw = raw
        self.source = source
        self.seq = seq
        self.run_id = run_id
        self.worker = worker
        self._payload: dict[str, Any] | None = None

    @property
    def type(self) -> str:
        """Such as ``test/log``."""
        return self.raw.type

    @property
    def timestamp(self) -> float:
        """Milliseconds since the epoch."""
        return self.raw.timestamp

    @property
    def id(self) -> str:
        """``<source>:<seq>``, as subscribers see it."""
        return f"{self.source}:{self.seq if self.seq is not None else ''}"

    @property
    def text(self) -> bytes:
        """The payload as it was sent, JSON in UTF-8: for a quick look before it is decoded."""
        return bytes(self.raw.payload)

    @property
    def payload(self) -> dict[str, Any]:
        """What the event says; empty when it is no JSON object."""
        if self._payload is None:
            try:
                self._payload = _decode(self.raw.payload)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                self._payload = {}
        return self._payload

    def replace(
        self,
        *,
        type: str | None = None,  # noqa: A002
        timestamp: float | None = None,
        payload: dict[str, Any] | None = None,
    ) -> Event:
        """Another event in the place of this one; what is not given stays. Raises ``UnusableEvent``."""
        try:
            text = self.raw.payload if payload is None else msgspec.Raw(_encode(payload))
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            raise UnusableEvent(f"the payload cannot be written as JSON: {error}") from None
        kind, at = self.type if type is None else type, self.timestamp if timestamp is None else timestamp
        return _in_place_of(self, RawEvent(_type(kind), _timestamp(at), text))

    def to_wire(self) -> dict[str, Any]:
        """The event as a dict: ``{id, type, timestamp, payload, runId, source, seq, worker}``."""
        return {
            "id": self.id,
            "type": self.type,
            "timestamp": self.timestamp,
            "payload": self.payload,
            "runId": self.run_id,
            "source": self.source,
            "seq": self.seq,
            "worker": self.worker,
        }

    def fresh(self) -> Event:
        """The same for the next plugin: without what the last one may have done to the payload."""
        self._payload = None
        return self

    def __repr__(self) -> str:
        return f"<Event {self.id} {self.type}>"


def accepted(before: Event, returned: object) -> Event | None:
    """What is stored of what a plugin returned for an event; ``None`` when it comes to the same.

    Raises ``UnusableEvent``.
    """
    if returned is None:
        return None
    if isinstance(returned, Event):
        after = (
            before.replace(payload=before.payload)
            if returned is before
            else _in_place_of(before, _checked(returned.raw))
        )
    elif isinstance(returned, dict):
        after = _of_wire(before, returned)
    else:
        raise UnusableEvent(f"on_event gives an Event, DROP or None, not {type(returned).__name__}")
    _check(before.raw, after.raw)
    if after.type == before.type and after.timestamp == before.timestamp and _same(before.raw, after.raw):
        return None
    return after


def without_words(event: Event) -> Event:
    """What remains of an event that nobody could look at for secrets: ids, states and numbers."""
    kept = {name: value for name, value in event.payload.items() if _tells_no_secret(name, value)}
    return event.replace(payload={**kept, "withheld": True})


def _tells_no_secret(name: str, value: object) -> bool:
    if name in _STATES:
        return isinstance(value, str) and value in STATES
    return name in FIXED_FIELDS or (name in _NUMBERS and isinstance(value, int | float | None))


def may_be_dropped(event: RawEvent) -> bool:
    """Whether the event is none that its run consists of."""
    return event.type not in KEPT_TYPES


def _in_place_of(before: Event, raw: RawEvent) -> Event:
    return Event(raw, source=before.source, seq=before.seq, run_id=before.run_id, worker=before.worker)


def _of_wire(before: Event, wire: dict[str, Any]) -> Event:
    kind, at, payload = (wire.get(key) for key in ("type", "timestamp", "payload"))
    if not isinstance(payload, dict):
        raise UnusableEvent("the event that was returned has no payload")
    if not isinstance(kind, str | None) or not isinstance(at, int | float | None):
        raise UnusableEvent("the event that was returned has a type that is no text or a timestamp that is no number")
    return before.replace(type=kind, timestamp=at, payload=payload)


def _checked(raw: RawEvent) -> RawEvent:
    if not isinstance(raw, RawEvent) or not isinstance(raw.payload, msgspec.Raw):
        raise UnusableEvent("an event is made with event.replace(...)")
    return RawEvent(_type(raw.type), _timestamp(raw.timestamp), raw.payload)


def _type(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise UnusableEvent("the type of an event is a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnusableEvent("the type of an event is no Unicode text") from None
    return str(value)


def _timestamp(value: object) -> float:
    """As a float: SQLite holds no larger integers than those of 64 bits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            if isfinite(at := float(value)):
                return at
    raise UnusableEvent("the timestamp of an event is a number: milliseconds since the epoch")


def _check(before: RawEvent, after: RawEvent) -> None:
    if after.payload is not before.payload:
        try:
            _decode(after.payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise UnusableEvent("the payload is no JSON object") from None
    if after.type != before.type and (after.type in FIXED_TYPES or before.type in FIXED_TYPES):
        raise UnusableEvent(f"{before.type} cannot become {after.type}")
    if before.type in KEPT_TYPES:
        old, new = _object(before), _object(after)
        changed = [name for name in FIXED_FIELDS if old.get(name) != new.get(name)]
        if changed:
            raise UnusableEvent(f"{', '.join(changed)} of {before.type} cannot be changed")


def _same(before: RawEvent, after: RawEvent) -> bool:
    return bytes(before.payload) == bytes(after.payload) or _object(before) == _object(after)


def _object(event: RawEvent) -> dict[str, Any]:
    try:
        return _decode(event.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
