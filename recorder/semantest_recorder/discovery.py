"""``recorder.json``, by which clients find the project's recorder, and the lock that makes it the only one."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from pytest_semantest.protocol.discovery_file import (
    Discovery,
    discard_abandoned,
    find_discovery,
    read_discovery,
    serving_recorder,
    write_discovery,
)
from pytest_semantest.protocol.layout import DISCOVERY, RECORDER_LOCK
from pytest_semantest.protocol.liveness import process_exists

__all__ = [
    "AlreadyRunning",
    "Discovery",
    "RecorderLock",
    "find_discovery",
    "read_discovery",
    "remove_discovery",
    "serving_recorder",
    "write_discovery",
]

_POLL_S = 0.05


class AlreadyRunning(Exception):  # noqa: N818 - it is how things are, not an error of ours
    """Another recorder serves the folder."""

    def __init__(self, directory: Path, found: Discovery | None) -> None:
        what = f"pid {found.pid} at {found.url}" if found else f"it holds {directory / RECORDER_LOCK}"
        super().__init__(f"a recorder already serves {directory}: {what}")
        self.found = found


def remove_discovery(directory: Path, mine: Discovery) -> None:
    """Removes the file if it still is ours."""
    if read_discovery(directory) == mine:
        with suppress(OSError):
            (directory / DISCOVERY).unlink()


class RecorderLock:
    """Held for the life of a recorder: there is one per folder."""

    def __init__(self, directory: Path) -> None:
        from filelock import FileLock  # noqa: PLC0415 - 25 ms that `status` and `stop` need not pay

        self._directory = directory
        self._path = directory / RECORDER_LOCK
        self._lock = FileLock(self._path, mode=0o600, thread_local=False)  # others could hold it, too
        self._inode: tuple[int, int] | None = None

    def acquire(self, wait_s: float) -> None:
        """Takes the lock.

        While another process holds it without a discovery file, that one is starting or stopping, and is waited for
        up to ``wait_s`` seconds. Raises ``AlreadyRunning``, or ``OSError`` when the folder cannot be written.
        """
        from filelock import Timeout  # noqa: PLC0415

        deadline = time.monotonic() + wait_s
        while True:
            try:
                discard_abandoned(self._directory)
                self._lock.acquire(timeout=0)
                self._inode = self._present_inode()
                return
            except Timeout:
                found = read_discovery(self._directory)
                if found is not None and process_exists(found.pid):
                    raise AlreadyRunning(self._directory, found) from None
                if time.monotonic() >= deadline:
                    raise AlreadyRunning(self._directory, None) from None
                time.sleep(_POLL_S)

    def is_ours(self) -> bool:
        """Whether the lock file in the folder still is the one we hold; no other recorder can have it then.

        Raises ``OSError`` when that cannot be told now.
        """
        try:
            return self._present_inode() == self._inode
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _present_inode(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_dev, found.st_ino

    def release(self) -> None:
        """Gives the lock back."""
        self._lock.release()
