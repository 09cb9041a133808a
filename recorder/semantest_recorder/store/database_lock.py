"""One program at a time writes a database: the lock beside it, which ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path

from semantest_recorder.store.errors import CannotOpen, InUse

SUFFIX = ".lock"
#: A process that has just died may hold it for a moment yet.
_WAIT_S = 1.0
_POLL_S = 0.05


class DatabaseLock:
    """Beside the file that ``path`` leads to, as ``<name>.lock`` with the pid of its holder; gone after ``release``.

    It also keeps a program from opening a database twice.
    """

    def __init__(self, path: Path) -> None:
        self._database = path
        real = path.resolve()
        self._path = real.with_name(real.name + SUFFIX)
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Takes the lock. Raises ``InUse``, which names the holder, or ``CannotOpen``."""
        deadline = time.monotonic() + _WAIT_S
        while self._descriptor is None:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            except OSError as error:
                raise CannotOpen(self._database, error.strerror or str(error)) from None
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_in_place(descriptor):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, f"{os.getpid()}\n".encode())
                    self._descriptor, descriptor = descriptor, -1
            except OSError as error:
                holder = _holder(descriptor)
                if not isinstance(error, BlockingIOError):
                    raise CannotOpen(self._database, error.strerror or str(error)) from None
                if holder == os.getpid() or time.monotonic() >= deadline:
                    raise InUse(self._database, holder) from None
                time.sleep(_POLL_S)
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
        _held.add(self)

    def release(self) -> None:
        """Gives it back; does nothing when it is not held."""
        _held.discard(self)
        if self._descriptor is not None:
            if self._is_in_place(self._descriptor):
                self._path.unlink(missing_ok=True)
            self._let_go()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _is_in_place(self, descriptor: int) -> bool:
        """Whether the file at the path is the one that was opened: its last holder may have removed it since."""
        try:
            found = self._path.stat()
        except OSError:
            return False
        opened = os.fstat(descriptor)
        return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)


def _holder(descriptor: int) -> int | None:
    """The pid in the file; ``None`` while it is being written."""
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None


#: A fork would keep them for as long as it lives.
_held: weakref.WeakSet[DatabaseLock] = weakref.WeakSet()


def _leave_to_parent() -> None:
    for lock in list(_held):
        lock._let_go()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_leave_to_parent)
