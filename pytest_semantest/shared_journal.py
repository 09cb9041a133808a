"""A journal into which threads write, or whose events a hook may change: what the plain one does not pay for."""

from __future__ import annotations

from _thread import RLock
from collections import deque
from collections.abc import Callable

from pytest_semantest import forks
from pytest_semantest.journal import Journal

#: Gives the body to be written, or ``None`` for an event that is dropped.
Filter = Callable[[bytes], bytes | None]


class SharedJournal(Journal):
    """A journal whose appends are serialised; a plain one becomes one by ``share``.

    ``append`` and ``append_next`` are the same: code of a test may have run in between. Both give 0 for an event that
    was dropped, and for one that was written by the call that this one interrupted (a signal handler, a finalizer).
    """

    _lock: RLock
    _waiting: deque[bytes]
    _writing: bool
    filter: Filter | None

    @classmethod
    def share(cls, journal: Journal) -> SharedJournal:
        """The journal itself, shared from now on. To be called by the thread that writes into it."""
        if not isinstance(journal, cls):
            journal._lock = RLock()  # type: ignore[attr-defined]  # noqa: SLF001 - it is about to be one of ours
            journal._waiting = deque()  # type: ignore[attr-defined]  # noqa: SLF001
            journal._writing = False  # type: ignore[attr-defined]  # noqa: SLF001
            journal.filter = None  # type: ignore[attr-defined]
            journal.__class__ = cls
        assert isinstance(journal, cls)  # noqa: S101
        return journal

    def append(self, body: bytes) -> int:
        """Write one event as the next record and give its seq, 0 when it was not written here."""
        # Before the lock: in a child it may be held for ever.
        if self._depth != forks.depth or Journal._getpid() != self._pid:  # noqa: SLF001 - its own class
            return Journal.append(self, body)
        kept = body if self.filter is None else self.filter(body)
        if kept is None:
            return 0
        with self._lock:
            if self._writing:
                self._waiting.append(kept)
                return 0
            self._writing = True
            try:
                seq = Journal.append(self, kept)
                while self._waiting:
                    Journal.append(self, self._waiting.popleft())
            finally:
                self._writing = False
        return seq

    def append_next(self, body: bytes) -> int:
        """The same."""
        return self.append(body)
