"""Batches into the database: one transaction for many, a verdict for each."""

from __future__ import annotations

import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from pytest_semantest.protocol.identity import source_name
from semantest_recorder.core.batch import NEXT_SEQ, Batch, Committed, RawEvent, Refused, Verdict
from semantest_recorder.core.facts import opening_of
from semantest_recorder.core.payloads import MalformedError
from semantest_recorder.store.log_size import empty_log
from semantest_recorder.store.marks import behind_opening, first_other, marks_of, without_opening, write_marks
from semantest_recorder.store.opening import is_corruption
from semantest_recorder.store.origin import Origin, RefusedBatchError, claim, claim_session, gap, refuse
from semantest_recorder.store.payload_text import text_of, texts_of
from semantest_recorder.store.recording import SQL, Keys, RecordedRun
from semantest_recorder.store.unusable import unusable

_log = logging.getLogger(__name__)

#: After so many events in a row that the database refused, the rest of a batch goes to quarantine untried: each try
#: loads the run anew.
_REFUSALS = 20
#: Runs and tests that are kept in memory between batches.
MAX_RUNS = 64
MAX_TESTS = 400_000
#: A run of so many sources is settled once per transaction instead of behind each batch: all of them are looked at.
MANY_SOURCES = 200


class Removed(NamedTuple):
    """Runs and tests that are not in the database any more."""

    run_ids: Sequence[str] = ()
    test_ids: Sequence[str] = ()


class ClosedRun(NamedTuple):
    """A run that was closed: its state then, and how many tests were in which final state."""

    run_id: str
    state: str
    tests: dict[str, int]


