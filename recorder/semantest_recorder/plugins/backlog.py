"""What waits for plugins: batches on their way to the writer, and commits that hooks are told of.

Batches are never dropped: who hands them in sees how many events wait. Commits are: when plugins lag behind by more
than ``MAX_NOTICED`` events, hooks of suites and tests are left out and counted, those of runs are not.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping
from threading import Condition
from time import monotonic
from typing import Any, Final, NamedTuple

import msgspec

from semantest_recorder.core.batch import NEXT_SEQ, Batch, Committed, Refused, Verdict
from semantest_recorder.core.marking import marked
from semantest_recorder.plugins.batch_work import BatchWork
from semantest_recorder.plugins.lifecycle import CLOSED, Lifecycle, Notice, ToldOnce, of_runs_only
from semantest_recorder.plugins.registry import PluginRegistry

MAX_NOTICED: Final = 50_000
#: The ends of one run's processes come one after another; a run is told to be over when none came for so long.
QUIET_S: Final = 0.3
_SOURCES: Final = 10_000
_CALLS_MAX: Final = 2
#: How often, and in which distance, a run that has ended and cannot be read is tried again.
_READS_MAX: Final = 5
_READ_AGAIN_S: Final = 1.0
_RUN_HOOKS: Final = frozenset({"before_test_run", "after_test_run"})
_HOOKS: Final = _RUN_HOOKS | {"before_suite", "after_suite", "before_test", "after_test"}

_log = logging.getLogger(__name__)


class Known(NamedTuple):
    """A source: all events up to ``seq`` are stored, and it belongs to ``run_id``."""

    seq: int
    run_id: str


class RunEnd(NamedTuple):
    """A run has closed; ``again``: it was told before."""

    run_id: str
    again: bool


class InHand:
    """What is being told, and to whom it was, so that another thread can go on.

    A plugin whose call was cut off, since another one held the thread, is called once more.
    """

    def __init__(self, notice: Notice | RunEnd) -> None:
        self.notice = notice
        self._begun: Counter[str] = Counter()
        self._done: set[str] = set()

    def begin(self, plugin: str) -> bool:
        """Whether the plugin is to be called; it counts as begun then."""
        self._begun[plugin] += 1
        return plugin not in self._done and self._begun[plugin] <= _CALLS_MAX

    def finish(self, plugin: str) -> None:
        """Its call came back."""
        self._done.add(plugin)


class _InFlight(NamedTuple):
    """A batch that waits for its verdict, as it was sent and as it is stored."""

    sent: Batch
    given: Batch


class Backlog:
    """Shared by all threads. ``known`` finds a source in the database, ``read_summary`` the numbers of a run."""

    def __init__(
        self,
        registry: PluginRegistry,
        known: Callable[[str], Known | None],
        read_summary: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self.registry = registry
        self.read_summary = read_summary
        self.skipped_events = 0
        self._find = known
        self._works: deque[tuple[BatchWork | None, Batch, Callable[[Batch], None]]] = deque()
        self._pending = 0
        self._changed = Condition()
        self._sources: dict[str, Known] = {}
        self._in_flight: dict[str, deque[_InFlight]] = {}
        self._commits: deque[Committed] = deque()
        self._waiting_events = 0
        self._notices: deque[Notice] = deque()
        self._ends: dict[str, float] = {}
        self._ended: dict[str, None] = {}
        self._unread: dict[str, int] = {}
        self._lifecycle: Lifecycle | None = None
        self._told_once = ToldOnce()
        #: What is being told, and whether the thread that was at it is gone.
        self._hand: InHand | None = None
        self._left = False

    @property
    def pending_events(self) -> int:
        """Events of batches that are not with the writer yet."""
        return self._pending

    @property
    def waiting_notices(self) -> int:
        """Events whose hooks are still to be called."""
        return self._waiting_events + len(self._notices)

    # -- batches -----------------------------------------------------------------------------------------------

    def add(self, batch: Batch, done: Callable[[Batch], None]) -> None:
        """A batch to take through ``on_event``; ``done`` is called in the order of ``add``."""
        with self._changed:
            self._pending += len(batch.events)
            self._works.append((None, batch, done))

    def work(self) -> BatchWork | None:
        """The batch that is due. Only for the thread of the plugins."""
        if not self._works:
            return None
        work, batch, done = self._works[0]
        if work is None:
            work = self._begun(batch, done)
            self._works[0] = (work, batch, done)
        return work

    def worked(self, work: BatchWork) -> None:
        """The batch is through: it goes to the writer, unless another thread goes on with it."""
        with self._changed:
            if not self._works or self._works[0][0] is not work:
                return
            _work, sent, _done = self._works.popleft()
            given = work.result()
            self._in_flight.setdefault(sent.source, deque()).append(_InFlight(sent, given))
            try:
                work.done(given)
            except RuntimeError as error:  # the writer is closed: unacknowledged, it stays with who sent it
                _log.debug("a batch of %s came after the end: %s", sent.source, error)
            self._pending -= len(sent.events)
            self._changed.notify_all()

    def resume(self) -> None:
        """Another thread goes on with the batch that the last one had begun, and with what it was telling."""
        with self._changed:
            self._left = self._hand is not None
            if self._works and (work := self._works[0][0]) is not None:
                self._works[0] = (work.resumed(), *self._works[0][1:])

    def wait_until_worked(self, timeout_s: float) -> bool:
        """Whether all batches were through in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._works, timeout_s)

    def settled(self, verdict: Verdict) -> None:
        """The oldest batch of a source that is in flight has its verdict."""
        source = verdict.source
        if isinstance(verdict, Refused):  # what is stored is looked up again: another file may be there now
            self._sources.pop(source, None)
        elif verdict.run_id:  # before anybody knows of it, who may send it again at once
            self._remember(source, Known(verdict.seq, verdict.run_id))
        with self._changed:
            waiting = self._in_flight.get(source)
            if waiting:
                waiting.popleft()
                if not waiting:
                    del self._in_flight[source]

    def _begun(self, batch: Batch, done: Callable[[Batch], None]) -> BatchWork:
        calls = self.registry.calls("on_event")
        events = batch.events if batch.opening is None else [batch.opening, *batch.events]
        idle = frozenset(call.plugin for call in calls if call.concerns is not None and not call.concerns(events))
        if batch.first_seq == NEXT_SEQ:
            opening = batch.opening.payload if batch.opening is not None else None
            return BatchWork(batch, calls, done, run_id=_run_named(opening), idle=idle)
        known = self._known(batch)
        batch, seen = self._as_before(batch)
        first = min(max(known.seq - batch.first_seq + 1, seen, 0), len(batch.events))
        run_id = known.run_id or (_run_named(batch.events[0].payload) if batch.first_seq == 1 else None)
        return BatchWork(batch, calls, done, first=first, run_id=run_id or None, idle=idle)

    def _known(self, batch: Batch) -> Known:
        known = self._sources.get(batch.source)
        if known is None:
            known = self._find(batch.source) or Known(0, "")
            self._remember(batch.source, known)
        return known

    def _as_before(self, batch: Batch) -> tuple[Batch, int]:
        """The batch with what plugins gave for events of it that are on their way already, and how many these are."""
        with self._changed:
            waiting = list(self._in_flight.get(batch.source, ()))
        seen = 0
        for sent, given in waiting:
            offset = batch.first_seq - sent.first_seq
            events = list(batch.events)
            for index in range(max(0, -offset), min(len(events), len(sent.events) - offset)):
                if events[index].payload == sent.events[index + offset].payload:
                    events[index] = given.events[index + offset]
                    seen = max(seen, index + 1)
            marks = [
                msgspec.structs.replace(mark, index=mark.index - offset)
                for mark in given.marks
                if 0 <= mark.index - offset < seen
            ]
            batch = marked(msgspec.structs.replace(batch, events=events), marks)
        return batch, seen

    def _remember(self, source: str, known: Known) -> None:
        if len(self._sources) >= _SOURCES:
            self._sources.clear()
        self._sources[source] = known

    # -- commits -----------------------------------------------------------------------------------------------

    def committed(self, verdict: Committed) -> None:
        """A batch was committed. Called by the writer's thread; never blocks."""
        if not verdict.run_id:
            return
        self._remember(verdict.source, Known(verdict.seq, verdict.run_id))
        if not verdict.fresh or not any(self.registry.calls(hook) for hook in _HOOKS):
            return
        if self._waiting_events + len(verdict.fresh) > MAX_NOTICED:
            whole, verdict = verdict, of_runs_only(verdict)
            if not self.skipped_events:
                _log.warning("plugins lag behind: their hooks of suites and tests are left out for now, and counted")
            self.skipped_events += len(whole.fresh) - len(verdict.fresh)
        with self._changed:
            self._waiting_events += len(verdict.fresh)
        self._commits.append(verdict)

    def notice(self) -> InHand | None:
        """What is to be told next, until ``told``. Only for the thread of the plugins."""
        with self._changed:
            if self._left:
                self._left = False
                return self._hand
        while self._commits and not self._notices:
            self._take(self._commits[0])
            self._commits.popleft()
        with self._changed:
            found = self._notices.popleft() if self._notices else self._due_end()
            self._hand = InHand(found) if found is not None else None
            self._changed.notify_all()
            return self._hand

    def told(self) -> None:
        """All plugins were called for what was in hand."""
        with self._changed:
            self._hand = None
            self._changed.notify_all()

    def put_off(self, end: RunEnd) -> bool:
        """The run could not be read: it is told later, unless that was so too often. Whether it is."""
        with self._changed:
            tries = self._unread[end.run_id] = self._unread.pop(end.run_id, 0) + 1
            if tries >= _READS_MAX:
                del self._unread[end.run_id]
                return False
            if not end.again:
                self._ended.pop(end.run_id, None)
            self._ends.setdefault(end.run_id, monotonic() + _READ_AGAIN_S)
            return True

    def notice_due_s(self) -> float | None:
        """When ``notice`` has something without anything new, in seconds."""
        if self._commits or self._notices:
            return 0.0
        return max(0.0, min(self._ends.values()) - monotonic()) if self._ends else None

    def wait_until_told(self, timeout_s: float) -> bool:
        """Whether everything was told in time; ends of runs are due at once now."""
        with self._changed:
            self._ends = dict.fromkeys(self._ends, 0.0)
            return self._changed.wait_for(
                lambda: not (self._commits or self._notices or self._ends or self._hand), timeout_s
            )

    def _take(self, verdict: Committed) -> None:
        with self._changed:
            self._waiting_events -= len(verdict.fresh)
        with self._changed:
            lifecycle = self._lifecycle
            if lifecycle is None:
                implemented = frozenset(hook for hook in _HOOKS if self.registry.calls(hook))
                lifecycle = self._lifecycle = Lifecycle(implemented, self._told_once)
        self._notices.extend(lifecycle.notices(verdict))
        if verdict.run_state in CLOSED:
            self._ends[verdict.run_id] = monotonic() + QUIET_S
        else:
            self._ends.pop(verdict.run_id, None)

    def _due_end(self) -> RunEnd | None:
        now = monotonic()
        for run_id, due in self._ends.items():
            if due <= now:
                del self._ends[run_id]
                again = run_id in self._ended
                self._ended[run_id] = None
                while len(self._ended) > 1000:
                    del self._ended[next(iter(self._ended))]
                return RunEnd(run_id, again)
        return None

    def hooks_changed(self) -> None:
        """A plugin came or went."""
        with self._changed:
            self._lifecycle = None


class _Named(msgspec.Struct, rename="camel"):
    run_id: str = ""


_NAMED = msgspec.json.Decoder(_Named)


def _run_named(payload: msgspec.Raw | None) -> str | None:
    try:
        return _NAMED.decode(payload).run_id or None if payload is not None else None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
