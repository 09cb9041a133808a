"""The one connection that writes: a thread that commits queued batches in groups."""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Condition, Thread
from time import monotonic, time
from typing import TypeVar

from pytest_semantest.protocol.events import RUN_CONTEXT
from semantest_recorder.core.batch import Batch, Committed, Refused, Verdict
from semantest_recorder.core.measures import StoreMeasures
from semantest_recorder.store.aliases import detect_aliases
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.log_size import LogBound
from semantest_recorder.store.opening import is_corruption, open_for_writing
from semantest_recorder.store.removal import OpenFiles, carry_over, complete
from semantest_recorder.store.schema import SCHEMA_VERSION

_log = logging.getLogger(__name__)
T = TypeVar("T")
Done = Callable[[Verdict], None]
#: A piece of other work, in transactions of its own; ``True`` when there is more of it to do.
Work = Callable[[Ingest], bool]
#: Called with what ended the work: nothing when it is done, else the error.
Ended = Callable[[Exception | None], None]

#: What one transaction takes at most: large enough for speed, small enough for a quick ack.
MAX_BATCHES = 64
MAX_EVENTS = 20_000
#: After so many seconds without a batch, runs that are closed leave the memory.
_IDLE = 30.0


def wall_ms() -> float:
    """Milliseconds since the epoch."""
    return time() * 1000.0


