"""The table ``marks``: what was done to events before they were stored, and what was sent in their place."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from semantest_recorder.core.batch import OPENING, Batch, EventMark, RawEvent
from semantest_recorder.core.marking import crc_of
from semantest_recorder.store.queries import statements

_SQL = statements("writer.sql")


def write_marks(connection: sqlite3.Connection, source_key: int, batch: Batch, first: int) -> None:
    """Stores the marks of those events of a batch whose seq is ``first`` or later."""
    if not batch.marks:
        return
    numbered = ((batch.first_seq + mark.index, mark) for mark in batch.marks)
    rows = [(source_key, seq, mark.kind, mark.reason, mark.sent_crc) for seq, mark in numbered if seq >= first]
    connection.executemany(_SQL["add_marks"], rows)


def first_other(connection: sqlite3.Connection, source_key: int, batch: Batch, seqs: Sequence[int]) -> int | None:
    """The first of ``seqs`` that is stored and was sent as another event than the one in the batch.

    What is stored may differ all the same: it was dropped or changed then, or would be now.
    """
    span = source_key, seqs[0], seqs[-1]
    stored = connection.execute(_SQL["stored_events"], span).fetchall()
    sent = dict(connection.execute(_SQL["sent_crcs"], span).fetchall())
    now = {batch.first_seq + mark.index: mark.sent_crc for mark in batch.marks if mark.sent_crc is not None}
    for seq in seqs:
        kind, payload = stored[seq - seqs[0]]
        then = sent[seq] if seq in sent else crc_of(RawEvent(kind, 0.0, msgspec.Raw(payload.encode())))
        if then != (now[seq] if seq in now else crc_of(batch.events[seq - batch.first_seq])):
            return seq
    return None


def stored_marks(connection: sqlite3.Connection, batch: Batch) -> list[EventMark]:
    """The marks that a database has for the events of a batch of its own log."""
    span = batch.source, batch.first_seq, batch.first_seq + len(batch.events) - 1
    rows = connection.execute(_SQL["marks_of_source"], span).fetchall()
    return [EventMark(seq - batch.first_seq, *rest) for seq, *rest in rows]


def marks_of(batch: Batch, index: int) -> tuple[EventMark, ...]:
    """The marks of one event, for a batch that holds it alone."""
    return tuple(msgspec.structs.replace(mark, index=0) for mark in batch.marks if mark.index == index)


def behind_opening(marks: Sequence[EventMark]) -> tuple[EventMark, ...]:
    """The marks of a batch before whose events its opening is put."""
    return tuple(msgspec.structs.replace(mark, index=mark.index + 1) for mark in marks)


def without_opening(marks: Sequence[EventMark]) -> tuple[EventMark, ...]:
    """The marks of a batch whose opening is not stored."""
    return tuple(mark for mark in marks if mark.index != OPENING)
