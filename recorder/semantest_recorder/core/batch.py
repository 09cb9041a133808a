"""What comes in: a batch of events of one source, and what became of it."""

from __future__ import annotations

import msgspec


class RawEvent(msgspec.Struct, gc=False):
    """One event off the wire or out of a journal; the payload stays the JSON bytes that came."""

    type: str
    timestamp: float
    payload: msgspec.Raw


class Batch(msgspec.Struct):
    """Events ``first_seq``, ``first_seq + 1``, ... of ``source``, received at ``received_ms``."""

    source: str
    first_seq: int
    events: list[RawEvent]
    received_ms: float


class Committed(msgspec.Struct):
    """All events of ``source`` up to ``seq`` are in the database.

    ``fresh`` are the events of the batch that were new, ``derived`` the suite events that follow from them
    (``test/suite/start``, ``test/suite/end``), for subscribers.
    """

    source: str
    seq: int
    run_id: str = ""
    worker: str = ""
    fresh: list[RawEvent] = msgspec.field(default_factory=list)
    derived: list[RawEvent] = msgspec.field(default_factory=list)


class Refused(msgspec.Struct):
    """Nothing of the batch was stored; ``code`` as in docs/design/shipping.md."""

    source: str
    code: str
    message: str
    expected: int | None = None


Verdict = Committed | Refused
