"""``recorder.json``, by which clients find the project's recorder, and the lock that makes it the only one."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pytest_semantest.protocol.layout import DISCOVERY, RECORDER_LOCK
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.trust import refuse_secret
from pytest_semantest.protocol.whole_file import write_whole

_POLL_S = 0.05
#: What a ``pid_t`` holds.
_PID_MAX = 2**31 - 1


class Discovery(msgspec.Struct, frozen=True, rename="camel"):
    """Where a recorder listens (``url``: http base) and the token that has every role there."""

    pid: int
    url: str
    token: str
    version: str
    protocol_version: int


class AlreadyRunning(Exception):  # noqa: N818 - it is how things are, not an error of ours
    """Another recorder serves the folder."""

    def __init__(self, directory: Path, found: Discovery | None) -> None:
        what = f"pid {found.pid} at {found.url}" if found else f"it holds {directory / RECORDER_LOCK}"
        super().__init__(f"a recorder already serves {directory}: {what}")
        self.found = found


def read_discovery(directory: Path) -> Discovery | None:
    """The discovery file's content, or ``None`` when there is none that can be read and used."""
    try:
        return find_discovery(directory)
    except OSError:
        return None


def find_discovery(directory: Path) -> Discovery | None:
    """As ``read_discovery``; raises ``OSError`` when there may be one that cannot be read now.

    A file that somebody else wrote, or could have written, is none: it would send clients and their events to him.
    """
    try:
        data, facts = read_small_file(directory / DISCOVERY)
        if refuse_secret(facts, str(directory)) is not None:
            return None
        found = msgspec.json.decode(data, type=Discovery)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (ValueError, RecursionError):  # a byte that is no UTF-8 is a ValueError, and no DecodeError
        return None
    return found if 0 < found.pid <= _PID_MAX and _is_address(found.url) else None


def _is_address(url: str) -> bool:
    """Whether a client can connect there, as far as the text tells."""
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and bool(parts.port)
    except ValueError:  # a bracket that is not closed, a port that is no number
        return False


def write_discovery(directory: Path, discovery: Discovery) -> None:
    """Writes the file in one step, readable by its owner only. Raises ``OSError``."""
    write_whole(directory / DISCOVERY, msgspec.json.encode(discovery) + b"\n")


def remove_discovery(directory: Path, mine: Discovery) -> None:
    """Removes the file if it still is ours."""
    if read_discovery(directory) == mine:
        with suppress(OSError):
            (directory / DISCOVERY).unlink()


def process_exists(pid: int) -> bool:
    """Whether a process with this id runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # no /proc here, or it ended just now, which the next call sees
        return True
    return stat.rpartition(b")")[2].split()[:1] != [b"Z"]


class RecorderLock:
    """Held for the life of a recorder: there is one per folder."""

    def __init__(self, directory: Path) -> None:
        from filelock import FileLock  # noqa: PLC0415 - 25 ms that `status` and `stop` need not pay

        self._directory = directory
        self._path = directory / RECORDER_LOCK
        self._lock = FileLock(self._path, thread_local=False)
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
