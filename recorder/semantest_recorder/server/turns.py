"""Few places for many: who waits for one gets it in turn, however much others ask for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Place = asyncio.Future[None]


class Turns:
    """``places`` at a time; a place that gets free goes to the holder whose turn is longest ago. For one loop."""

    def __init__(self, places: int) -> None:
        self._free = places
        #: By holder those who wait, small things first; the holders in the order of their turns.
        self._waiting: dict[str, tuple[deque[Place], deque[Place]]] = {}

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return sum(len(small) + len(others) for small, others in self._waiting.values())

    @asynccontextmanager
    async def turn(self, holder: str, *, is_small: bool = False) -> AsyncIterator[None]:
        """Waits for a place and has it; of one holder small things go before others, else they keep their order."""
        await self._take(holder, is_small=is_small)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, holder: str, *, is_small: bool) -> None:
        if self._free:
            self._free -= 1
            return
        place: Place = asyncio.get_running_loop().create_future()
        small, others = self._waiting.setdefault(holder, (deque(), deque()))
        (small if is_small else others).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was given, and nobody takes it
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            holder = next(iter(self._waiting))
            small, others = self._waiting.pop(holder)
            place = (small or others).popleft()
            if small or others:
                self._waiting[holder] = small, others  # behind all the others
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
