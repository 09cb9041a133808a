"""Sends what waits in the outbox: each channel by itself, one message at a time, until it is delivered or dead."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from typing import Any, Final, TypeVar

from semantest_recorder.alerting.writing import written
from semantest_recorder.core.alerts.delivery import Answer, Delivery, after_try, next_in_turn
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.notify.channels import Channels
from semantest_recorder.store.alerts import body_of, deliveries_in, note_tried
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.writer import Writer

#: So often the outbox is looked at, however far off the next try is.
_LOOK_S: Final = 30.0
_SOON_S: Final = 1.0

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Outbox:
    """Lives in the event loop; ``clock`` gives milliseconds since the epoch."""

    def __init__(self, writer: Writer, channels: Channels, clock: Callable[[], float], threads: DaemonThreads) -> None:
        self._threads = threads
        self._writer = writer
        self._channels = channels
        self._clock = clock
        self._changed = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}
        #: What was tried, and could not be stored yet: it must not be sent again for that.
        self._unstored: dict[str, Delivery] = {}

    def wake(self) -> None:
        """There is something new in it."""
        self._changed.set()

    async def woken(self) -> None:
        """Returns when there is something new in it."""
        await self._changed.wait()

    async def run(self) -> None:
        """Sends until it is cancelled; what is under way then is sent again by the next recorder."""
        try:
            while True:
                self._changed.clear()
                try:
                    wait_s = await self._send_what_is_due()
                except Exception:  # noqa: BLE001 - one odd row must not hold up all others for good
                    _log.exception("cannot look after the outbox of alerts, trying on")
                    wait_s = _LOOK_S
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
        finally:
            for task in self._sending.values():
                task.cancel()

    async def _send_what_is_due(self) -> float:
        """Begins all tries that are due; for how long there is nothing more to do, in seconds."""
        if self._unstored:
            await self._store(list(self._unstored.values()))
        try:
            queued = await self._ask(lambda connection: deliveries_in(connection, "waiting"))
        except (StoreError, sqlite3.Error) as error:
            _log.warning("the outbox of alerts cannot be read, trying on: %s", error)
            return _LOOK_S
        waiting = [one for one in queued if one.id not in self._unstored]
        now_ms = self._clock()
        for delivery in next_in_turn(waiting, now_ms):
            if delivery.channel not in self._sending:
                self._begin(delivery.channel, self._try(delivery))
        later = [one.next_ms - now_ms for one in waiting if one.next_ms > now_ms]
        soonest_s = max(min(later, default=_LOOK_S * 1000.0) / 1000.0, 0.01)
        return min(soonest_s, _SOON_S if self._unstored else _LOOK_S)

    def _begin(self, channel: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending[channel] = task

        def ended(_task: asyncio.Task[None]) -> None:
            self._sending.pop(channel, None)
            self._changed.set()

        task.add_done_callback(ended)

    async def _try(self, delivery: Delivery) -> None:
        try:
            body = await self._ask(lambda connection: body_of(connection, delivery.id))
        except (StoreError, sqlite3.Error) as error:
            _log.warning("a message of alerts cannot be read, trying on: %s", error)
            await asyncio.sleep(_SOON_S)
            return
        if body is None:
            return
        try:
            answer = await self._channels.send(delivery.channel, delivery.id, body)
        except Exception as error:  # noqa: BLE001 - it would be sent again at once, for ever
            _log.exception("channel %s of alerts failed", delivery.channel)
            answer = Answer(is_delivered=False, text=f"the channel failed: {type(error).__name__}")
        tried = after_try(delivery, answer, self._clock(), random.random())  # noqa: S311 - it spreads tries
        level = logging.WARNING if tried.state == "dead" else logging.INFO
        _log.log(level, "alert %s to channel %s: %s, %s", tried.id, tried.channel, tried.state, tried.answer)
        self._unstored[tried.id] = tried
        await self._store([tried])

    async def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """What the database says, asked in a thread. Raises ``StoreError`` and ``sqlite3.Error``."""

        def ask() -> T:
            with closing(connect_read_only(self._writer.path)) as connection:
                return question(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def _store(self, tried: list[Delivery]) -> None:
        try:
            await written(self._writer, lambda connection: note_tried(connection, tried))
        except RuntimeError as error:
            _log.warning("what became of %d deliveries is not stored yet: %s", len(tried), error)
            return
        for one in tried:
            self._unstored.pop(one.id, None)
