"""Tasks of the plugins' thread itself, which plugins find among ``asyncio.all_tasks()`` and cannot cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class OwnTask(asyncio.Task[None]):
    """A task that no other task can cancel; ``refused`` is called when one tries.

    What the loop calls by itself, such as the end of a timeout, can.
    """

    def __init__(
        self, coroutine: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop, refused: Callable[[], None]
    ) -> None:
        super().__init__(coroutine, loop=loop)
        self._refused = refused

    def cancel(self, msg: Any = None) -> bool:
        """Asks it to end, unless a task does so; whether it will."""
        if asyncio.current_task(self.get_loop()) is None:
            return super().cancel(msg)
        self._refused()
        return False

    def end(self) -> None:
        """Asks it to end."""
        super().cancel()
