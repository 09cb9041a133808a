"""Where questions wait for a thread: in turns of those who ask, so that nobody keeps others waiting for long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.server.turns import Turns

T = TypeVar("T")
#: Quick answers that are found at a time, and dear ones: the latter have Python busy, which ingest needs, too.
_QUICK, _DEAR = 2, 1
#: Questions of one client that wait.
WAITING_MAX: Final = 64


class Desk:
    """Finds answers in threads, a few at a time. For one loop."""

    def __init__(self) -> None:
        self._lanes = {
            dear: (DaemonThreads(places, f"semantest-api-{'dear' if dear else 'quick'}"), Turns(places))
            for dear, places in ((False, _QUICK), (True, _DEAR))
        }
        self._waiting = Counter[str]()

    async def ask(self, holder: str, find: Callable[[], T], *, dear: bool = False) -> T:
        """What ``find`` gives, called in a thread when it is the turn of ``holder``.

        Raises what it raises, ``Refusal`` (``RATE_LIMITED``) when too many questions of ``holder`` wait.
        """
        if self._waiting[holder] >= WAITING_MAX:
            raise Refusal("RATE_LIMITED", f"{WAITING_MAX} of your questions wait for an answer: ask again in a moment")
        threads, turns = self._lanes[dear]
        self._waiting[holder] += 1
        try:
            async with turns.turn(holder):
                return await asyncio.get_running_loop().run_in_executor(threads, find)
        finally:
            self._waiting[holder] -= 1
            if not self._waiting[holder]:
                del self._waiting[holder]
