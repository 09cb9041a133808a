"""The thread in which plugins run, with an event loop of its own: batches first, then what was committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from threading import Event as Flag
from threading import Thread
from time import perf_counter
from typing import Any

from semantest_recorder.plugins.arguments import Context, Failure, Told
from semantest_recorder.plugins.backlog import Backlog, InHand
from semantest_recorder.plugins.batch_work import BatchWork
from semantest_recorder.plugins.calls import Implementation
from semantest_recorder.plugins.event import Event
from semantest_recorder.plugins.lifecycle import Notice, run_of_summary
from semantest_recorder.plugins.own_task import OwnTask
from semantest_recorder.plugins.own_threads import OwnThreads
from semantest_recorder.plugins.running import AbandonedError, Caller, disable_loudly, is_awaitable

#: For how long hooks are called before others get their turn: while batches wait, and while none does.
_SLICE_S = 0.0005
_IDLE_SLICE_S = 0.005
#: A hook that awaits holds up nothing of ingest, and the report of a large run takes its time: so many times the limit.
PATIENCE = 12
#: How long, in seconds, the end waits for awaiting calls that it has given up.
_PARTING_S = 0.1

_log = logging.getLogger(__name__)


class PluginThread:
    """One thread; ``contexts`` are given to ``initialize``, ``failures`` to ``on_error``.

    Only ``caller`` and ``beat`` are looked at from elsewhere. ``beat``: when its loop was last seen to go round
    (``perf_counter``).
    """

    def __init__(
        self,
        backlog: Backlog,
        caller: Caller,
        contexts: Callable[[str], Context],
        failures: Sequence[Failure] = (),
    ) -> None:
        self.caller = caller
        self.beat = perf_counter()
        self.ready = Flag()
        self._backlog = backlog
        self._contexts = contexts
        self._failures = failures
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(OwnThreads())
        self._work = asyncio.Event()
        self._told = asyncio.Event()
        self._parts: list[OwnTask] = []
        self._thread = Thread(target=self._run, name="semantest-plugins", daemon=True)

    def start(self) -> None:
        """Starts it; plugins are initialized first."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do. Safe in every thread."""
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._wake)

    def call(self, make: Callable[[], Coroutine[Any, Any, None]]) -> Flag:
        """Runs a coroutine in the loop; the flag is set when it is done. Safe in every thread."""
        done = Flag()

        async def run() -> None:
            try:
                await make()
            finally:
                done.set()

        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: self._loop.create_task(run()))
        return done

    @property
    def has_ended_part(self) -> bool:
        """Whether a part of it works no more, by an error or since it was cancelled. Safe in every thread."""
        return any(part.done() for part in self._parts)

    async def initialize(self, call: Implementation, context: Context) -> None:
        """Initializes one plugin; it is disabled when that fails. Only in the loop."""
        if not await self.caller.run(call, context) and not call.counts.is_off:
            disable_loudly(self._backlog.registry, call, f"its initialize failed: {call.counts.last_error}")

    async def destroy(self) -> None:
        """Gives up what is being called, then calls ``destroy`` of every plugin, its last call. Only in the loop."""
        _beat, *parts = self._parts
        for part in parts:
            part.end()
        await asyncio.wait(parts)
        await self.caller.part_with_calls(_PARTING_S)
        for call in self._backlog.registry.calls("destroy"):
            self._backlog.registry.retire(call.plugin)
            await self.caller.run(call, None, patience=PATIENCE)

    def stop(self) -> None:
        """Ends the loop behind what it does now."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)

    def join(self, timeout_s: float) -> None:
        """Waits, a while, until the thread has ended."""
        self._thread.join(timeout_s)

    # -- in the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        noted = self.caller.note_cancelling
        tasks = [OwnTask(part(), self._loop, noted) for part in (self._beat, self._serve, self._tell)]
        self._parts = tasks
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            with suppress(Exception):
                self._loop.run_until_complete(asyncio.wait(left, timeout=0.2))
            for task in tasks:
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    _tell_error(error)
            self._leave_behind({task for task in left if not task.done()})
            self._loop.close()

    def _leave_behind(self, tasks: set[asyncio.Task[Any]]) -> None:
        """Names the tasks that refuse to be cancelled; asyncio would tell of each, whenever it is collected."""
        if not tasks:
            return
        names = ", ".join(sorted(getattr(task.get_coro(), "__qualname__", task.get_name()) for task in tasks))
        _log.warning("tasks of plugins go on after they were cancelled; they are not waited for: %s", names)
        self._loop.set_exception_handler(lambda _loop, _context: None)

    def _wake(self) -> None:
        self._work.set()
        self._told.set()

    async def _beat(self) -> None:
        while not self.caller.abandoned:
            self.beat = perf_counter()
            await asyncio.sleep(self.caller.beat_s)
        self._loop.stop()

    async def _serve(self) -> None:
        """Initializes the plugins, then takes batches through ``on_event``, one after the other."""
        await self._initialize()
        for failure in self._failures:
            await self.caller.tell_error(failure)
        self.ready.set()
        self._told.set()
        while True:
            work = self._backlog.work()
            if work is None:
                self._work.clear()
                if self._backlog.work() is None:
                    await self._work.wait()
                continue
            await self._transform(work)
            if not self.caller.abandoned:
                self._backlog.worked(work)
            await asyncio.sleep(0)  # the hooks of what was committed get their turn

    async def _initialize(self) -> None:
        for call in self._backlog.registry.calls("initialize"):
            await self.initialize(call, self._contexts(call.plugin))

    async def _transform(self, work: BatchWork) -> None:
        while (due := work.next_call()) is not None:
            call, event = due
            if call.counts.is_off:
                work.skip()
                continue
            started = perf_counter()
            try:
                given = self.caller.begin(call, event)
                if given is not None and is_awaitable(given):
                    given = await self.caller.finish(call, given)
            except (AbandonedError, asyncio.CancelledError):
                raise
            except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, the event goes on
                work.skip()
                await self._failed(work, call, event, error, started)
                continue
            try:
                work.took(given)
            except (AbandonedError, asyncio.CancelledError):
                raise
            except BaseException as error:  # noqa: BLE001 - what it gave may be code of the plugin, such as a dict of its own
                await self._failed(work, call, event, error, started)
            else:
                call.counts.succeeded(perf_counter() - started)

    async def _failed(
        self, work: BatchWork, call: Implementation, event: Event, error: BaseException, started: float
    ) -> None:
        message = await self.caller.fail(call, error, perf_counter() - started, event)
        work.failed(call.plugin, message)
        work.withhold(call)

    async def _tell(self) -> None:
        """Calls the hooks of what was committed."""
        await self._told.wait()
        since = perf_counter()
        while True:
            hand = self._backlog.notice() if self.ready.is_set() else None
            if hand is None:
                await self._wait_for_notices()
            else:
                await self._tell_all(hand)
                self._backlog.told()
            # A round of the loop costs more than a call.
            if perf_counter() - since > (_SLICE_S if self._backlog.pending_events else _IDLE_SLICE_S):
                await asyncio.sleep(0)
                since = perf_counter()

    async def _wait_for_notices(self) -> None:
        self._told.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._backlog.notice_due_s() if self.ready.is_set() else None):
                await self._told.wait()

    async def _tell_all(self, hand: InHand) -> None:
        notice = hand.notice
        if isinstance(notice, Notice):
            await self._tell_plugins(notice.hook, notice.argument, hand)
            return
        try:
            summary = await asyncio.to_thread(self._backlog.read_summary, notice.run_id)
        except Exception as error:  # noqa: BLE001 - the database may be gone, or locked
            if not self._backlog.put_off(notice):
                _log.warning("after_test_run of %s is not called: it cannot be read: %s", notice.run_id, error)
            return
        argument = run_of_summary(notice.run_id, summary, again=notice.again)
        await self._tell_plugins("after_test_run", argument, hand)

    async def _tell_plugins(self, hook: str, argument: Told, hand: InHand) -> None:
        """Calls one hook of every plugin that was not called for what is in hand."""
        for call in self._backlog.registry.calls(hook):
            if hand.begin(call.plugin):
                await self.caller.run(call, argument, patience=PATIENCE)
                hand.finish(call.plugin)


def _tell_error(error: BaseException) -> None:
    if not isinstance(error, AbandonedError):
        _log.error("the thread of the plugins came to an end it should not", exc_info=error)
