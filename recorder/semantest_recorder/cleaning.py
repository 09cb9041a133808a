"""Work on the database by the recorder itself, such as a cleanup: the writer does it between batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from semantest_recorder.store.cleanup import Cleaned, Cleanup
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.writer import Work, Writer

_log = logging.getLogger(__name__)


def resume(writer: Writer) -> None:
    """Deletes what a cleanup that was cut short has left."""
    writer.between(Cleanup().step, _ended)


class Cleaner:
    """Lives in the event loop; ``clock`` gives milliseconds since the epoch."""

    def __init__(self, writer: Writer, clock: Callable[[], float]) -> None:
        self._writer = writer
        self._clock = clock

    async def clean(self, run_ids: Sequence[str]) -> Cleaned:
        """Deletes the runs; what became of them once no row of them is left.

        Raises ``RuntimeError`` with a text for the user when the database or the end of the recorder stops it.
        """
        cleanup = Cleanup(run_ids, self._clock())
        failure = await _done(self._writer, cleanup.step)
        if failure is not None:
            raise RuntimeError(
                f"the cleanup was cut short ({failure}); what was begun is finished at the recorder's next start"
            )
        _log.info("deleted %d runs", len(cleanup.cleaned.deleted))
        return cleanup.cleaned


async def done_between(writer: Writer, work: Callable[[Ingest], None]) -> None:
    """Does ``work`` in one piece. Raises ``RuntimeError`` with a text for the user when it is not done."""

    def piece(ingest: Ingest) -> bool:
        work(ingest)
        return False

    failure = await _done(writer, piece)
    if failure is not None:
        raise RuntimeError(f"it is not stored: {failure}")


async def _done(writer: Writer, work: Work) -> Exception | None:
    """What ended the work, when it has ended."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Exception | None] = loop.create_future()

    def tell(failure: Exception | None) -> None:
        """Called by the writer's thread."""
        try:
            loop.call_soon_threadsafe(_settle, done, failure)
        except RuntimeError:  # the loop has ended: nobody is left who waits
            _ended(failure)

    writer.between(work, tell)
    return await done


def _settle(done: asyncio.Future[Exception | None], failure: Exception | None) -> None:
    if not done.done():  # whoever asked may be gone
        done.set_result(failure)


def _ended(failure: Exception | None) -> None:
    if failure is not None:
        _log.warning("what a cleanup has left is not deleted yet: %s", failure)
