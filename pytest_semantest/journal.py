"""One process's journal: append-only records on a raw descriptor, proof against what tests do to a process.

Invariants: one record is one ``write(2)``; a record is in the kernel before ``append`` returns; no bytes of ours ever
land in another file; a forked child writes nothing; nothing raised here reaches a test.
"""

from __future__ import annotations

import fcntl
import os
import time
from zlib import crc32

from pytest_semantest import forks

#: Tests close low descriptors (``os.closerange(3, 256)``), so ours goes above them where the limit allows.
_HIGH_DESCRIPTORS = (900, 400, 100, 10)


class Clock:
    """Wall time in milliseconds as an anchor plus a monotonic delta: tests that falsify the clock do not move it.

    ``now_ms`` is the anchor, best ``Journal.created_ms``: a conftest may have falsified ``time.time`` by now.
    """

    # Class attributes: libraries that fake time or files re-patch module globals, even saved aliases (HAZARDS 10).
    _monotonic = time.perf_counter

    def __init__(self, now_ms: float) -> None:
        self._anchor = now_ms - Clock._monotonic() * 1000

    def now(self) -> float:
        """Milliseconds since the epoch."""
        return self._anchor + Clock._monotonic() * 1000


class Journal:
    """The journal of this process. After the first failure that cannot be mended ``problem`` says why.

    Raises ``OSError`` when the file cannot be made.

    Whether the descriptor still is ours is told by its position: in a file that only we append to, it is the number
    of bytes written so far. Asking for it costs a fifth of ``fstat``. A mismatch is looked into by device and inode.
    A system call between two tests costs several times what it costs in a loop, so each is thought about.
    """

    _getpid = os.getpid
    _fstat = os.fstat
    _seek = os.lseek
    _write = os.write
    _open = os.open
    _close = os.close
    _fcntl = fcntl.fcntl
    _CREATE = os.O_CREAT | os.O_EXCL
    _APPEND = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
    _DUPLICATE = fcntl.F_DUPFD_CLOEXEC

    def __init__(self, path: str) -> None:
        self._path = path
        self._pid = Journal._getpid()
        self._depth = forks.depth
        self._fd = self._descriptor(path, Journal._APPEND | Journal._CREATE)
        status = Journal._fstat(self._fd)
        self._identity = status.st_ino, status.st_dev
        #: When the file was made, by the file system's clock: milliseconds since the epoch.
        self.created_ms = status.st_mtime_ns / 1e6
        self._size = 0
        self._torn = False
        #: Torn, or the descriptor may be somebody else's: to be looked into before the next record.
        self._suspect = False
        self.seq = 0
        self.dropped = 0
        self.problem: str | None = None

    def append(self, body: bytes) -> int:
        """Write one event as the next record and give its seq; 0 in a forked child, which writes nothing.

        A record that cannot be written keeps its seq, so that the gap shows, and is counted in ``dropped``.
        """
        if self._depth != forks.depth:
            return 0
        if Journal._getpid() != self._pid:
            forks.note_unseen()
            return 0
        try:
            if Journal._seek(self._fd, 0, 1) != self._size:
                self._suspect = True
        except OSError:
            self._suspect = True
        return Journal.append_next(self, body)  # SharedJournal's own would come back here

    def append_next(self, body: bytes) -> int:
        """``append`` right after another one: no test's code ran in between, the descriptor is not looked at again."""
        if self._depth != forks.depth:
            return 0
        self.seq = seq = self.seq + 1
        # encoding.encode, without the call: two of these are most of what a test pays for.
        line = b"J1 %d %d %08x %b\n" % (seq, len(body), crc32(body, seq & 0xFFFFFFFF), body)
        try:
            if self._suspect:
                line = self._mend(line)
            written = Journal._write(self._fd, line)
        except OSError:
            self._write_again(line)
        else:
            self._size += written
            if written != len(line):
                self._tear()
        return seq

    def close(self) -> None:
        """Close the file; later records are dropped."""
        if Journal._getpid() != self._pid:
            return
        self._pid = -1
        if self._is_ours():
            Journal._close(self._fd)

    def _mend(self, line: bytes) -> bytes:
        """Make sure that the descriptor is ours; the line, set apart from a torn record. Raises ``OSError``."""
        if not self._is_ours():
            self._reopen()
        self._size = Journal._seek(self._fd, 0, 2)
        self._suspect = False
        if self._torn:
            self._torn = False
            return b"\n" + line
        return line

    def _write_again(self, line: bytes) -> None:
        """A test closed our descriptor, or the disk fails: open the same file again and try once more."""
        try:
            if not self._is_ours():
                self._reopen()
            self._size = Journal._seek(self._fd, 0, 2)
            written = Journal._write(self._fd, line)
        except OSError as error:
            self._drop(error.strerror or str(error))
        else:
            self._size += written
            if written != len(line):
                self._tear()

    def _reopen(self) -> None:
        """Open the journal by its path; the old number is not ours any more and is left alone. Raises ``OSError``."""
        fd = self._descriptor(self._path, Journal._APPEND)
        if self._identify(fd) != self._identity:
            Journal._close(fd)
            raise FileNotFoundError(2, "another file stands in its place")
        self._fd = fd

    def _tear(self) -> None:
        self._torn = self._suspect = True
        self._drop("the disk is full or a file size limit is reached")

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        if self.problem is None:
            self.problem = f"cannot write {self._path}: {reason}"

    def _is_ours(self) -> bool:
        try:
            return self._identify(self._fd) == self._identity
        except OSError:
            return False

    @staticmethod
    def _identify(fd: int) -> tuple[int, int]:
        status = Journal._fstat(fd)
        return status.st_ino, status.st_dev

    @staticmethod
    def _descriptor(path: str, flags: int) -> int:
        low = Journal._open(path, flags, 0o600)
        for lowest in _HIGH_DESCRIPTORS:
            try:
                high = int(Journal._fcntl(low, Journal._DUPLICATE, lowest))
            except OSError:
                continue
            Journal._close(low)
            return high
        return low
