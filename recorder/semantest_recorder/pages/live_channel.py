"""Runs that somebody watches: one state for each, kept by what is committed, and told to all who watch at once.

Nothing is computed while nobody watches. All of it lives in the event loop, but for what is read from the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_semantest.protocol.events import WORKER_STACK
from semantest_recorder.answers.live_look import STACKS
from semantest_recorder.answers.watched_run import UsualTimes, followed_run
from semantest_recorder.core.batch import Committed, RawEvent
from semantest_recorder.core.live_log import LiveLog
from semantest_recorder.core.stack_dump import StackDump, stack_dump
from semantest_recorder.core.watched_run import WatchedRun
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.pages.live_sections import log_section, sections_of, stack_section
from semantest_recorder.pages.run_feed import RunFeed
from semantest_recorder.pages.watcher import Watcher
from semantest_recorder.reports.live import Usual
from semantest_recorder.reports.live_look import LiveLook, look_at
from semantest_recorder.server.peer import text_frame
from semantest_recorder.store.errors import RunNotFound

#: Between two frames, in seconds.
STEP_S: Final = 0.1
#: Lines of one frame: where there are more, they go by faster than anybody reads.
_FLOOD: Final = 12
#: Rate and expected end change without any event: so often, while a test runs.
_TICK_S: Final = 1.0
#: How long a test runs before it is looked up how long it usually takes.
_LONG_S: Final = 0.3
#: What went wrong is tried again after so long.
_AGAIN_S: Final = 1.0

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class LiveChannel:
    """``clock`` gives milliseconds since the epoch."""

    def __init__(self, database: Path, clock: Callable[[], float]) -> None:
        self._database = database
        self.clock = clock
        self._threads = DaemonThreads(1, "semantest-live")
        self._runs: dict[str, _WatchedByMany] = {}
        #: Others that are told of every commit.
        self.listeners: list[Callable[[Committed], None]] = []
        self._feed = RunFeed(clock)

    def note(self, verdict: Committed) -> None:
        """Something was committed."""
        for listener in self.listeners:
            listener(verdict)
        if self._feed.watchers:
            self._feed.note(verdict)
        watched = self._runs.get(verdict.run_id)
        if watched is not None and verdict.fresh:
            watched.note(verdict)

    def join(self, run_id: str | None, watcher: Watcher) -> None:
        """Somebody watches a run, or with ``None`` which runs there are; until ``leave``."""
        if run_id is None:
            self._feed.watchers.add(watcher)
            return
        watched = self._runs.get(run_id)
        if watched is None:
            watched = self._runs[run_id] = _WatchedByMany(self._database, run_id, self.clock, self._threads)
        watched.join(watcher)

    def leave(self, run_id: str | None, watcher: Watcher) -> None:
        """Somebody has gone."""
        self._feed.watchers.discard(watcher)
        watched = self._runs.get(run_id) if run_id is not None else None
        if watched is not None and run_id is not None:
            watched.watchers.discard(watcher)
            if not watched.watchers:
                watched.close()
                del self._runs[run_id]

    def close(self) -> None:
        """Nobody is told anything any more."""
        for watched in self._runs.values():
            watched.close()
        self._feed.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


class _WatchedByMany:
    """One run, and who watches it."""

    def __init__(self, database: Path, run_id: str, clock: Callable[[], float], threads: DaemonThreads) -> None:
        self.watchers: set[Watcher] = set()
        self._database, self._run_id = database, run_id
        self._clock, self._threads = clock, threads
        self._loop = asyncio.get_running_loop()
        self._state: WatchedRun | None = None
        #: Committed while the state was read.
        self._pending: list[Committed] = []
        self._log, self._told_lines = LiveLog(), 0
        self._stacks: deque[StackDump] = deque(maxlen=STACKS)
        self._new_stacks = 0
        self._sent: dict[str, bytes] = {}
        self._usual: dict[str, Usual | None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last_s = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_reading = False
        self._read()

    def join(self, watcher: Watcher) -> None:
        """One more; it is told all there is as soon as that is known."""
        self.watchers.add(watcher)
        if self._sent:
            whole = {
                "wholeLog": _encode(log_section(self._log.since(0))),
                "stacks": _encode(stack_section(self._stacks)),
            }
            watcher.tell(self._frame(self._sent | whole))

    def note(self, verdict: Committed) -> None:
        """Events of this run were committed."""
        self._pending.append(verdict)
        self._look_soon()

    def close(self) -> None:
        """Nobody watches any more."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    # -- the state ---------------------------------------------------------------------------------------------

    def _read(self) -> None:
        if not self._is_reading:
            self._is_reading, self._state = True, None
            self._begin(self._read_state())

    async def _read_state(self) -> None:
        """The database's rows; what was committed meanwhile is known already, or comes behind them."""
        try:
            self._state, self._log = await self._loop.run_in_executor(
                self._threads, followed_run, self._database, self._run_id
            )
            self._told_lines = -1
        except RunNotFound:
            if not self._pending:
                return  # it may begin yet
            self._pending.clear()  # it began meanwhile
        except Exception:  # noqa: BLE001 - whatever it is, somebody watches: it is tried again
            _log.exception("run %s cannot be watched, trying on", self._run_id)
            await asyncio.sleep(_AGAIN_S)
        finally:
            self._is_reading = False
        self._look_soon()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take_pending(self, state: WatchedRun) -> bool:
        """Whether the state is whole: nothing was missing between what it knew and what came."""
        pending, self._pending = self._pending, []
        for verdict in pending:
            first_seq = verdict.seq - len(verdict.fresh) + 1
            fresh = verdict.fresh[max(0, state.last_seq(verdict.source) - first_seq + 1) :]
            try:
                taken = state.take(verdict.source, first_seq, verdict.fresh)
            except Exception:  # noqa: BLE001 - the store met the same, and said so
                _log.exception("an event of %s cannot be shown", verdict.source)
                taken = "gap"
            if taken == "gap":
                return False
            if taken == "new":
                self._take_lines(verdict.worker, fresh)
        return True

    def _take_lines(self, worker: str, events: Sequence[RawEvent]) -> None:
        self._log.take(worker, events)
        for event in events:
            if event.type == WORKER_STACK and (dump := stack_dump(event)) is not None:
                self._stacks.append(dump)
                self._new_stacks += 1

    # -- looks -------------------------------------------------------------------------------------------------

    def _look_soon(self, delay_s: float = 0.0) -> None:
        """Not before a step has passed since news were looked at; what is due sooner goes before what is due later."""
        due = max(self._last_s + STEP_S, self._loop.time() + delay_s)
        if self._timer is not None and self._timer.when() <= due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._pending:  # news do not wait because time has passed
            self._last_s = self._loop.time()
        state = self._state
        if state is None or not self._take_pending(state):
            self._read()
            return
        now_ms = self._clock()
        state.settle(now_ms)
        look = look_at(state, now_ms, self._usual.get)
        encoded = {name: _encode(section) for name, section in sections_of(look).items()}
        changed = {name: text for name, text in encoded.items() if self._sent.get(name) != text}
        if self._told_lines != self._log.taken:
            if self._told_lines >= 0:
                changed["log"] = _encode(log_section(self._log.since(self._told_lines, _FLOOD)))
            else:
                changed["wholeLog"] = _encode(log_section(self._log.since(0)))
            self._told_lines = self._log.taken
        if self._new_stacks:
            changed["stacks"] = _encode(stack_section(list(self._stacks)[-self._new_stacks :]))
            self._new_stacks = 0
        if changed:
            self._tell(changed)
            self._sent = encoded
        self._look_up_usual(look)

    def _tell(self, changed: dict[str, bytes]) -> None:
        wire = text_frame(self._frame(changed))
        for watcher in self.watchers:
            watcher.send(wire)

    def _frame(self, sections: dict[str, bytes]) -> bytes:
        body = b",".join(b'"%b":%b' % (name.encode(), text) for name, text in sections.items())
        return b'{"now":%b,"sections":{%b}}' % (_encode(self._clock()), body)

    def _look_up_usual(self, look: LiveLook) -> None:
        """How long tests usually take that run for a while; most are over before anybody could read it."""
        unknown = [test for test in look.view.running if test.test_id not in self._usual]
        if not unknown:
            if look.view.running or look.left_ms is not None:
                self._look_soon(_TICK_S)
            return
        long = [test.test_id for test in unknown if test.elapsed_ms >= _LONG_S * 1000]
        if not long:
            self._look_soon(_LONG_S)
            return
        self._usual |= dict.fromkeys(long)
        self._begin(self._read_usual(long))

    async def _read_usual(self, test_ids: list[str]) -> None:
        def read() -> dict[str, Usual | None]:
            times = UsualTimes(self._database)
            return {test_id: times.of(test_id) for test_id in test_ids}

        try:
            self._usual |= await self._loop.run_in_executor(self._threads, read)
        except Exception:  # noqa: BLE001 - the run is shown without
            _log.exception("how long tests of run %s usually take cannot be read", self._run_id)
        self._look_soon()
