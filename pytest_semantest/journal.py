"""One process's journal: append-only records on a raw descriptor, proof against what tests do to a process.

Invariants: one record is one ``write(2)``; a record is in the kernel before ``append`` returns; no bytes of ours ever
land in another file; a forked child writes nothing; nothing raised here reaches a test.
"""

from __future__ import annotations

import fcntl
import os
import time

from pytest_semantest.protocol.record import encode, encode_status

#: Tests close low descriptors (``os.closerange(3, 256)``), so ours go above them where the limit allows.
_HIGH_DESCRIPTORS = (900, 400, 100, 10)


class Clock:
    """Wall time in milliseconds as an anchor plus a monotonic delta: tests that falsify the clock do not move it."""

    # Class attributes: libraries that fake time or files re-patch module globals, even saved aliases (HAZARDS 10).
    _monotonic = time.perf_counter

    def __init__(self) -> None:
        self._anchor = time.time() * 1000 - Clock._monotonic() * 1000

    def now(self) -> float:
        """Milliseconds since the epoch."""
        return self._anchor + Clock._monotonic() * 1000


class Journal:
    """The journal of this process. After the first failure that cannot be mended ``problem`` says why.

    Raises ``OSError`` when the file cannot be made.
    """

    _getpid = os.getpid
    _fstat = os.fstat
    _write = os.write
    _pwrite = os.pwrite
    _open = os.open
    _close = os.close
    _fcntl = fcntl.fcntl
    _CREATE = os.O_CREAT | os.O_EXCL
    _APPEND = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
    _IN_PLACE = os.O_WRONLY | os.O_CLOEXEC
    _DUPLICATE = fcntl.F_DUPFD_CLOEXEC

    def __init__(self, path: str, status_path: str) -> None:
        self._path = path
        self._status_path = status_path
        self._pid = Journal._getpid()
        self._fd = self._descriptor(path, Journal._APPEND | Journal._CREATE)
        self._identity = self._identify(self._fd)
        self._status_fd = self._descriptor(status_path, Journal._IN_PLACE | Journal._CREATE)
        self._status_identity = self._identify(self._status_fd)
        self._torn = False
        self.seq = 0
        self.dropped = 0
        self.problem: str | None = None

    def append(self, body: bytes) -> int:
        """Write one event as the next record and give its seq; 0 in a forked child, which writes nothing.

        A record that cannot be written keeps its seq, so that the gap shows, and is counted in ``dropped``.
        """
        if Journal._getpid() != self._pid:
            return 0
        self.seq = seq = self.seq + 1
        line = encode(seq, body)
        try:
            if self._identify(self._fd) != self._identity:
                self._reopen()
            if self._torn:
                line = b"\n" + line
            written = Journal._write(self._fd, line)
        except OSError as error:
            self._mend(line, error)
        else:
            self._torn = written != len(line)
            if self._torn:
                self._drop("the disk is full or a file size limit is reached")
        return seq

    def set_phase(self, seq: int, phase: str) -> None:
        """Say in the status slot that the test whose ``test/start`` is ``seq`` is now in ``phase``."""
        if Journal._getpid() != self._pid:
            return
        try:
            if self._identify(self._status_fd) == self._status_identity:
                Journal._pwrite(self._status_fd, encode_status(seq, phase), 0)
        except OSError:
            return  # the slot only refines what the journal says

    def close(self) -> None:
        """Close both files; later records are dropped."""
        if Journal._getpid() != self._pid:
            return
        for fd, identity in ((self._fd, self._identity), (self._status_fd, self._status_identity)):
            try:
                if self._identify(fd) == identity:
                    Journal._close(fd)
            except OSError:
                continue
        self._pid = -1

    def _mend(self, line: bytes, error: OSError) -> None:
        """A test closed our descriptor, or the disk fails: open the same file again and try once more."""
        try:
            self._reopen()
            self._torn = Journal._write(self._fd, line) != len(line)
        except OSError as second:
            self._drop(second.strerror or str(error))
        else:
            if self._torn:
                self._drop("the disk is full or a file size limit is reached")

    def _reopen(self) -> None:
        """Open the journal by its path; the old number is not ours any more and is left alone."""
        fd = self._descriptor(self._path, Journal._APPEND)
        if self._identify(fd) != self._identity:
            Journal._close(fd)
            raise FileNotFoundError(2, "another file stands in its place")
        self._fd = fd
        if self._identify_or_none(self._status_fd) != self._status_identity:
            self._status_fd = self._descriptor(self._status_path, Journal._IN_PLACE)

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        if self.problem is None:
            self.problem = f"cannot write {self._path}: {reason}"

    @staticmethod
    def _identify(fd: int) -> tuple[int, int]:
        status = Journal._fstat(fd)
        return status.st_ino, status.st_dev

    @staticmethod
    def _identify_or_none(fd: int) -> tuple[int, int] | None:
        try:
            return Journal._identify(fd)
        except OSError:
            return None

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
