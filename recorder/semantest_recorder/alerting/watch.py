"""Looks with all rules behind every run that is over, and by time; what is to be told goes into the outbox."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from pytest_semantest.protocol.events import RUN_CONTEXT, RUN_END, WORKER_CRASH, WORKER_END
from semantest_recorder.alerting.judges import Judges
from semantest_recorder.alerting.outbox import Outbox
from semantest_recorder.alerting.without_store import WithoutStore
from semantest_recorder.alerting.writing import written
from semantest_recorder.core.alerts.judging import JudgedRun, judge_recorder
from semantest_recorder.core.alerts.settings import AlertSettings
from semantest_recorder.core.alerts.telling import Looked
from semantest_recorder.core.batch import Committed
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.notify.channels import Channels
from semantest_recorder.server.hub import Hub
from semantest_recorder.store.alert_facts import Unjudged
from semantest_recorder.store.alerts import begin, forget, keep_alerts, note_judged, tell
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.writer import Writer

T = TypeVar("T")
#: So often rules are asked that time alone can bring about.
_TICK_S: Final = 5.0
#: The ends of one session come one after another; one look is enough for them.
_QUIET_S: Final = 0.2
#: And so often for runs that are over, though nothing was committed.
_RUNS_MS: Final = 60_000.0
_FORGET_MS: Final = 3_600_000.0
_CLOSING: Final = frozenset({RUN_END, WORKER_END, WORKER_CRASH, RUN_CONTEXT})
_NONE: Final = Unjudged([], False)

_log = logging.getLogger(__name__)


class AlertWatch:
    """Lives in the event loop; ``clock`` gives milliseconds since the epoch, ``link`` is the recorder's address.

    What blocks is done in ``threads``, which hold up no end of the process.
    """

    def __init__(
        self,
        writer: Writer,
        settings: AlertSettings,
        channels: Channels,
        link: str,
        clock: Callable[[], float],
        threads: DaemonThreads,
    ) -> None:
        self.outbox = Outbox(writer, channels, clock, threads)
        self._threads = threads
        self._channels = channels
        self._writer = writer
        self._settings = settings
        self._link = settings.link or link
        self._clock = clock
        self._judges = Judges(writer.path, settings.rules)
        self._without_store = WithoutStore(writer.path, channels, self._link, threads)
        self._due = asyncio.Event()
        self._forget_due_ms = 0.0
        self._runs_due_ms = 0.0
        #: What was logged last of what does not work: it is tried every few seconds.
        self._troubles: dict[str, str] = {}
        self._has_begun = False
        #: Before anything can come: what comes while the first look is made is news.
        self._since_ms = clock()

    def note(self, verdict: Committed) -> None:
        """Something was committed."""
        if self._settings.rules and any(event.type in _CLOSING for event in verdict.fresh):
            self._runs_due_ms = 0.0
            self._due.set()

    def wake(self) -> None:
        """Somebody changed what is to be told, or sent."""
        self._due.set()
        self.outbox.wake()

    async def run(self, hub: Hub) -> None:
        """Looks, and sends, until it is cancelled. Whatever fails is tried again with the next look.

        Without rules there is nothing to do until somebody has a dead letter sent again.
        """
        for problem in self._channels.problems.items():
            _log.warning("channel %s of alerts cannot be used: %s", *problem)
        if not self._settings.rules:
            await self.outbox.woken()
            await self.outbox.run()
        sending = asyncio.create_task(self.outbox.run())
        try:
            while True:
                try:
                    await self._look(hub)
                except Exception:  # noqa: BLE001 - the next look may do
                    _log.exception("cannot look after alerts, trying on")
                with suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S):
                        await self._due.wait()
                        await asyncio.sleep(_QUIET_S)
                self._due.clear()
        finally:
            sending.cancel()

    async def _look(self, hub: Hub) -> None:
        now_ms = self._clock()
        if not self._has_begun:
            self._has_begun = await self._write(lambda connection: begin(connection, self._settings, self._since_ms))
        store_error = hub.health()["storeError"]
        own = await self._in_thread(lambda: self._of_recorder(store_error))
        looked, found = await self._judged(now_ms, [run.run_id for run in hub.runs]) if self._has_begun else ([], _NONE)
        if not await self._tell([*own, *looked], found.runs, now_ms):
            self._runs_due_ms = 0.0
            await self._without_store.tell(own, now_ms)
            return
        self._runs_due_ms = now_ms if found.has_more else self._runs_due_ms
        if found.has_more and found.runs:
            self._due.set()

    async def _judged(self, now_ms: float, open_runs: Sequence[str]) -> tuple[list[Looked], Unjudged]:
        """What rules say; nothing when the database cannot be asked now."""
        looked, found = list[Looked](), _NONE
        try:
            if now_ms >= self._runs_due_ms:
                self._runs_due_ms = now_ms + _RUNS_MS  # before: what is committed meanwhile is looked at again
                looked, found = await self._in_thread(lambda: self._judges.of_runs(now_ms))
            looked += await self._in_thread(lambda: self._judges.of_time(now_ms, open_runs))
        except (StoreError, sqlite3.Error) as error:
            self._say("rules of alerts cannot be judged", str(error))
            self._runs_due_ms = 0.0
        else:
            self._troubles.pop("rules of alerts cannot be judged", None)
        return looked, found

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _of_recorder(self, store_error: str | None) -> list[Looked]:
        rules = [rule for rule in self._settings.rules if rule.kind == "recorder-unhealthy"]
        if not rules:
            return []
        try:
            free: int | None = shutil.disk_usage(self._writer.path.parent).free
        except OSError:  # the folder is gone, say; the recorder ends for it by itself
            free = None
        return [Looked(rule, list(judge_recorder(rule, store_error, free))) for rule in rules]

    async def _tell(self, looked: Sequence[Looked], runs: Sequence[JudgedRun], now_ms: float) -> bool:
        """Stores what was seen and what is to be told, in one transaction; whether that was possible."""
        asked = {one.rule.name for one in looked}
        others = [Looked(rule, ()) for rule in self._settings.rules if rule.name not in asked]
        made = 0

        def work(connection: sqlite3.Connection) -> None:
            nonlocal made
            keep_alerts(connection, self._without_store.alerts)
            made = tell(connection, [*looked, *others], self._link, now_ms)
            note_judged(connection, runs, now_ms)
            if now_ms >= self._forget_due_ms:
                forget(connection, self._settings, now_ms)

        if not await self._write(work):
            return False
        self._without_store.clear()
        if now_ms >= self._forget_due_ms:
            self._forget_due_ms = now_ms + _FORGET_MS
        if made:
            self.outbox.wake()
        return True

    async def _write(self, work: Callable[[sqlite3.Connection], None]) -> bool:
        try:
            await written(self._writer, work)
        except RuntimeError as error:
            self._say("alerts cannot be stored", str(error))
            return False
        self._troubles.pop("alerts cannot be stored", None)
        return True

    def _say(self, what: str, why: str) -> None:
        """Logs what is new."""
        if self._troubles.get(what) != why:
            _log.warning("%s, trying on: %s", what, why)
        self._troubles[what] = why
