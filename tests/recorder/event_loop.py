"""An async test in a loop of its own, with an end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

DEADLINE_S = 240


def in_loop(test: Coroutine[Any, Any, None]) -> None:
    """Runs the test. Raises ``TimeoutError`` when it has not ended in time."""

    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await test

    asyncio.run(bounded())
