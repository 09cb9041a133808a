"""Reads the journal's records (their format: encoding.py): each whole one, and what is damage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from zlib import crc32

from pytest_semantest.protocol.encoding import ENDED, ENDING, PHASES, STATUS, STATUS_SIZE, encode, encode_status
from pytest_semantest.protocol.version import JOURNAL_VERSION

__all__ = [
    "MAX_BODY",
    "STATUS_SIZE",
    "Damage",
    "Ending",
    "Record",
    "decode_ending",
    "decode_status",
    "encode",
    "encode_status",
    "scan",
]

#: A line longer than this is damage: no writer makes it.
MAX_BODY = 64 * 1024 * 1024
_HEAD = re.compile(rb"J(\d{1,4}) (\d{1,18}) (\d{1,9}) ([0-9a-f]{8}) ")
_HEAD_MAX = 48
#: How many checksums inside a damaged line are tried, so that hostile bytes cost bounded time.
_INNER_HEADS = 64


@dataclass(frozen=True, slots=True)
class Record:
    """A complete, checked record; ``end`` is the offset behind its body."""

    seq: int
    body: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record: ``start`` to ``end``, and why."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a process whose end record could not be written, as its status slot tells it.

    ``seq`` is the one that the record is to have; ``dropped``: how many records could not be written, it included.
    """

    seq: int
    exit_code: int
    stopped_early: bool
    interrupted: bool
    dropped: int


def scan(data: bytes, *, offset: int = 0, final: bool = False) -> Iterator[Record | Damage]:
    """Records and damage in ``data``, whose first byte stands at ``offset`` of the file.

    An unfinished last line is left for the next call unless ``final``: then it is damage. The last item's ``end``
    says where to go on.
    """
    position, size = 0, len(data)
    while position < size:
        if data[position] == 0x0A:  # the newline with which a writer isolates a torn record
            position += 1
            continue
        found = _read(data, position)
        if isinstance(found, Record):
            position = found.end
            yield Record(found.seq, found.body, offset + found.end)
            continue
        newline = data.find(b"\n", position)
        if newline < 0:
            if final:
                yield Damage(offset + position, offset + size, "unfinished record" if found is None else found)
            elif size - position > MAX_BODY:
                yield Damage(offset + position, offset + size, "line too long")
            return
        if found is None:
            found = "length does not fit"
        # A torn record may have the next one glued to it: look for a head inside the line.
        inner = _next_head(data, position + 1, newline)
        end = inner if inner is not None else newline + 1
        yield Damage(offset + position, offset + end, found)
        position = end


def _read(data: bytes, position: int) -> Record | str | None:
    """The record at ``position``, or why there is none, or ``None`` when more bytes could complete it."""
    head = _HEAD.match(data, position, position + _HEAD_MAX)
    if head is None:
        whole = len(data) - position >= _HEAD_MAX or data.find(b"\n", position) >= 0
        return "not a record" if whole else None
    if int(head[1]) > JOURNAL_VERSION:
        return f"journal version {int(head[1])} is newer than {JOURNAL_VERSION}"
    start, length = head.end(), int(head[3])
    if length > MAX_BODY:
        return "length too large"
    end = start + length
    if end > len(data):
        return None
    body = data[start:end]
    seq = int(head[2])
    if crc32(body, seq & 0xFFFFFFFF) != int(head[4], 16):
        return "checksum does not fit"
    return Record(seq, body, end)


def _next_head(data: bytes, start: int, stop: int) -> int | None:
    """Where the whole record starts, if there is one, with which a damaged line ends.

    What ends before is text of the damaged record: a test may print what looks like a record.
    """
    fitting = (head for head in _HEAD.finditer(data, start, stop) if head.end() + int(head[3]) == stop)
    for head in islice(fitting, _INNER_HEADS):
        if isinstance(_read(data, head.start()), Record):
            return head.start()
    return None


def decode_status(data: bytes) -> tuple[int, str] | None:
    """``(seq, phase)`` of a status slot, or ``None`` when it holds nothing readable."""
    if len(data) < STATUS_SIZE:
        return None
    seq, code = STATUS.unpack_from(data)
    return (seq, PHASES[code - 1]) if 1 <= code <= len(PHASES) else None


def decode_ending(data: bytes) -> Ending | None:
    """The end that a status slot holds, ``None`` when it holds none."""
    if len(data) < STATUS_SIZE:
        return None
    seq, phase, exit_code, stopped_early, interrupted, dropped = ENDING.unpack_from(data)
    return Ending(seq, exit_code, stopped_early, interrupted, dropped) if phase == ENDED else None
