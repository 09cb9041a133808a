"""What a guard or a plugin did to the events of a batch: tombstones, changed events, and the marks that tell (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from zlib import crc32

import msgspec

from semantest_recorder.core.batch import OPENING, Batch, EventMark, RawEvent

DROPPED: Final = "dropped"
CHANGED: Final = "changed"
#: The type of the event that stands where one was dropped: ``{type, reason}``.
TOMBSTONE: Final = "event/dropped"
_MAX_REASON = 500


class Noted(Protocol):
    """What a guard says of one event of a batch."""

    @property
    def index(self) -> int:
        """Its place in the batch."""

    @property
    def kind(self) -> str:
        """As in ``EventMark``."""

    @property
    def reason(self) -> str:
        """Why."""


def crc_of(event: RawEvent) -> int:
    """The CRC-32 by which an event is recognised when it is sent again: of its type and its payload's bytes."""
    return crc32(bytes(event.payload), crc32(event.type.encode("utf-8", "surrogatepass") + b"\0"))


def tombstone(event: RawEvent, reason: str) -> RawEvent:
    """What is stored in the place of a dropped event."""
    content = {"type": event.type, "reason": reason[:_MAX_REASON]}
    return RawEvent(TOMBSTONE, event.timestamp, msgspec.Raw(msgspec.json.encode(content)))


def noted(batch: Batch, notes: Sequence[Noted]) -> Batch:
    """The batch with what a guard found: a tombstone for each dropped event, and the marks."""
    drops = {note.index: note.reason for note in notes if note.kind == DROPPED}
    others = [EventMark(note.index, note.kind, note.reason[:_MAX_REASON]) for note in notes if note.kind != DROPPED]
    return marked(replaced(batch, {}, drops), others)


def replaced(batch: Batch, changes: Mapping[int, tuple[RawEvent, str]], drops: Mapping[int, str]) -> Batch:
    """The batch with some events changed (to what, and by whom) and some dropped (why), and the marks that say so."""
    if not changes and not drops:
        return batch
    before = {mark.index: mark for mark in batch.marks if mark.sent_crc is not None}
    events, marks = list(batch.events), []
    for index, reason in drops.items():
        marks.append(EventMark(index, DROPPED, reason[:_MAX_REASON], _sent(batch, before, index)))
        events[index] = tombstone(events[index], reason)
    for index, (event, reason) in changes.items():
        marks.append(EventMark(index, CHANGED, reason[:_MAX_REASON], _sent(batch, before, index)))
        events[index] = event
    given = {(mark.index, mark.kind) for mark in marks}
    kept = tuple(mark for mark in batch.marks if (mark.index, mark.kind) not in given)
    return msgspec.structs.replace(batch, events=events, marks=(*kept, *marks))


def reopened(batch: Batch, opening: RawEvent, reason: str) -> Batch:
    """The batch with another opening event, and the mark that says by whom."""
    sent = crc_of(batch.opening) if batch.opening is not None else None
    mark = EventMark(OPENING, CHANGED, reason[:_MAX_REASON], sent)
    return msgspec.structs.replace(batch, opening=opening, marks=(*batch.marks, mark))


def _sent(batch: Batch, before: Mapping[int, EventMark], index: int) -> int:
    """The CRC-32 of an event as the client sent it, whoever changed it before."""
    mark = before.get(index)
    return crc_of(batch.events[index]) if mark is None or mark.sent_crc is None else mark.sent_crc


def marked(batch: Batch, marks: Sequence[EventMark]) -> Batch:
    """The batch with more marks."""
    return msgspec.structs.replace(batch, marks=(*batch.marks, *marks)) if marks else batch
