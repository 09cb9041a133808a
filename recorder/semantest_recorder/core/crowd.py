"""Attempts at one test when they are many: found by source and number instead of one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from semantest_recorder.core.rows import AttemptRow

#: From so many attempts on a test has a crowd of them; nearly all tests have one or two.
CROWDED: Final = 16
#: A source has no attempt at a test with a higher number: a run of a client may ask for 1,000 retries.
ATTEMPTS_MAX: Final = 2000


class Crowd:
    """``everyone`` are all attempts, in the order in which they came."""

    __slots__ = ("_last", "_of_source", "everyone")

    def __init__(self, attempts: Iterable[AttemptRow]) -> None:
        self.everyone: list[AttemptRow] = []
        self._of_source: dict[str, dict[int, AttemptRow]] = {}
        #: Of those that have started, the one with the highest number.
        self._last: dict[str, AttemptRow] = {}
        for attempt in attempts:
            self.add(attempt)

    def add(self, attempt: AttemptRow) -> None:
        """One more."""
        self.everyone.append(attempt)
        self._of_source.setdefault(attempt.source, {})[attempt.attempt] = attempt
        if attempt.started_ms is not None:
            self.has_started(attempt)

    def remove(self, attempt: AttemptRow) -> None:
        """Takes back one that never started."""
        self.everyone = [other for other in self.everyone if other is not attempt]
        del self._of_source[attempt.source][attempt.attempt]

    def find(self, source: str, number: int) -> AttemptRow | None:
        """The attempt of this number in a source."""
        return self._of_source.get(source, {}).get(number)

    def of(self, source: str) -> list[AttemptRow]:
        """Those of a source."""
        return list(self._of_source.get(source, {}).values())

    def has_started(self, attempt: AttemptRow) -> None:
        """One of them has a time now."""
        last = self._last.get(attempt.source)
        if last is None or last.attempt < attempt.attempt:
            self._last[attempt.source] = attempt

    def last(self, source: str) -> AttemptRow | None:
        """Of those of a source that have started, the one with the highest number."""
        return self._last.get(source)
