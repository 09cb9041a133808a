"""What answers to all clients wait to be sent: one bound for all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from semantest_recorder.server.peer import Peer

#: What may wait for all clients together, in bytes.
MAX_OUTGOING_BYTES = 256 * 1024 * 1024


class Outgoing:
    """Counts by client what is its own; events, which all readers share, are bounded by the queue of each.

    Beyond ``limit`` bytes ``drop`` is called with the one for whom most waits, until it is enough.
    """

    def __init__(self, limit: int, drop: Callable[[Peer], None]) -> None:
        self._limit = limit
        self._drop = drop
        self._held: Counter[Peer] = Counter()
        self._total = 0

    @property
    def total(self) -> int:
        """What waits for all clients, in bytes."""
        return self._total

    def add(self, peer: Peer, size: int) -> None:
        """So many bytes more wait for the client."""
        self._held[peer] += size
        self._total += size
        while self._total > self._limit:
            most = max(self._held, key=self._held.__getitem__)
            self.forget(most)
            self._drop(most)

    def sent(self, peer: Peer, size: int) -> None:
        """So many bytes of it wait no more; nothing for a client that was forgotten."""
        if peer in self._held:
            self._held[peer] -= size
            self._total -= size

    def forget(self, peer: Peer) -> None:
        """Nothing waits for the client any more."""
        self._total -= self._held.pop(peer, 0)
