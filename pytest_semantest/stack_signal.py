"""Lets somebody outside see what this process is doing: on a signal all threads' stacks are written into memory.

``faulthandler`` does that in C, while a test hangs in whatever it likes, without the interpreter and without a word to
it. The memory is a file without a name that the shipper reads through ``/proc/<pid>/fd/<n>``; it looks before it sends
the signal that it is still there and that the signal is still caught. Where there are no such files, no ``/proc`` or no
real-time signals, nothing is offered.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal
import sys
from contextlib import suppress

#: From the upper end down: libraries that use such a signal take one at the lower end, as systemd does.
_CANDIDATES = 8
_KEPT_FREE = 3
#: Tests close low descriptors; see journal.py.
_HIGH_DESCRIPTORS = (900, 400, 100, 10)
_TAKEN = (b"SigBlk:", b"SigIgn:", b"SigCgt:")


class StackSignal:
    """Offers the stacks until ``close``. Raises ``OSError``, ``AttributeError`` or ``ValueError`` where nobody can."""

    def __init__(self) -> None:
        self._number = _free_signal()
        self._fd = _memory()
        status = os.fstat(self._fd)
        #: As docs/design/events.md describes ``stacks``.
        self.facts = {"signal": self._number, "fd": self._fd, "device": status.st_dev, "inode": status.st_ino}
        self._identity = status.st_dev, status.st_ino
        faulthandler.register(self._number, file=self._fd, all_threads=True, chain=False)
        _offered.append(self)

    def close(self) -> None:
        """Offer them no more."""
        if self in _offered:
            _offered.remove(self)
            self.withdraw()

    def withdraw(self) -> None:
        """Give the signal back, and the descriptor if no test took its number."""
        faulthandler.unregister(self._number)
        with suppress(OSError):
            status = os.fstat(self._fd)
            if (status.st_dev, status.st_ino) == self._identity:
                os.close(self._fd)


def offer_stacks() -> StackSignal | None:
    """Offer the stacks of this process; ``None`` where that cannot be done."""
    if sys.platform != "linux":
        return None
    try:
        return StackSignal()
    except (OSError, AttributeError, ValueError, RuntimeError):
        return None


#: What this process offers; more than one when tests run pytest in it.
_offered: list[StackSignal] = []


def _in_child() -> None:
    """A child that was forked is somebody else: it is not asked, and does not write into its parent's memory."""
    for offer in _offered:
        with suppress(Exception):
            offer.withdraw()
    _offered.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def _memory() -> int:
    low = os.memfd_create("semantest-stacks", os.MFD_CLOEXEC)
    fcntl.fcntl(low, fcntl.F_SETFL, os.O_APPEND)  # whoever empties it may do so while it is written
    for lowest in _HIGH_DESCRIPTORS:
        with suppress(OSError):
            high = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, lowest)
            os.close(low)
            return high
    return low


def _free_signal() -> int:
    """A real-time signal that this process neither handles, ignores nor blocks. Raises ``ValueError`` without one."""
    taken = 0
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(_TAKEN):
                taken |= int(line.split()[1], 16)
    highest = int(signal.SIGRTMAX) - _KEPT_FREE
    for number in range(highest, max(highest - _CANDIDATES, int(signal.SIGRTMIN)), -1):
        if not taken >> (number - 1) & 1:
            return number
    raise ValueError("no real-time signal is free")
