"""What the threads of a process were doing when somebody asked: read out of a ``worker/stack`` event (pure)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from semantest_recorder.core.batch import RawEvent


class StackDump(NamedTuple):
    """``text``: as ``faulthandler`` wrote it; empty when there is a ``problem``, which says why there is none.

    ``test_id`` and ``attempt``: what the process ran then, if anything. ``source``: of the process.
    """

    time_ms: float
    worker: str
    text: str
    problem: str
    test_id: str | None
    attempt: int | None
    source: str


class _Payload(msgspec.Struct, rename="camel"):
    worker: str
    text: str = ""
    problem: str | None = None
    test_id: str | None = None
    attempt: int | None = None
    source: str = ""


_decode = msgspec.json.Decoder(_Payload).decode


def stack_dump(event: RawEvent) -> StackDump | None:
    """The dump, ``None`` for a payload of another shape."""
    try:
        told = _decode(event.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return StackDump(
        event.timestamp, told.worker, told.text, told.problem or "", told.test_id, told.attempt, told.source
    )
