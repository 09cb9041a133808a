"""Where this process says in which phase its running test is: memory that outlives it, without a system call.

On Linux the slot is a sealed memory file (memfd), mapped here and reached by the shipper through
``/proc/<pid>/fd/<n>``, to which ``<worker>.status`` in the session's folder is a link: once the shipper has opened it,
it can be read after a SIGKILL. A mapped file on disk would not do: writing to it raises SIGBUS when somebody truncates
it or, on a copy-on-write file system, when the disk is full. Elsewhere the slot is a small file, written in place.
A process whose disk is too full for its end record says there how it ended; the shipper writes the record later.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Mapping
from typing import Any

from pytest_semantest import forks
from pytest_semantest.protocol.encoding import ENDED, ENDING, SETUP, STATUS, STATUS_SIZE


class MemorySlot:
    """The slot in memory. Raises ``OSError`` or ``AttributeError`` where there are no memory files."""

    _pack = STATUS.pack_into

    def __init__(self, path: str) -> None:
        self._depth = forks.depth
        fd = os.memfd_create("semantest", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, STATUS_SIZE)
        # Sealed, nobody can shorten it under the mapping.
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        self._memory = mmap.mmap(fd, STATUS_SIZE)
        self._pack(self._memory, 0, 0, SETUP)
        os.symlink(f"/proc/{os.getpid()}/fd/{fd}", path)

    def put(self, seq: int, phase: int) -> None:
        """Write the phase of the running test."""
        if self._depth == forks.depth:
            self._pack(self._memory, 0, seq, phase)

    def end(self, ending: bytes) -> None:
        """Leave the process's end here; ``ending`` comes from ``pack_ending``."""
        if self._depth == forks.depth:
            self._memory[:] = ending

    def close(self) -> None:
        """Stop writing; the memory goes with the process."""
        self._depth = -1


class FileSlot:
    """The slot as a small file. Raises ``OSError`` when it cannot be made."""

    _fstat = os.fstat
    _pwrite = os.pwrite

    def __init__(self, path: str) -> None:
        self._depth = forks.depth
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._inode = FileSlot._fstat(self._fd).st_ino
        FileSlot._pwrite(self._fd, STATUS.pack(0, SETUP), 0)

    def put(self, seq: int, phase: int) -> None:
        """Write the phase of the running test; a slot that a test closed is given up."""
        self._write(STATUS.pack(seq, phase))

    def end(self, ending: bytes) -> None:
        """Leave the process's end here; ``ending`` comes from ``pack_ending``."""
        self._write(ending)

    def _write(self, content: bytes) -> None:
        if self._depth != forks.depth:
            return
        try:
            if FileSlot._fstat(self._fd).st_ino == self._inode:
                FileSlot._pwrite(self._fd, content, 0)
        except OSError:
            self.close()

    def close(self) -> None:
        """Stop writing."""
        self._depth = -1


PhaseSlot = MemorySlot | FileSlot


def pack_ending(seq: int, payload: Mapping[str, Any], dropped: int) -> bytes:
    """The slot's content for a process whose end record could not be written: what counts of its ``payload``.

    ``seq``: that of the record which the shipper writes instead; ``dropped``: how many could not be written.
    """
    stopped, interrupted = bool(payload.get("stoppedEarly")), bool(payload.get("interrupted"))
    return ENDING.pack(seq, ENDED, payload["exitCode"] & 0xFF, stopped, interrupted, min(dropped, 0xFFFFFFFF))


def open_phase_slot(path: str) -> PhaseSlot:
    """The best slot that this system has, reachable at ``path``. Raises ``OSError`` when the path cannot be made."""
    try:
        return MemorySlot(path)
    except (AttributeError, OSError):
        return FileSlot(path)
