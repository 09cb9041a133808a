"""How many lines of one kind the log takes: strangers can order as many refusals as they like."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import TextIO

#: Lines of one kind within one second; the others are counted.
MOST = 10
_WINDOW_S = 1.0
_KINDS_MAX = 1000


class Ration:
    """Counts lines by their kind; ``now`` is in seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._windows: dict[Hashable, list[float]] = {}  # begin, admitted, left out

    def admits(self, kind: Hashable, now: float) -> bool:
        """Whether one more line of this kind is written."""
        if len(self._windows) >= _KINDS_MAX and kind not in self._windows:
            self._windows.clear()
        window = self._windows.setdefault(kind, [now, 0, 0])
        if window[1] < MOST:
            window[1] += 1
            return True
        window[2] += 1
        return False

    def over(self, now: float) -> Iterator[tuple[Hashable, int]]:
        """Forgets the kinds whose second is over, and gives those of which lines were left out, with how many."""
        for kind, (begin, _admitted, left_out) in list(self._windows.items()):
            if now - begin >= _WINDOW_S:
                del self._windows[kind]
                if left_out:
                    yield kind, int(left_out)


class RationedHandler(logging.StreamHandler[TextIO]):
    """Writes records to a stream, of each kind (the place that logs) so many in a second, then one that counts.

    The count is written with the next record that comes, whatever its kind, or at the end.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        super().__init__(stream)
        self._clock = clock
        self._ration = Ration()

    def emit(self, record: logging.LogRecord) -> None:
        """One record; called under the handler's lock."""
        now = self._clock()
        for kind, count in self._ration.over(now):
            super().emit(_summary(kind, count))
        if self._ration.admits((record.name, record.levelno, str(record.msg)[:200]), now):
            super().emit(record)

    def close(self) -> None:
        """Writes the counts that are due; the end of the process calls it."""
        with suppress(OSError, ValueError):  # the stream has gone
            for kind, count in self._ration.over(math.inf):
                super().emit(_summary(kind, count))
        super().close()


def _summary(kind: Hashable, count: int) -> logging.LogRecord:
    name, level, text = kind if isinstance(kind, tuple) else ("", logging.WARNING, "")
    return logging.LogRecord(name, level, "", 0, "and %d more lines such as: %s", (count, text), None)
