"""Committed events as subscribers see them: enriched, and encoded once for all of them (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from pytest_semantest.protocol.identity import suite_of
from semantest_recorder.core.batch import Committed, RawEvent

SUITE_START = "test/suite/start"
SUITE_END = "test/suite/end"


class Published(NamedTuple):
    """One event message, ready to send."""

    type: str
    frame: bytes


class _Known(msgspec.Struct, rename="camel"):
    """The fields of a payload that are added where they are missing."""

    test_id: Any = None
    run_id: Any = msgspec.UNSET
    worker: Any = msgspec.UNSET
    suite_id: Any = msgspec.UNSET
    suite_name: Any = msgspec.UNSET
    #: What a client said of itself beside the payload; kept in it, and shown where the client had it.
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_KNOWN = msgspec.json.Decoder(_Known)
_encode = msgspec.json.Encoder().encode


def published(verdict: Committed, wanted: Callable[[str], bool]) -> list[Published]:
    """The messages for those events of a commit whose type somebody wants, in an order a reader can follow.

    An event's id is ``<source>:<seq>``; derived suite events, which are in no log, get ``<source>:<seq>:<n>``.
    """
    first_seq = verdict.seq - len(verdict.fresh) + 1
    fresh = ((event, f"{verdict.source}:{first_seq + n}") for n, event in enumerate(verdict.fresh))
    derived = [(event, f"{verdict.source}:{verdict.seq}:{n}") for n, event in enumerate(verdict.derived, 1)]
    return [
        Published(event.type, _message(event, name, verdict))
        for event, name in _interleave(fresh, derived)
        if wanted(event.type)
    ]


def _interleave(
    fresh: Iterator[tuple[RawEvent, str]], derived: list[tuple[RawEvent, str]]
) -> Iterator[tuple[RawEvent, str]]:
    """A suite's start before the events that are not older, its end behind those that are not newer."""
    waiting = derived
    for item in fresh:
        due = [other for other in waiting if _precedes(other[0], item[0])]
        if due:
            waiting = [other for other in waiting if other not in due]
            yield from due
        yield item
    yield from waiting


def _precedes(derived: RawEvent, event: RawEvent) -> bool:
    if derived.type == SUITE_START:
        return derived.timestamp <= event.timestamp
    return derived.type == SUITE_END and derived.timestamp < event.timestamp


def _message(event: RawEvent, name: str, verdict: Committed) -> bytes:
    identity, timestamp = _encode(name), _encode(event.timestamp)
    payload, metadata = _enriched(bytes(event.payload), verdict)
    return b'{"id":%b,"type":"event","timestamp":%b,"payload":{"id":%b,"type":%b,"timestamp":%b,"payload":%b%b}}' % (
        identity,
        timestamp,
        identity,
        _encode(event.type),
        timestamp,
        payload,
        metadata,
    )


def _enriched(payload: bytes, verdict: Committed) -> tuple[bytes, bytes]:
    """The payload with run, worker and suite; its own fields win, and its bytes are not encoded again.

    Behind it what comes beside the payload: metadata, if a client gave any.
    """
    if not payload.startswith(b"{"):
        return payload, b""
    try:
        known = _KNOWN.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):  # a number that no float can hold, say
        return payload, b""
    added: dict[str, str] = {}
    if known.run_id is msgspec.UNSET:
        added["runId"] = verdict.run_id
    if known.worker is msgspec.UNSET:
        added["worker"] = verdict.worker
    if isinstance(known.test_id, str):
        suite = suite_of(known.test_id)
        if known.suite_id is msgspec.UNSET:
            added["suiteId"] = suite
        if known.suite_name is msgspec.UNSET:
            added["suiteName"] = suite
    metadata = b"" if isinstance(known.metadata, msgspec.UnsetType) else b',"metadata":' + bytes(known.metadata)
    if not added:
        return payload, metadata
    separator = b"," if payload[1:-1].strip() else b""
    return payload[:-1] + separator + _encode(added)[1:], metadata
