"""What is said while a shipment takes long. Pure: the time is an argument."""

from __future__ import annotations

#: How often it is said how far a shipment is, in seconds; nothing is said of one that takes less.
EVERY_S = 5.0


class Progress:
    """What to say of one session, begun at ``now`` (seconds of a monotonic clock)."""

    def __init__(self, session: str, now: float) -> None:
        self._session = session
        self._next = now + EVERY_S
        self._trouble: str | None = None

    def line(self, now: float, acked: int, events: int, trouble: str | None = None) -> str | None:
        """A line when there is something to say, ``None`` else.

        ``trouble``, why there is no recorder, is told at once, and again only when it changes.
        """
        told, self._trouble = self._trouble, trouble
        if trouble is not None:
            return None if trouble == told else f"{self._session}: no recorder yet ({trouble}), trying on"
        if now < self._next:
            return None
        self._next = now + EVERY_S
        return f"{self._session}: {acked} of {events} events are acknowledged, going on"
