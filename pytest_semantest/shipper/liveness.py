"""Whether the process that wrote a journal still runs, judged from outside."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import Any

import psutil

#: A journal from another machine or pid namespace counts as abandoned when nothing was written to it for this long.
FOREIGN_SILENCE_MS = 3_600_000.0
#: How much later than its first event a process may seem to have started: clocks step, and psutil's is coarse.
_START_SLACK_MS = 2_000.0


class ProcessWatch:
    """Watches the process that the first event of a journal names.

    ``start`` is that event's payload, ``started_ms`` its timestamp. On Linux a pidfd is held, so that a death is seen
    at once and a reused pid is never mistaken; elsewhere the process is looked up again each time.
    """

    def __init__(self, start: dict[str, Any], started_ms: float) -> None:
        pid = start.get("pid")
        self._pid = pid if isinstance(pid, int) and pid > 0 else None
        self._started_ms = started_ms
        ticks = start.get("processStart")
        self._ticks = ticks if isinstance(ticks, int) else None
        self._boot = start.get("bootId")
        self.foreign = start.get("host") != os.uname().nodename or _is_other_namespace(start.get("pidNamespace"))
        self._dead = False
        self._pidfd = None if self.foreign else self._open()

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when the process dies, ``None`` where there is none."""
        return self._pidfd if not self._dead else None

    def alive(self, journal_ms: float, now_ms: float) -> bool:
        """Whether the process runs; a zombie does not.

        A process of another machine is taken for alive while its journal, last written at ``journal_ms``, is fresh.
        """
        if self._dead:
            return False
        if self.foreign:
            return now_ms - journal_ms < FOREIGN_SILENCE_MS
        if self._pidfd is not None:
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            self._dead = bool(poll.poll(0))
        else:
            self._dead = not self._is_running()
        return not self._dead

    def close(self) -> None:
        """Lets go of the process."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def _open(self) -> int | None:
        if self._pid is None:
            self._dead = True
            return None
        try:
            pidfd = os.pidfd_open(self._pid) if sys.platform == "linux" else None
        except OSError:
            pidfd = None
        # Looked at behind the pidfd: should the pid be reused in between, this process is the wrong one.
        self._dead = not self._is_running()
        return pidfd

    def _is_running(self) -> bool:
        if self._pid is None:
            return False
        try:
            process = psutil.Process(self._pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            ticks = _start_ticks(self._pid) if self._ticks is not None else None
            if ticks is not None:  # counted since boot: no clock that steps can change it
                return ticks == self._ticks and not _is_other_boot(self._boot)
            created_ms = process.create_time() * 1000
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
        return bool(created_ms <= self._started_ms + _START_SLACK_MS)


def process_exists(pid: object) -> bool:
    """Whether a process with this pid runs here; a zombie does not."""
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _is_other_namespace(name: object) -> bool:
    if not isinstance(name, str):
        return False
    try:
        return str(Path("/proc/self/ns/pid").readlink()) != name
    except OSError:
        return False


def _is_other_boot(boot_id: object) -> bool:
    """Whether the system was started anew since; ``False`` when one of both is not known."""
    if not isinstance(boot_id, str):
        return False
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip() != boot_id.strip()
    except (OSError, ValueError):
        return False


def _start_ticks(pid: int) -> int | None:
    """Field 22 of ``/proc/<pid>/stat``; the name in field 2 may hold blanks and parentheses."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
