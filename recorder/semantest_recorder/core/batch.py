"""What comes in: a batch of events of one source, and what became of it."""

from __future__ import annotations

from typing import Final

import msgspec


class RawEvent(msgspec.Struct, gc=False):
    """One event off the wire or out of a journal; the payload stays the JSON bytes that came."""

    type: str
    timestamp: float
    payload: msgspec.Raw


#: ``EventMark.index`` of ``Batch.opening``.
OPENING: Final = -1


class EventMark(msgspec.Struct, frozen=True):
    """What was done to event ``index`` of a batch before it is stored; a row of the table ``marks``.

    ``kind``: ``suspicious`` (stored as it came), ``dropped`` (the batch holds its tombstone), ``changed``,
    or ``failed`` (a plugin could not do with it what it wanted; it is stored as it was before).
    ``sent_crc``: :func:`~semantest_recorder.core.marking.crc_of` of the event as it was sent, when another one is
    stored: by it the event is recognised when it is sent again.
    """

    index: int
    kind: str
    reason: str
    sent_crc: int | None = None


#: What the names of sources begin with that only the recorder itself writes.
LIVE: Final = "live/"
#: ``Batch.first_seq`` of a source that the recorder itself writes: whatever is next in the log.
NEXT_SEQ: Final = -1


class Batch(msgspec.Struct):
    """Events ``first_seq``, ``first_seq + 1``, ... of ``source``, received at ``received_ms``.

    With ``NEXT_SEQ`` the events are appended, and ``opening`` is stored before them if the source is new. ``marks`` are
    in no particular order, at most one of a kind for each event. ``holder`` names the token that it came with; it is
    empty when the recorder itself wrote it.
    """

    source: str
    first_seq: int
    events: list[RawEvent]
    received_ms: float
    opening: RawEvent | None = None
    marks: tuple[EventMark, ...] = ()
    holder: str = ""


class Committed(msgspec.Struct):
    """All events of ``source`` up to ``seq`` are in the database.

    ``fresh`` are the events of the batch that were new, ``derived`` the suite events that follow from them
    (``test/suite/start``, ``test/suite/end``), for subscribers. ``run_state`` is the run's state after the batch, empty
    when nothing was new. ``main_ended``: the main process of the source's session has said that it ended.
    """

    source: str
    seq: int
    run_id: str = ""
    worker: str = ""
    fresh: list[RawEvent] = msgspec.field(default_factory=list)
    derived: list[RawEvent] = msgspec.field(default_factory=list)
    run_state: str = ""
    main_ended: bool = False


class Refused(msgspec.Struct):
    """Nothing of the batch was stored; ``code`` as in docs/design/shipping.md."""

    source: str
    code: str
    message: str
    expected: int | None = None


Verdict = Committed | Refused
