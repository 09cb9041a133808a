"""How long to wait between tries that fail. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

FIRST = 0.1
LONGEST = 5.0


@dataclass(slots=True)
class Backoff:
    """Doubling waits in seconds with jitter, from ``first`` to ``longest``; ``reset`` on progress."""

    first: float = FIRST
    longest: float = LONGEST
    source: random.Random = field(default_factory=random.Random)
    _tries: int = 0

    def next(self) -> float:
        """The next wait: between half of the doubled wait and all of it, so that many shippers do not march in step."""
        wait = min(self.first * 2.0 ** min(self._tries, 16), self.longest)
        self._tries += 1
        return wait * (0.5 + self.source.random() / 2)

    def reset(self) -> None:
        """Starts again at ``first``."""
        self._tries = 0
