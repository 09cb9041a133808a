"""One run while somebody watches it: its state, kept current by committed events, and what a display asks of it (pure).

A look costs what is new since the one before and what runs now; how many tests the run has matters only at first.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import islice
from typing import Final, Literal

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.facts import opening_of
from semantest_recorder.core.payloads import MalformedError
from semantest_recorder.core.rows import AttemptRow, ResultRow, RunRow
from semantest_recorder.core.run_state import RunState
from semantest_recorder.core.tables import Source

#: ``new``: it was applied; ``known``: it was before, or is none of this run; ``gap``: what was between is missing.
Taken = Literal["new", "known", "gap"]
_FINAL: Final = frozenset(FINAL_STATES)
#: Over how long the rate is measured, in milliseconds.
_PACE_MS: Final = 10_000.0
#: Processes that run no tests.
_NO_WORKERS: Final = frozenset({"shipper", "client"})
#: How many tests of the plan are looked at for those that wait.
_LOOKED_AT: Final = 2000


class WatchedRun:
    """``usual``: how long tests usually take, in milliseconds; without it there is no expected end.

    ``state`` belongs to it from now on. Nothing here asks for the time: ``now_ms`` is milliseconds since the epoch.
    """

    def __init__(self, state: RunState, usual: Mapping[str, float] | None = None) -> None:
        self._state = state
        self._usual = usual or {}
        self._bad: dict[str, ResultRow] = {}
        self._finished: list[ResultRow] = []
        self._told: dict[str, str] = {}
        #: Ends of tests as (when they were seen, how many), newest last; and since when they are.
        self._pace: deque[tuple[float, int]] = deque()
        self._since_ms: float | None = None
        self._known_tests = 0
        self._waiting: deque[str] = deque()
        #: What the tests without an end usually take, and of how many nothing is known.
        self._left_ms, self._left_unknown = 0.0, 0
        self._begin()

    @property
    def run(self) -> RunRow:
        """The run."""
        return self._state.run

    @property
    def numbers(self) -> Mapping[str, int]:
        """How many tests are in each state."""
        return self._state.counts

    def last_seq(self, source: str) -> int:
        """Up to where the events of a source are known."""
        found = self._state.sources.get(source)
        return found.row.last_seq if found is not None else 0

    def take(self, source: str, first_seq: int, events: Sequence[RawEvent]) -> Taken:
        """Successive events of a source, as they were committed; call ``settle`` before the next look."""
        last = self.last_seq(source)
        fresh = events[max(0, last - first_seq + 1) :]
        if not fresh:
            return "known"
        if first_seq > last + 1:
            return "gap"
        try:
            if source not in self._state.sources and opening_of(fresh[0]).run_id != self.run.id:
                return "known"
            self._state.apply_all(source, last + 1, fresh)
        except MalformedError:
            return "known"
        return "new"

    def settle(self, now_ms: float | None = None) -> None:
        """Brings everything up to date; ``now_ms`` counts what has ended since for the rate."""
        self._state.settle()
        self._take_new_tests()
        ended = 0
        for row in self._state.take().results:
            test_id, state = row.test_id, row.state
            if state in BAD_STATES:
                self._bad[test_id] = row
            else:
                self._bad.pop(test_id, None)
            before = self._told.get(test_id)
            if state not in _FINAL or state == before:
                continue
            self._told[test_id] = state
            self._finished.append(row)
            if before is None:
                ended += 1
                self._count_left(test_id, -1)
        if now_ms is not None:
            self._since_ms = now_ms if self._since_ms is None else self._since_ms
            if ended:
                self._pace.append((now_ms, ended))

    def finished(self) -> list[ResultRow]:
        """Tests whose final state is new since the last call; one may be told again with another state."""
        found, self._finished = self._finished, []
        return found

    def bad(self, most: int) -> list[ResultRow]:
        """The newest tests that are not green, newest first."""
        return nlargest(most, self._bad.values(), key=lambda row: row.ended_ms or row.started_ms or 0.0)

    def attempts(self, tests: Iterable[ResultRow] = ()) -> list[AttemptRow]:
        """Those that go on now, and all at ``tests``."""
        found = {
            id(row): row
            for source in self._state.sources.values()
            for test in source.unended.values()
            for row in test.attempts
            if row.outcome is None
        }
        found |= {id(row): row for result in tests for row in self._state.tests[result.test_id].attempts}
        return list(found.values())

    def workers(self) -> list[str]:
        """The processes that run tests now, by their names."""
        names = [source.row.worker for source in self._open_sources()]
        apart = [name for name in names if name != "main"]
        return apart or names

    def waiting(self, most: int) -> list[str]:
        """The tests that come next, in the order of the plan."""
        tests = self._state.tests
        while self._waiting and tests[self._waiting[0]].result.state != "pending":
            self._waiting.popleft()
        pending = (name for name in islice(self._waiting, _LOOKED_AT) if tests[name].result.state == "pending")
        return list(islice(pending, most))

    def rate(self, now_ms: float) -> float | None:
        """Tests that ended in a second, over the last ten; ``None`` before any did."""
        while self._pace and now_ms - self._pace[0][0] > _PACE_MS:
            self._pace.popleft()
        began = max(self._since_ms or 0.0, now_ms - _PACE_MS)
        if not self._pace or now_ms - began < 1000.0:
            return None
        return sum(count for _at, count in self._pace) * 1000.0 / (now_ms - began)

    def left_ms(self, now_ms: float) -> float | None:
        """How long the rest will take if all is as usual.

        Tests of which nothing is known are taken to last as long as those that ended lately, or else as the others of
        the rest. ``None`` when nothing tells, or nothing is left; nor does what is usual tell when all that is left
        runs longer than that.
        """
        if not self.numbers.get("pending") and self._all_overdue(now_ms):
            return None
        unknown, workers = self._left_unknown, max(1, len(self.workers()))
        known = sum(self.numbers.get(state, 0) for state in ("pending", "running")) - unknown
        if known + unknown <= 0:
            return None
        rate = self.rate(now_ms) if unknown else None
        each = workers * 1000.0 / rate if rate else self._left_ms / known if known > 0 else None
        if each is None:
            return None
        return (self._left_ms + unknown * each) / workers

    def _all_overdue(self, now_ms: float) -> bool:
        running = self.attempts()
        return bool(running) and all(
            now_ms - (one.started_ms or now_ms) > self._usual.get(one.test_id, math.inf) for one in running
        )

    def _begin(self) -> None:
        self._state.settle()
        self._state.take()
        for test_id, test in self._state.tests.items():
            if test.result.state in _FINAL:
                self._told[test_id] = test.result.state
            if test.result.state in BAD_STATES:
                self._bad[test_id] = test.result
        self._take_new_tests()

    def _take_new_tests(self) -> None:
        """Tests come in the order of the plan; those that nobody planned are not waited for."""
        tests = self._state.tests
        for test_id in islice(tests, self._known_tests, None):
            if test_id not in self._told:
                self._count_left(test_id, 1)
                self._waiting.append(test_id)
        self._known_tests = len(tests)

    def _count_left(self, test_id: str, sign: int) -> None:
        usual = self._usual.get(test_id)
        if usual is None:
            self._left_unknown += sign
        else:
            self._left_ms += sign * usual

    def _open_sources(self) -> Iterator[Source]:
        for source in self._state.sources.values():
            if source.row.state == "open" and source.row.worker not in _NO_WORKERS and source.row.last_seq:
                yield source
