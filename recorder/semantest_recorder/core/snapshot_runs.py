"""Which runs a snapshot of the tests is made from (pure)."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

#: So many of the newest runs count whatever they ran.
NEWEST: Final = 20
#: An older one counts while fewer than so many newer ones told of as many tests as it planned.
AS_LARGE: Final = 10
#: No more count than that.
MOST: Final = 60


class RunsThatCount:
    """Asked of each run, the newest first.

    Someone who runs one file fifty times still knows all the others from the last complete runs.
    """

    def __init__(self) -> None:
        self._sizes: list[int] = []

    def counts(self, planned: int) -> bool:
        """Whether the next older run, of so many tests, is to be read."""
        if len(self._sizes) >= MOST:
            return False
        as_large = len(self._sizes) - bisect_left(self._sizes, planned)
        return len(self._sizes) < NEWEST or as_large < AS_LARGE

    def take(self, verdicts: int) -> None:
        """A run that counts told so many verdicts: one that was stopped early tells fewer than it planned."""
        insort(self._sizes, verdicts)
