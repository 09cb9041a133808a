"""Committed events as subscribers see them: enriched, and encoded once for all of them (pure)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
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


def published(verdict: Committed, wanted: Callable[[str], bool]) -> Iterator[Published]:
    """The messages for those events of a commit whose type somebody wants, in an order a reader can follow.

    Each is made when it is asked for: all of them may take far more room than the batch did.
    An event's id is ``<source>:<seq>``; derived suite events, which are in no log, get ``<source>:<seq>:<n>``.
    """
    first_seq = verdict.seq - len(verdict.fresh) + 1
    for event, name in _interleaved(verdict, first_seq):
        if wanted(event.type):
            yield Published(event.type, _message(event, name, verdict))


def _interleaved(verdict: Committed, first_seq: int) -> Iterator[tuple[RawEvent, str]]:
    """A suite's start before the first event that is not older, its end before the first that is newer."""
    newest = list(accumulate((event.timestamp for event in verdict.fresh), max))
    due: dict[int, list[tuple[RawEvent, str]]] = {}
    for n, event in enumerate(verdict.derived, 1):
        due.setdefault(_place(event, newest), []).append((event, f"{verdict.source}:{verdict.seq}:{n}"))
    for n, event in enumerate(verdict.fresh):
        yield from due.get(n, ())
        yield event, f"{verdict.source}:{first_seq + n}"
    yield from due.get(len(newest), ())


def _place(derived: RawEvent, newest: Sequence[float]) -> int:
    """The index of the event before which it stands; ``newest``: the latest time up to each event."""
    if derived.type == SUITE_START:
        return bisect_left(newest, derived.timestamp)
    return bisect_right(newest, derived.timestamp) if derived.type == SUITE_END else len(newest)


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