class Ingest:
    """Applies batches to the database behind ``connection``, which nobody else writes to.

    ``is_valid`` tells whether there still is a token of a name.
    """

    def __init__(self, connection: sqlite3.Connection, is_valid: Callable[[str], bool] = lambda _name: True) -> None:
        self._connection = connection
        self._is_valid = is_valid
        self._forget()

    def _forget(self) -> None:
        """Drops all that is known in memory: a rolled back transaction may have changed it."""
        self._keys = Keys(self._connection)
        self._runs: OrderedDict[str, RecordedRun] = OrderedDict()
        self._origins: dict[str, Origin] = {}
        self._touched: dict[str, RecordedRun] = {}
        #: What runs of many sources are told when the transaction ends.
        self._unsettled: dict[str, list[Committed]] = {}
        self._closed: list[ClosedRun] = []

    def commit(self, batches: Sequence[Batch]) -> list[Verdict]:
        """One transaction for all batches; a verdict for each, in order.

        An event that the database refuses is put into quarantine without harm to others. When the database cannot
        be written at all, every verdict is ``STORE_FULL`` or ``STORE_ERROR``. Raises ``sqlite3.Error`` when the file
        is corrupt.
        """
        try:
            return self._commit(batches)
        except Exception as error:
            self._roll_back()
            if is_corruption(error):
                raise
            refused = unusable(error)
            if refused is not None:
                return [Refused(batch.source, *refused) for batch in batches]
            if len(batches) > 1:
                return [self.commit([batch])[0] for batch in batches]
            _log.exception("a batch of %s could not be applied: going event by event", batches[0].source)
        try:
            return [self._commit_singly(batches[0])]
        except sqlite3.Error as error:
            self._roll_back()
            if is_corruption(error):
                raise
            code, message = unusable(error) or ("STORE_ERROR", str(error))
            return [Refused(batches[0].source, code, message)]

    def take_closed(self) -> list[ClosedRun]:
        """The runs that were closed since the last call."""
        closed, self._closed = self._closed, []
        return closed

    def evict_closed(self) -> None:
        """Forgets runs that are closed; one is loaded again should an event of it come."""
        for run_id in [run_id for run_id, run in self._runs.items() if run.state.closing.closed]:
            self._evict(run_id)

    def between(self, work: Callable[[sqlite3.Connection], Removed]) -> None:
        """One transaction of other work than taking batches; what it removes is forgotten here as well.

        Raises what ``work`` raises, and ``sqlite3.Error``; nothing of the work is done then.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            removed = work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._keys.forget(removed.test_ids)
        for run_id in removed.run_ids:
            self._runs.pop(run_id, None)
        if removed.run_ids:
            self._origins.clear()

    def empty_log(self) -> None:
        """Writes the log back and shortens it to nothing, unless somebody reads in it: nobody is waited for."""
        empty_log(self._connection)

    def _commit(self, batches: Sequence[Batch]) -> list[Verdict]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        self._expect(batches)
        verdicts: list[Verdict] = []
        for batch in batches:
            try:
                verdicts.append(self._take(batch))
            except RefusedBatchError as refusal:
                verdicts.append(refusal.verdict)
        self._write()
        connection.execute("COMMIT")
        self._bound()
        return verdicts

    def _expect(self, batches: Sequence[Batch]) -> None:
        """These are taken in this transaction, all before anything that follows from them is written."""

    def _take(self, batch: Batch) -> Committed:
        batch = self._placed(batch)
        if (deleted := self._deleted(batch)) is not None:
            return deleted
        origin = self._origin(batch)
        if origin is None:
            return Committed(batch.source, 0)
        claim(self._connection, batch, origin, self._is_valid)
        fresh = self._fresh(batch, origin)
        committed = Committed(batch.source, origin.last_seq, origin.run_id, origin.worker, fresh)
        if fresh:
            first = origin.last_seq + 1
            run = self._run(origin.run_id)
            self._append(origin, first, fresh, batch.received_ms)
            write_marks(self._connection, origin.source_key, batch, first)
            self._apply(run, origin, batch.source, first, fresh)
            committed.seq = origin.last_seq = first + len(fresh) - 1
            self._unsettled.setdefault(origin.run_id, []).append(committed)
            if len(run.state.sources) < MANY_SOURCES:
                self._settle(origin.run_id)
        return committed

    def _settle(self, run_id: str) -> None:
        """Brings a run up to date, and tells so with the batches that changed it."""
        state = self._touched[run_id].state
        told = self._unsettled.pop(run_id)
        told[-1].derived = state.settle()
        for committed in told:
            committed.run_state = state.run.state
            committed.main_ended = state.has_main_ended(committed.source)

    def _placed(self, batch: Batch) -> Batch:
        """The batch with the seq that is next for its source, when it has none."""
        if batch.first_seq != NEXT_SEQ:
            return batch
        origin = self._known(batch.source)
        last = origin.last_seq if origin is not None else 0
        opening = [batch.opening] if batch.opening is not None and not last else []
        marks = behind_opening(batch.marks) if opening else without_opening(batch.marks)
        return Batch(batch.source, last + 1, [*opening, *batch.events], batch.received_ms, marks=marks)

    def _known(self, source: str) -> Origin | None:
        origin = self._origins.get(source)
        if origin is None:
            row = self._connection.execute(SQL["source"], (source,)).fetchone()
            if row is not None:
                source_key, last_seq, worker, run_id, holder = row
                origin = self._origins[source] = Origin(source_key, last_seq, worker, run_id, holder)
        return origin

    def _deleted(self, batch: Batch) -> Committed | None:
        """What a source is told whose run was deleted: all that it sends is acknowledged, and none of it is kept."""
        if self._known(batch.source) is not None:
            return None
        row = self._connection.execute(SQL["deleted_source"], (batch.source,)).fetchone()
        if row is None:
            return None
        last = max(row[0], batch.first_seq + len(batch.events) - 1)
        if last > row[0]:
            self._connection.execute(SQL["advance_deleted_source"], (batch.source, last))
        return Committed(batch.source, last)

    def _origin(self, batch: Batch) -> Origin | None:
        """Where the batch belongs; ``None`` for an empty batch of a source that is not known."""
        origin = self._known(batch.source)
        if origin is not None and origin.last_seq > 0:
            return origin
        if not batch.events:
            return None
        return self._open(batch, origin)

    def _open(self, batch: Batch, named: Origin | None) -> Origin:
        """A source whose first event is in the batch; ``named``: a crash report named it before."""
        source = batch.source
        if batch.first_seq != 1:
            raise gap(batch, 1)
        try:
            opening = opening_of(batch.events[0])
        except MalformedError as error:
            raise refuse(
                source, "SOURCE_UNKNOWN", f"the first event of {source} does not name its run: {error}"
            ) from None
        if source != source_name(opening.session, opening.worker):
            expected = source_name(opening.session, opening.worker)
            raise refuse(source, "SOURCE_UNKNOWN", f"the source is {source}, its first event says {expected}")
        if named is not None and named.run_id != opening.run_id:
            raise refuse(source, "SOURCE_UNKNOWN", f"{source} belongs to run {named.run_id}, not to {opening.run_id}")
        claim_session(self._connection, batch, opening.session, self._is_valid)
        if named is not None:
            return named
        run = self._run(opening.run_id)
        self._connection.execute(SQL["note_receipt"], (run.run_key, batch.received_ms))
        run.state.source(opening.session, opening.worker)
        key = run.source_key(self._connection, source)
        origin = self._origins[source] = Origin(key, 0, opening.worker, opening.run_id)
        return origin

    def _fresh(self, batch: Batch, origin: Origin) -> list[RawEvent]:
        """The events of the batch that are not stored yet."""
        if batch.first_seq > origin.last_seq + 1:
            raise gap(batch, origin.last_seq + 1)
        if batch.first_seq < 1:
            raise refuse(
                batch.source, "SEQ_CONFLICT", f"{batch.source} has no seq {batch.first_seq}: they begin with 1"
            )
        known = batch.events[: origin.last_seq + 1 - batch.first_seq]
        if not known:
            return batch.events
        last = batch.first_seq + len(known) - 1
        stored = self._connection.execute(SQL["stored_events"], (origin.source_key, batch.first_seq, last)).fetchall()
        others = [
            seq
            for seq, event, (kind, payload) in zip(range(batch.first_seq, last + 1), known, stored, strict=True)
            if event.type != kind or text_of(event) != payload
        ]
        other = first_other(self._connection, origin.source_key, batch, others) if others else None
        if other is not None:
            raise refuse(batch.source, "SEQ_CONFLICT", f"{batch.source} sent another event as seq {other} before")
        return batch.events[len(known) :]

    def _append(self, origin: Origin, first: int, events: list[RawEvent], received_ms: float) -> None:
        key = origin.source_key
        self._connection.execute(SQL["add_batches"], (key, first, first + len(events) - 1, received_ms))
        self._connection.executemany(
            SQL["add_events"],
            (
                (key, seq, event.type, event.timestamp, text)
                for seq, event, text in zip(count(first), events, texts_of(events), strict=False)
            ),
        )

    def _apply(self, run: RecordedRun, origin: Origin, source: str, first: int, events: Sequence[RawEvent]) -> None:
        """Applies events; one whose application raises is put into quarantine and the next one follows."""
        state = run.state
        self._touched[origin.run_id] = run
        while events:
            try:
                state.apply_all(source, first, events)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the stream goes on
                failed = state.sources[source].row.last_seq
                state.miss(state.sources[source])
                _log.exception("event %s:%d could not be applied", source, failed, extra=_about(origin.run_id, source))
                self._quarantine(origin, failed, error)
                events = events[failed - first + 1 :]
                first = failed + 1

    def _quarantine(self, origin: Origin, seq: int, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"[:2000]
        self._connection.execute(SQL["add_quarantine"], (origin.source_key, seq, "failed", reason))

    def _write(self) -> None:
        for run_id in list(self._unsettled):
            self._settle(run_id)
        for run_id, run in self._touched.items():
            run.write(self._connection, self._keys)
            closed = run.state.closing.closed
            if closed and not run.closed:
                self._closed.append(ClosedRun(run_id, run.state.run.state, dict(run.state.counts)))
            run.closed = closed
        self._touched.clear()

    def _commit_singly(self, batch: Batch) -> Verdict:
        """The events of a batch one by one, each undone and put into quarantine when the database refuses it."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        batch = self._placed(batch)
        done = Committed(batch.source, 0)
        refusals: list[Exception] = []
        refused, run_id = False, ""
        for index, event in enumerate(batch.events):
            seq = batch.first_seq + index
            marks = marks_of(batch, index)
            one = Batch(batch.source, seq, [event], batch.received_ms, marks=marks, holder=batch.holder)
            connection.execute("SAVEPOINT one")
            try:
                if len(refusals) < _REFUSALS:
                    taken = self._take(one)
                    self._write()
                    refusals.clear()
                else:
                    taken = self._keep(one, refusals[-1])
                    refused = True
            except RefusedBatchError as refusal:
                self._roll_back()
                return refusal.verdict
            except Exception as error:
                if unusable(error) is not None:
                    raise
                refusals.append(error)
                about = _about(run_id, batch.source)
                _log.warning("the database refused event %s:%d: %s", batch.source, seq, error, extra=about)
                connection.execute("ROLLBACK TO one")
                self._forget()
                taken = self._keep(one, error)
                refused = True
            connection.execute("RELEASE one")
            run_id = taken.run_id or run_id
            done = Committed(
                taken.source,
                taken.seq,
                taken.run_id,
                taken.worker,
                done.fresh + taken.fresh,
                done.derived + taken.derived,
                taken.run_state or done.run_state,
                taken.main_ended or done.main_ended,
            )
        if refused:
            done.run_state = self._settle_anew(run_id) or done.run_state
        connection.execute("COMMIT")
        return done

    def _settle_anew(self, run_id: str) -> str:
        """The state of a run that lacks events which were refused: it is not green. Empty when that is refused, too."""
        self._connection.execute("SAVEPOINT settle")
        try:
            run = self._touched[run_id] = self._run(run_id)
            run.state.closings_stale = True
            run.state.settle()
            self._write()
            return run.state.run.state
        except Exception as error:
            if unusable(error) is not None:
                raise
            _log.warning("the database refused the state of run %s: %s", run_id, error, extra=_about(run_id))
            self._connection.execute("ROLLBACK TO settle")
            self._forget()
            return ""

    def _keep(self, batch: Batch, error: Exception) -> Committed:
        """Stores an event that cannot be applied."""
        origin = self._origin(batch)
        if origin is None:
            raise error
        fresh = self._fresh(batch, origin)
        self._append(origin, batch.first_seq, fresh, batch.received_ms)
        write_marks(self._connection, origin.source_key, batch, batch.first_seq)
        self._quarantine(origin, batch.first_seq, error)
        self._connection.execute(SQL["advance_source"], (origin.source_key, batch.first_seq, fresh[0].timestamp))
        self._forget()
        return Committed(batch.source, batch.first_seq, origin.run_id, origin.worker, fresh)

    def _run(self, run_id: str) -> RecordedRun:
        run = self._runs.get(run_id)
        if run is not None:
            self._runs.move_to_end(run_id)
            return run
        run = RecordedRun.of(self._connection, run_id)
        run.state.is_elsewhere = lambda source: self._is_elsewhere(source, run_id)
        self._runs[run_id] = run
        return run

    def _is_elsewhere(self, source: str, run_id: str) -> bool:
        origin = self._known(source)
        return origin is not None and origin.run_id != run_id

    def _bound(self) -> None:
        """Keeps memory bounded: closed runs go first, then those that were used least recently."""
        if len(self._origins) > 4096:
            self._origins.clear()
        if not self._is_large():
            return
        self.evict_closed()
        while len(self._runs) > 1 and self._is_large():
            self._evict(next(iter(self._runs)))

    def _is_large(self) -> bool:
        return len(self._runs) > MAX_RUNS or sum(len(run.state.tests) for run in self._runs.values()) > MAX_TESTS

    def _evict(self, run_id: str) -> None:
        del self._runs[run_id]

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._forget()


def _about(run_id: str, source: str = "") -> dict[str, dict[str, str]]:
    """``extra`` of a line about a run, or one of its sources; what is not known is left out."""
    return {"fields": {name: value for name, value in (("run", run_id), ("source", source)) if value}}
