"""Whether the process that wrote a journal still runs, judged from outside."""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import Any

import psutil

from pytest_semantest.protocol.liveness import JournalWriter, is_fresh


class ProcessWatch:
    """Watches the process that the first event of a journal names.

    ``start`` is that event's payload, ``started_ms`` its timestamp. On Linux a pidfd is held, so that a death is seen
    at once and a reused pid is never mistaken; elsewhere the process is looked up again each time.
    """

    def __init__(self, start: dict[str, Any], started_ms: float) -> None:
        self._writer = JournalWriter(start, started_ms)
        self.foreign = self._writer.foreign
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
            return is_fresh(journal_ms, now_ms)
        if self._pidfd is not None:
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            self._dead = bool(poll.poll(0))
        else:
            self._dead = not self._is_running()
        return not self._dead

    def send(self, number: int) -> bool:
        """Sends a signal to the process; false when it is gone, on another machine, or not ours to stop."""
        if self._dead or self.foreign or self._writer.pid is None:
            return False
        try:
            if self._pidfd is not None and sys.platform == "linux":
                signal.pidfd_send_signal(self._pidfd, number)
            elif self._is_running():
                os.kill(self._writer.pid, number)
            else:
                return False
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Lets go of the process."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def _open(self) -> int | None:
        pid = self._writer.pid
        if pid is None:
            self._dead = True
            return None
        try:
            pidfd = os.pidfd_open(pid) if sys.platform == "linux" else None
        except OSError:
            pidfd = None
        # Looked at behind the pidfd: should the pid be reused in between, this process is the wrong one.
        self._dead = not self._is_running()
        return pidfd

    def _is_running(self) -> bool:
        try:
            process = psutil.Process(self._writer.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return self._writer.is_process(lambda: process.create_time() * 1000)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
