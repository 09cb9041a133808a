"""Deletion of runs by the recorder itself: the writer does it between the batches that it commits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from semantest_recorder.store.cleanup import Cleaned, Cleanup
from semantest_recorder.store.writer import Writer

_log = logging.getLogger(__name__)


def resume(writer: Writer) -> None:
    """Deletes what a cleanup that was cut short has left."""
    writer.between(Cleanup().step, _ended)


class Cleaner:
    """Lives in the event loop; ``clock`` gives milliseconds since the epoch."""

    def __init__(self, writer: Writer, clock: Callable[[], float]) -> None:
        self._writer = writer
        self._clock = clock
        self._loop = asyncio.get_running_loop()

    async def clean(self, run_ids: Sequence[str]) -> Cleaned:
        """Deletes the runs; what became of them once no row of them is left.

        Raises ``RuntimeError`` with a text for the user when the database or the end of the recorder stops it.
        """
        done: asyncio.Future[Exception | None] = self._loop.create_future()
        cleanup = Cleanup(run_ids, self._clock())
        self._writer.between(cleanup.step, lambda failure: self._tell(done, failure))
        failure = await done
        if failure is not None:
            raise RuntimeError(
                f"the cleanup was cut short ({failure}); what was begun is finished at the recorder's next start"
            )
        _log.info("deleted %d runs", len(cleanup.cleaned.deleted))
        return cleanup.cleaned

    def _tell(self, done: asyncio.Future[Exception | None], failure: Exception | None) -> None:
        """Called by the writer's thread."""
        try:
            self._loop.call_soon_threadsafe(_settle, done, failure)
        except RuntimeError:  # the loop has ended: nobody is left who waits
            _ended(failure)


def _settle(done: asyncio.Future[Exception | None], failure: Exception | None) -> None:
    if not done.done():  # whoever asked may be gone
        done.set_result(failure)


def _ended(failure: Exception | None) -> None:
    if failure is not None:
        _log.warning("what a cleanup has left is not deleted yet: %s", failure)
