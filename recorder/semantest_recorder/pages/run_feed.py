"""Which runs something happened to, told to all pages that want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from semantest_recorder.core.active_runs import OPEN_STATES
from semantest_recorder.core.batch import Committed
from semantest_recorder.pages.watcher import Watcher
from semantest_recorder.server.peer import text_frame

#: How long a run's beginning or end waits for others, and what only goes on, in seconds.
_SOON_S: Final = 0.1
_LATER_S: Final = 1.0

_encode = msgspec.json.Encoder().encode


class RunFeed:
    """``clock`` gives milliseconds since the epoch. Lives in the event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.watchers: set[Watcher] = set()
        self._clock = clock
        self._states: dict[str, str] = {}
        self._news: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0

    def note(self, verdict: Committed) -> None:
        """Something was committed."""
        if not verdict.run_state:
            return
        run_id, state = verdict.run_id, verdict.run_state
        self._news[run_id] = state
        loop = asyncio.get_running_loop()
        is_new = self._states.get(run_id) != state
        self._states[run_id] = state
        if state not in OPEN_STATES:
            self._states.pop(run_id)
        due = loop.time() + (_SOON_S if is_new else _LATER_S)
        if self._timer is None or due < self._due_s:
            if self._timer is not None:
                self._timer.cancel()
            self._due_s, self._timer = due, loop.call_at(due, self._tell)

    def close(self) -> None:
        """Nobody is told anything any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self) -> None:
        self._timer, news = None, list(self._news.items())
        self._news = {}
        told = [{"run": run_id, "state": state} for run_id, state in news]
        wire = text_frame(_encode({"now": self._clock(), "runs": told}))
        for watcher in self.watchers:
            watcher.send(wire)
