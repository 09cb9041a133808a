"""The writer's verdicts in the event loop: in their order, and in steps that leave others their turn."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator

from semantest_recorder.core.batch import Verdict
from semantest_recorder.server.peer import Peer

#: What one step publishes at most: messages, and bytes of them.
_STEP_MESSAGES = 500
_STEP_BYTES = 1024 * 1024

_log = logging.getLogger(__name__)


class Delivery:
    """Hands each verdict to ``deliver``, in the running loop; only ``add`` may be called from another thread.

    ``deliver`` gives the size of each message that it publishes, in bytes, when it has been published: it goes on in
    the next turn of the loop when that is enough for one.
    """

    def __init__(self, deliver: Callable[[Peer | None, Verdict, float], Iterator[int]]) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._verdicts: deque[tuple[Peer | None, Verdict, float]] = deque()
        self._present: Iterator[int] | None = None
        self._due = False

    def add(self, peer: Peer | None, verdict: Verdict, came_s: float) -> None:
        """A verdict for ``peer``, if there is one, on what ``came_s``: one wake-up of the loop for all of a commit."""
        self._verdicts.append((peer, verdict, came_s))
        if not self._due:
            self._due = True
            try:
                self._loop.call_soon_threadsafe(self._go_on)
            except RuntimeError:  # the loop has ended: nobody is left who waits for an ack
                _log.debug("verdict for %s came after the end", verdict.source)

    def finish(self) -> None:
        """Delivers all that is there, at once."""
        while self._present is not None or self._verdicts:
            self._step()

    def _go_on(self) -> None:
        """One verdict at a time, so that readers can take what it publishes before the next one adds to it."""
        self._due = False  # before the queue is read: what is added later schedules again
        self._step()
        if self._present is not None or self._verdicts:
            self._due = True
            self._loop.call_soon(self._go_on)

    def _step(self) -> None:
        if self._present is None and self._verdicts:
            self._present = self._deliver(*self._verdicts.popleft())
        try:
            if self._present is None or not _publish_some(self._present):
                self._present = None
        except Exception:  # noqa: BLE001 - the others wait for theirs
            self._present = None
            _log.exception("a verdict could not be delivered in full")


def _publish_some(messages: Iterator[int]) -> bool:
    """Whether there may be more of them."""
    size = 0
    for _ in range(_STEP_MESSAGES):
        published = next(messages, None)
        if published is None:
            return False
        size += published
        if size >= _STEP_BYTES:
            break
    return True
