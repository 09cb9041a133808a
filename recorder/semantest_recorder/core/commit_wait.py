"""For how long batches wait for the store: one that hangs refuses nothing, it just does not answer (pure)."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Final

#: A store that answers nothing for so long, though something waits, hangs: its disk, or a plugin before it.
STALLED_MS: Final = 10_000.0


class CommitWait:
    """Batches are answered in the order in which they came. Times are in milliseconds.

    ``answered`` may be called from another thread than the rest.
    """

    def __init__(self) -> None:
        self._came: deque[float] = deque()
        self._answered_ms = 0.0

    def came(self, now_ms: float) -> None:
        """A batch waits from now on."""
        self._came.append(now_ms)

    def answered(self, now_ms: float) -> None:
        """The one that waited longest waits no more."""
        self._answered_ms = now_ms
        with suppress(IndexError):
            self._came.popleft()

    def oldest_ms(self, now_ms: float) -> float:
        """For how long the one that waits longest has been waiting; 0 when none does."""
        try:
            return max(0.0, now_ms - self._came[0])
        except IndexError:
            return 0.0

    def stalled_ms(self, now_ms: float) -> float:
        """For how long nothing was answered although something waits."""
        return min(self.oldest_ms(now_ms), max(0.0, now_ms - self._answered_ms))
