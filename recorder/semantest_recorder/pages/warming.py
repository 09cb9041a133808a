"""What takes long is found again after a run has ended, before somebody asks: one by one, while little comes in."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from semantest_recorder.core.active_runs import OPEN_STATES
from semantest_recorder.core.batch import Committed
from semantest_recorder.daemon_threads import DaemonThreads

#: For how long it is looked before each work, in seconds, whether many events come, and how many that are.
_STEP_S: Final = 0.25
_MANY: Final = 50
#: Runs that ended of which comparisons are found.
_RUNS: Final = 4
#: So many times as long as a work took passes before the next one.
_REST: Final = 1

_log = logging.getLogger(__name__)

Work = Callable[[], object]


class Warming:
    """``works`` gives what to find when runs (ids, the last to end first) have ended; each is called in a thread.

    Lives in the event loop.
    """

    def __init__(self, works: Callable[[list[str]], Iterable[Work]], step_s: float = _STEP_S) -> None:
        self._works = works
        self._step_s = step_s
        self._thread = DaemonThreads(1, "semantest-warming")
        self._ended: dict[str, None] = {}
        self._to_do: deque[Work] = deque()
        self._came = 0
        self._not_before_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def note(self, verdict: Committed) -> None:
        """Something was committed."""
        self._came += len(verdict.fresh)
        if verdict.run_state and verdict.run_state not in OPEN_STATES:
            self._ended.pop(verdict.run_id, None)
            self._ended[verdict.run_id] = None
            while len(self._ended) > _RUNS:
                del self._ended[next(iter(self._ended))]
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._ended or self._to_do:
                await asyncio.sleep(self._not_before_s - loop.time())
                self._came = 0
                await asyncio.sleep(self._step_s)
                if self._came >= _MANY:
                    continue
                if self._ended:
                    runs, self._ended = [*reversed(self._ended)], {}
                    self._to_do = deque(self._works(runs))
                if self._to_do:
                    await self._do(self._to_do.popleft())
        finally:
            self._task = None

    async def _do(self, work: Work) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            await loop.run_in_executor(self._thread, work)
        except Exception:  # noqa: BLE001 - whoever asks for it is told
            _log.debug("what was to be ready could not be found", exc_info=True)
        ended_s = loop.time()
        self._not_before_s = ended_s + _REST * (ended_s - began_s)