class Writer:
    """Opens (creates, migrates) the database at ``path`` and starts the writer thread.

    ``notices`` are lines for the user about what opening found, such as a corrupt file that was set aside; more may
    follow when the file turns out to be corrupt, or is removed, in use. ``run_closed`` is called in the writer thread
    with the id of each run that closed, after the commit and the verdicts; it should be short. ``own_place``: see
    ``open_for_writing``. Raises ``DatabaseTooNew``, ``NotOurs``, ``NotADatabase`` or ``CannotOpen`` (store/errors.py).
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = wall_ms,
        run_closed: Callable[[str], None] | None = None,
        own_place: bool = True,
    ) -> None:
        self.path = Path(path)
        self._own_place = own_place
        self._run_closed = run_closed
        self._clock = clock
        #: Whether there still is a token of this name: else what it began is anybody's. Asked in the writer thread.
        self.is_valid: Callable[[str], bool] = lambda _name: True
        self._connection, self.notices = open_for_writing(self.path, clock, own_place=own_place)
        self._files = OpenFiles(self.path)
        self._log_bound = LogBound(self.path)
        self._ingest = self._ingest_of(self._connection)
        self._queue: deque[tuple[Batch, Done]] = deque()
        self._other: deque[tuple[Work, Ended]] = deque()
        self._changed = Condition()
        self._pending = 0
        self.measures = StoreMeasures()
        self._closing = False
        #: Whether the database was corrupt and no other could be opened yet.
        self._lost = False
        self._thread = Thread(target=self._work, name="semantest-writer", daemon=True)
        self._thread.start()

    @property
    def pending_events(self) -> int:
        """Events that were submitted and not yet answered."""
        return self._pending

    def submit(self, batch: Batch, done: Done) -> None:
        """Queues the batch; ``done`` is called in the writer thread after its commit or its refusal.

        Never blocks. Raises ``RuntimeError`` after ``close``.
        """
        with self._changed:
            if self._closing:
                raise RuntimeError("the writer is closed")
            self._queue.append((batch, done))
            self._pending += len(batch.events)
            self._changed.notify()

    def between(self, work: Work, ended: Ended) -> None:
        """Queues other work on the database, done a piece at a time between the groups of batches.

        ``work`` is called in the writer thread, again and again until it says that it is done or raises; each call
        should be short, for batches wait meanwhile. ``ended`` is called there, too. What is left when the writer
        closes ends with ``RuntimeError``. Never blocks. Raises ``RuntimeError`` after ``close``.
        """
        with self._changed:
            if self._closing:
                raise RuntimeError("the writer is closed")
            self._other.append((work, ended))
            self._changed.notify()

    def read_through(self) -> None:
        """Reads every page of the database, however large it is, and begins anew when one is damaged.

        Returns when that is done. Raises ``StoreError`` when no database can be opened now, ``RuntimeError`` after
        ``close``.
        """
        done: Future[None] = Future()

        def work(_ingest: Ingest) -> bool:
            self._lost = True  # should it fail, what comes next tries again
            self._begin_anew()
            return False

        def ended(failure: Exception | None) -> None:
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)

        self.between(work, ended)
        done.result()

    def try_out(self, done: Callable[[bool], None]) -> None:
        """Writes what is there already; ``done`` is told in the writer thread whether the database takes something.

        Never blocks. Raises ``RuntimeError`` after ``close``.
        """
        taken = False

        def work(_ingest: Ingest) -> bool:
            nonlocal taken
            taken = self._takes_something()
            return False

        self.between(work, lambda _failure: done(taken))

    def close(self) -> None:
        """Commits and answers everything that is queued, then stops the thread and closes the database."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._connection.close()

    def _ingest_of(self, connection: sqlite3.Connection) -> Ingest:
        return Ingest(connection, lambda name: self.is_valid(name))  # noqa: PLW0108 - it is set later

    def _work(self) -> None:
        while True:
            group = self._next()
            if group:
                self._take(group)
            elif self._closing and not self._queue:  # nothing is queued any more once it closes
                break
            if self._other and not self._closing:
                self._do_other_work()
        while self._other:
            _call(self._other.popleft()[1], RuntimeError("the recorder is stopping"))

    def _take(self, group: list[tuple[Batch, Done]]) -> None:
        began_s = monotonic()
        verdicts = self._commit([batch for batch, _done in group])
        self.measures.commits.observe(monotonic() - began_s)
        with self._changed:
            self._pending -= sum(len(batch.events) for batch, _done in group)
        for (_batch, done), verdict in zip(group, verdicts, strict=True):
            _call(done, verdict)
        closed = self._ingest.take_closed()
        for run in closed:
            self.measures.ended_runs[run.state] += 1
            self.measures.ended_tests.update(run.tests)
            _log.info(
                "run %s is over: %s", run.run_id, run.state, extra={"fields": {"run": run.run_id, "state": run.state}}
            )
            if self._run_closed is not None:
                _call(self._run_closed, run.run_id)
        for run_id in dict.fromkeys([*(run.run_id for run in closed), *_runs_with_context(verdicts)]):
            _call(self._detect_aliases, run_id)
        self._log_bound.keep(self._connection)

    def _detect_aliases(self, run_id: str) -> None:
        detect_aliases(self._ingest, run_id)

    def _do_other_work(self) -> None:
        """The next piece of the work that was asked for first."""
        work, ended = self._other[0]
        try:
            if self._lost:
                self._begin_anew()
            if work(self._ingest):
                return
            failure = None
        except Exception as error:  # noqa: BLE001 - the thread must live on
            _log.warning("other work on the database ended: %s", error)
            self._lost = self._lost or is_corruption(error)
            failure = error
        self._other.popleft()
        _call(ended, failure)

    def _commit(self, batches: list[Batch]) -> list[Verdict]:
        """A verdict for each batch, whatever happens."""
        try:
            if self._lost:
                self._begin_anew()
            if not self._files.are_in_place():  # before the commit: what is refused is stored nowhere
                self._go_on_elsewhere([])
            verdicts = self._ingest.commit(batches)
            if not self._files.are_in_place():  # and behind it: what is acknowledged is in the file
                self._go_on_elsewhere(verdicts)
            return verdicts
        except Exception as error:  # noqa: BLE001 - the thread must answer and live on
            _log.exception("the database could not be written")
            if is_corruption(error):
                self._lost = True
                try:
                    self._begin_anew()
                except Exception:  # noqa: BLE001 - the next group tries again
                    _log.exception("the database could not be opened again")
            message = f"the database could not be written: {error}"
            return [Refused(batch.source, "STORE_ERROR", message) for batch in batches]

    def _takes_something(self) -> bool:
        try:
            if not self._files.are_in_place():
                self._go_on_elsewhere([])
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except (sqlite3.Error, StoreError) as error:
            self._lost = self._lost or is_corruption(error)
            return False
        return True

    def _next(self) -> list[tuple[Batch, Done]]:
        """The batches of the next transaction; none when there is other work to do, or the writer is closed."""
        with self._changed:
            while not self._queue:
                if self._closing or self._other:
                    return []
                if not self._changed.wait(_IDLE):
                    self._ingest.evict_closed()
            group: list[tuple[Batch, Done]] = []
            events = 0
            while self._queue and len(group) < MAX_BATCHES and events < MAX_EVENTS:
                group.append(self._queue.popleft())
                events += len(group[-1][0].events)
            return group

    def _begin_anew(self) -> None:
        """Reads the database through, sets it aside when it is corrupt; what clients still have, they send again.

        Raises ``StoreError`` when no database can be opened now.
        """
        self._connection.close()
        own = self._own_place or self._files.are_in_place()  # then it was ours, whatever became of it
        self._connection, notices = open_for_writing(self.path, self._clock, check_all=True, own_place=own)
        self._files = OpenFiles(self.path)
        self.notices += notices
        self._ingest = self._ingest_of(self._connection)
        self._lost = False

    def _go_on_elsewhere(self, verdicts: list[Verdict]) -> None:
        """Goes on in the file that is at the path now, a new one if there is none, with what is still recorded.

        Raises ``StoreError`` when that is not possible now: the removed file stays in use, nothing is acknowledged,
        and the next group tries again.
        """
        removed = self._connection
        complete(removed)
        self._files.clear_the_way()
        connection, notices = open_for_writing(self.path, self._clock, check_all=True, own_place=self._own_place)
        files, ingest = OpenFiles(self.path), self._ingest_of(connection)
        try:
            run_ids = {verdict.run_id for verdict in verdicts if isinstance(verdict, Committed)}
            carry_over(removed, ingest, run_ids, self.path)
        except BaseException:
            connection.close()
            raise
        self._connection, self._files, self._ingest = connection, files, ingest
        removed.close()
        notice = f"{self.path} was removed or replaced while the recorder ran: it goes on in the file that is there now"
        self.notices += [*notices, notice]
        _log.warning("%s", notice)


def _runs_with_context(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Runs whose branch became known, which may be behind their end."""
    for verdict in verdicts:
        if isinstance(verdict, Committed) and any(event.type == RUN_CONTEXT for event in verdict.fresh):
            yield verdict.run_id


def _call(receiver: Callable[[T], None], value: T) -> None:
    try:
        receiver(value)
    except Exception:  # noqa: BLE001 - a fault of the receiver is not the store's
        _log.exception("the receiver of %r raised", type(value).__name__)
