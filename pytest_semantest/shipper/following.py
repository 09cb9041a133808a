"""One journal file as a growing sequence of records without holes, read in bounded memory.

A seq that never comes becomes a ``journal/gap`` event of that seq, at the time of the record before it; the first one
of a journal names its run as well, as soon as that is known. The same file
always gives the same events, byte for byte and however it grew, so a second shipper that sends them again is in no
conflict with the first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_semantest.protocol.gaps import MAX_GAP, gap_body
from pytest_semantest.protocol.reading import open_to_read
from pytest_semantest.protocol.record import MAX_BODY, Damage, Record, scan

_READ = 512 * 1024
#: A record larger than this is not sent: no recorder takes a frame of that size. Its place gets a gap.
MAX_EVENT = 12 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading can go on: all before ``offset`` is read, the last entry was ``seq``."""

    offset: int = 0
    seq: int = 0
    body: bytes = b""
    broken: bool = False


BEGINNING = Position()


@dataclass(frozen=True, slots=True)
class Entry:
    """The event with this ``seq``; ``gap``: it stands for a record that cannot be read."""

    seq: int
    body: bytes
    gap: bool = False


class JournalFollower:
    """Follows the journal at ``path`` from its beginning.

    The file is opened once and stays readable when somebody deletes it. ``drained``: the last read met the end of the
    file. ``damage`` tells what could not be read, ``damaged`` how often. ``opening``: what the gap adds that is the
    first event (``protocol.gaps.opening_of``), ``None`` while the run is not known. Raises ``OSError`` when the file
    cannot be opened, or is a link.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[str] = []
        self.damaged = 0
        self.opening: Mapping[str, Any] | None = None
        self._fd = open_to_read(path)
        self._offset = 0  # all before it is read
        self._size = _READ
        self._last_seq = 0
        self._last_body = b""
        self._broken = False  # there was damage since the last good record
        self._seen_to = 0  # damage before this offset was already told
        self.drained = False

    @property
    def next_seq(self) -> int:
        """The seq of the entry that comes next."""
        return self._last_seq + 1

    @property
    def position(self) -> Position:
        """The place that ``seek`` comes back to."""
        return Position(self._offset, self._last_seq, self._last_body, self._broken)

    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._fd).st_size

    def modified_ms(self) -> float:
        """When the file was last written, in milliseconds since the epoch."""
        return os.fstat(self._fd).st_mtime * 1000

    def seek(self, position: Position) -> None:
        """Goes on reading at ``position``."""
        self._offset, self._last_seq = position.offset, position.seq
        self._last_body, self._broken = position.body, position.broken
        self._size, self.drained = _READ, False

    def read(self, *, final: bool = False) -> Iterator[Entry]:
        """The entries that one read of the file brings; nothing when there is no more.

        ``final``: the writer is dead, so an unfinished last record is damage, and one gap stands for it.
        """
        data = os.pread(self._fd, self._size, self._offset)
        self.drained = at_end = len(data) < self._size
        start = self._offset
        for item in scan(data, offset=start, final=final and at_end):
            self._offset = item.end
            if isinstance(item, Damage):
                self._note(item)
            else:
                yield from self._take(item)
        moved = self._offset > start
        self._size = _READ if moved or at_end else min(self._size * 2, 2 * MAX_BODY)
        if final and at_end and self._broken:
            self._broken = False
            yield from self._fill(self._last_seq + 2)
            self._last_seq += 1

    def close(self) -> None:
        """Closes the file."""
        os.close(self._fd)

    def _note(self, damage: Damage) -> None:
        self._broken = True
        if damage.start >= self._seen_to:
            self._seen_to = damage.end
            self._tell(f"{self.path.name}: bytes {damage.start} to {damage.end}: {damage.reason}")

    def _tell(self, text: str) -> None:
        self.damaged += 1
        if len(self.damage) < 100:
            self.damage.append(text)

    def _take(self, record: Record) -> Iterator[Entry]:
        seq, body = record.seq, record.body
        if seq <= self._last_seq or seq > self._last_seq + MAX_GAP:
            if record.end > self._seen_to:
                self._seen_to = record.end
                self._tell(f"{self.path.name}: record {seq} follows {self._last_seq}; left out")
            return
        self._broken = False
        yield from self._fill(seq)
        if len(body) > MAX_EVENT:
            if record.end > self._seen_to:
                self._seen_to = record.end
                self._tell(f"{self.path.name}: record {seq} of {len(body)} bytes is too large to ship")
            yield Entry(seq, self._gap(seq), gap=True)
        else:
            yield Entry(seq, body)
        self._last_seq, self._last_body = seq, body

    def _fill(self, seq: int) -> Iterator[Entry]:
        """A gap for each seq that is missing before ``seq``."""
        first = self._last_seq + 1
        body = gap_body(self._last_body) if seq > first else b""
        for missing in range(first, seq):
            yield Entry(missing, self._gap(missing) if missing == 1 else body, gap=True)

    def _gap(self, seq: int) -> bytes:
        """The same at every reading: how the bytes look unreadable depends on how much of the file is there."""
        return gap_body(self._last_body, self.opening if seq == 1 else None)
