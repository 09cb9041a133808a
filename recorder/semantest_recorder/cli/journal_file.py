"""One journal file of a session, read from outside: its events, what is missing from them, what is damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pytest_semantest.protocol.gaps import MAX_GAP
from pytest_semantest.protocol.identity import source_name
from pytest_semantest.protocol.layout import JOURNAL_SUFFIX
from pytest_semantest.protocol.record import MAX_BODY, Damage, Record, scan
from semantest_recorder.reports.report import Public

_READ = 4 * 1024 * 1024


class JournalDamage(Public):
    """Bytes ``start`` to ``end`` of ``file`` that are no record, and why."""

    file: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The event with this seq; ``missing``: it cannot be read, its body is empty then."""

    seq: int
    body: bytes
    missing: bool = False


@dataclass(slots=True)
class JournalFile:
    """The journal at ``path``. ``damage`` fills while ``entries`` is read; ``places`` are offset and length by seq.

    ``unreadable`` says why the file cannot be read, or not to its end: all of it counts as damaged then.
    """

    path: Path
    damage: list[JournalDamage] = field(default_factory=list)
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    unreadable: str = ""
    _last_seq: int = 0
    _broken: bool = False
    _rest: int = 0

    @property
    def worker(self) -> str:
        """The worker whose journal it is, by the name of the file."""
        return self.path.name.removesuffix(JOURNAL_SUFFIX)

    def source(self, session: str) -> str:
        """The source of its events."""
        return source_name(session, self.worker)

    def entries(self) -> Iterator[Entry]:
        """Every complete record in order, with an entry for each seq that is missing.

        Raises ``FileNotFoundError``; a file that is there and cannot be read has no more entries, nor has a link to
        nowhere.
        """
        try:
            yield from self._read()
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not self.path.is_symlink():
                raise
            self.unreadable = error.strerror or str(error)
            self._broken = True
            self._tell(self._rest, self._rest, f"cannot be read: {self.unreadable}")

    def _read(self) -> Iterator[Entry]:
        offset, size = 0, _READ
        with _opened(self.path) as file:
            while True:
                file.seek(offset)
                data = file.read(size)
                start = offset
                for item in scan(data, offset=start):
                    offset = item.end
                    yield from self._take(item)
                if len(data) < size:
                    self._rest = offset
                    return
                size = _READ if offset > start else min(size * 2, 2 * MAX_BODY)

    def torn_end(self) -> Iterator[Entry]:
        """What the writer left unfinished at the end, to be called when it is dead: an entry that is missing."""
        if not self.unreadable:
            with _opened(self.path) as file:
                file.seek(self._rest)
                for item in scan(file.read(2 * MAX_BODY), offset=self._rest, final=True):
                    yield from self._take(item)
        if self._broken:
            yield from self._missing(self._last_seq + 2)
            self._last_seq += 1

    def written_ms(self) -> float:
        """When the file was last written. Raises ``FileNotFoundError``."""
        try:
            return self.path.stat().st_mtime * 1000
        except FileNotFoundError:
            return self.path.lstat().st_mtime * 1000

    def body(self, seq: int) -> bytes | None:
        """The event of this seq, read again; ``None`` when it is not there."""
        place = self.places.get(seq)
        if place is None:
            return None
        offset, length = place
        try:
            with _opened(self.path) as file:
                file.seek(offset)
                return file.read(length)
        except OSError:
            return None

    def _take(self, item: Record | Damage) -> Iterator[Entry]:
        if isinstance(item, Damage):
            self._broken = True
            self._tell(item.start, item.end, item.reason)
            return
        start = item.end - len(item.body)
        if not self._last_seq < item.seq <= self._last_seq + MAX_GAP:
            self._tell(start, item.end, f"record {item.seq} follows {self._last_seq}; left out")
            return
        yield from self._missing(item.seq)
        self._last_seq = item.seq
        self.places[item.seq] = (start, len(item.body))
        yield Entry(item.seq, item.body)

    def _missing(self, seq: int) -> Iterator[Entry]:
        """An entry for each seq before ``seq`` that did not come."""
        self._broken = False
        for missing in range(self._last_seq + 1, seq):
            yield Entry(missing, b"", missing=True)

    def _tell(self, start: int, end: int, reason: str) -> None:
        self.damage.append(JournalDamage(self.path.name, start, end, reason))


def _opened(path: Path) -> BinaryIO:
    """The file, without waiting for whoever writes to it when it is a pipe. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.fdopen(descriptor, "rb")
    except OSError:  # a folder
        os.close(descriptor)
        raise
