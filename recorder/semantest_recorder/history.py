"""Keeps what the next sessions read (``history.json``, ``test-snapshot.json``) up to date.

It is written again soon after something that can close a run was committed.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable

from pytest_semantest.protocol.events import RUN_END, WORKER_CRASH, WORKER_END
from semantest_recorder.core.batch import Committed
from semantest_recorder.store.errors import StoreError

_CLOSING = frozenset({RUN_END, WORKER_END, WORKER_CRASH})
#: The ends of one session come one after another; one writing is enough for them.
_QUIET_S = 0.2

_log = logging.getLogger(__name__)


class HistoryKeeper:
    """Calls ``write`` in a thread; a failure is logged and the next end of a run tries again."""

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write
        self._due = asyncio.Event()

    def note(self, verdict: Committed) -> None:
        """Something was committed."""
        if any(event.type in _CLOSING for event in verdict.fresh):
            self._due.set()

    async def run(self) -> None:
        """Writes whenever it is due, until cancelled."""
        while True:
            await self._due.wait()
            await asyncio.sleep(_QUIET_S)
            await self.finish()

    async def finish(self) -> None:
        """Writes now if it is due."""
        if not self._due.is_set():
            return
        self._due.clear()
        try:
            await asyncio.to_thread(self._write)
        except StoreError as error:  # its text says all, such as that the database was removed
            _log.warning("history.json and test-snapshot.json are not written: %s", error)
        except (OSError, sqlite3.Error):
            _log.exception("history.json or test-snapshot.json could not be written")
