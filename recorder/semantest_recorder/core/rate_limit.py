"""How many events a client may send: a sliding window over the last second, cut into slices (pure)."""

from __future__ import annotations

from collections import deque

WINDOW_MS = 1000.0
_SLICE_MS = 50.0


class SlidingWindow:
    """Counts what one client sent within the last second.

    Time that goes back a little counts as the last time seen; when the clock was set back, counting begins anew.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._slices: deque[tuple[float, int]] = deque()  # (begin, count), oldest first
        self._used = 0
        self._now = 0.0

    def take(self, count: int, now_ms: float) -> float:
        """0 when ``count`` more fit, which are then counted; else after how many milliseconds they will.

        More than the whole limit at once fit into an empty window: no batch is too large for ever.
        """
        self._slide(now_ms)
        if self._used and self._used + count > self.limit:
            return self._wait(count)
        begin = self._now - self._now % _SLICE_MS
        if self._slices and self._slices[-1][0] == begin:
            begin, before = self._slices.pop()
            self._slices.append((begin, before + count))
        else:
            self._slices.append((begin, count))
        self._used += count
        return 0.0

    def remaining(self, now_ms: float) -> int:
        """How many more fit now."""
        self._slide(now_ms)
        return max(0, self.limit - self._used)

    def _slide(self, now_ms: float) -> None:
        if now_ms < self._now - WINDOW_MS:
            self._slices.clear()
            self._used, self._now = 0, now_ms
        self._now = max(self._now, now_ms)
        while self._slices and self._slices[0][0] + _SLICE_MS + WINDOW_MS <= self._now:
            self._used -= self._slices.popleft()[1]

    def _wait(self, count: int) -> float:
        """Until enough slices have left the window."""
        left = self._used
        for begin, held in self._slices:
            left -= held
            if not left or left + count <= self.limit:
                return max(1.0, begin + _SLICE_MS + WINDOW_MS - self._now)
        return WINDOW_MS
