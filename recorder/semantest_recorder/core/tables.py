"""The rows of one run in memory, indexed, and which of them changed."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from pytest_semantest.protocol.identity import source_name, suite_of
from semantest_recorder.core.crowd import ATTEMPTS_MAX, CROWDED, Crowd
from semantest_recorder.core.payloads import MalformedError, NotTheirsError
from semantest_recorder.core.rows import (
    AttemptRow,
    CrashRow,
    ResultRow,
    RunRow,
    SourceRow,
    SuiteRow,
    TestEventRow,
    WarningRow,
)


class Closing(NamedTuple):
    """How a source is closed, as far as its open attempts depend on it; ``own``: it wrote its end itself.

    ``crash_test_id``, ``elapsed_ms``, ``last_output`` are what the reports of its crash know of the test that ran.
    """

    own: bool
    crashed: bool
    gap: bool
    interrupted: bool
    ended_ms: float
    reason: str | None = None
    crash_test_id: str | None = None
    elapsed_ms: float | None = None
    last_output: str | None = None


class RunClosing(NamedTuple):
    """How the run is closed, as far as tests that never started depend on it."""

    closed: bool = False
    gap: bool = False
    stopped: bool = False
    reason: str | None = None


class Test(msgspec.Struct, eq=False, gc=False):
    """A test in the run: its result, its suite, its attempts.

    A tuple, as ``ResultRow.markers`` is: the garbage collector walks every list of a run again and again, but lets go
    of tuples that hold nothing it would have to follow.
    """

    result: ResultRow
    suite: SuiteRow
    attempts: Sequence[AttemptRow] = ()
    #: Once they are many: ``attempts`` is its list then.
    crowd: Crowd | None = None

    def add(self, attempt: AttemptRow) -> None:
        """One more attempt."""
        if self.crowd is not None:
            self.crowd.add(attempt)
            return
        self.attempts = (*self.attempts, attempt)
        if len(self.attempts) > CROWDED:
            self.crowd = Crowd(self.attempts)
            self.attempts = self.crowd.everyone

    def attempts_of(self, source: str) -> list[AttemptRow]:
        """The attempts that a source has, whoever told of them."""
        if self.crowd is not None:
            return self.crowd.of(source)
        return [attempt for attempt in self.attempts if attempt.source == source]


class Suite:
    """A suite and its tests."""

    __slots__ = ("row", "tests")

    def __init__(self, row: SuiteRow) -> None:
        self.row = row
        self.tests: list[Test] = []


class Source:
    """A source, how it is closed, and the tests whose state depends on that.

    ``crashes`` are the reports on it; those of the shipper, which know most, come first.
    """

    __slots__ = ("closing", "crashes", "row", "unended")

    def __init__(self, row: SourceRow) -> None:
        self.row = row
        self.closing: Closing | None = None
        self.unended: dict[str, Test] = {}
        self.crashes: list[CrashRow] = []


class Unread(msgspec.Struct):
    """An event that could not be applied, or not all of it."""

    source: str
    seq: int
    reason: str


class Changes(msgspec.Struct):
    """What became different since the last ``take``, for the store.

    ``gone`` are attempts, ``gone_suites`` suites that no longer exist.
    """

    run: RunRow | None
    sources: list[SourceRow]
    results: list[ResultRow]
    attempts: list[AttemptRow]
    gone: list[AttemptRow]
    suites: list[SuiteRow]
    gone_suites: list[str]
    warnings: list[WarningRow]
    crashes: list[CrashRow]
    test_events: list[TestEventRow]
    unread: list[Unread]


class Tables:
    """The rows of run ``run_id``."""

    def __init__(self, run_id: str) -> None:
        self.run = RunRow(run_id)
        #: Whether a source is another run's.
        self.is_elsewhere: Callable[[str], bool] = lambda _source: False
        self.sources: dict[str, Source] = {}
        self.tests: dict[str, Test] = {}
        self.suites: dict[str, Suite] = {}
        #: Sources that a report without attempt number says to have died in a test, by that test.
        self.died_in: dict[str, dict[str, None]] = {}
        #: How many tests are in each state, and how many were planned by name.
        self.counts: dict[str, int] = defaultdict(int)
        self.planned = 0
        #: How many are in a bad state that does not count.
        self.forgiven = 0
        #: What planned tests without any attempt were last judged by.
        self.closing = RunClosing()
        #: Whether no test is missing any more, so that suites can be said to have ended.
        self.suites_may_end = False
        #: Tests and sources' ends that ``settle`` has to look at.
        self.unsettled: dict[str, Test] = {}
        #: Suites of which a client said something.
        self.unsettled_suites: dict[str, SuiteRow] = {}
        #: Suites that tests have left, which ``tests`` still has.
        self.left_suites: dict[str, Suite] = {}
        self.closings_stale = False
        self._clean()

    def _clean(self) -> None:
        self.dirty_run = False
        self.dirty_sources: dict[str, SourceRow] = {}
        self.dirty_tests: dict[str, Test] = {}
        self.dirty_attempts: dict[int, AttemptRow] = {}
        self.dirty_suites: dict[str, SuiteRow] = {}
        self.gone: list[AttemptRow] = []
        self.gone_suites: dict[str, None] = {}
        self.new_test_events: list[TestEventRow] = []
        self.new_warnings: list[WarningRow] = []
        self.new_crashes: list[CrashRow] = []
        self.unread: list[Unread] = []

    def take(self) -> Changes:
        """What changed since the last ``take``. The rows stay the state's own: use them before its next event."""
        changes = Changes(
            self.run if self.dirty_run else None,
            list(self.dirty_sources.values()),
            [test.result for test in self.dirty_tests.values()],
            list(self.dirty_attempts.values()),
            self.gone,
            list(self.dirty_suites.values()),
            list(self.gone_suites),
            self.new_warnings,
            self.new_crashes,
            self.new_test_events,
            self.unread,
        )
        self._clean()
        return changes

    def source(self, session: str, worker: str) -> Source:
        """The source of a session's worker, made when it is new."""
        name = source_name(session, worker)
        source = self.sources.get(name)
        if source is None:
            source = self.sources[name] = Source(SourceRow(name, self.run.id, session, worker))
            self.dirty_sources[name] = source.row
            self.closings_stale = True
        return source

    def named_source(self, session: str, worker: str) -> Source:
        """A source of which another one tells; it may be one that never spoke.

        Raises ``NotTheirsError`` when it is another run's.
        """
        name = source_name(session, worker)
        if name not in self.sources and self.is_elsewhere(name):
            raise NotTheirsError(f"worker: {name} belongs to another run")
        return self.source(session, worker)

    def miss(self, source: Source) -> None:
        """A record of the source cannot be read: nobody knows what it said, so the run is not green."""
        source.row.gaps += 1
        self.dirty_sources[source.row.source] = source.row
        self.closings_stale = True

    def test(self, test_id: str) -> Test:
        """The test of this id, made when it is new."""
        return self.tests.get(test_id) or self.add_test(test_id)

    def add_test(self, test_id: str, position: int | None = None) -> Test:
        """A test that is new; ``position`` is its place in the plan."""
        suite = self.suite(quick_suite_of(test_id))
        row = suite.row
        test = Test(ResultRow(test_id, "pending", position), row)
        suite.tests.append(test)
        row.total += 1
        if position is not None:
            self.planned += 1
        self.counts["pending"] += 1
        self.tests[test_id] = self.unsettled[test_id] = test
        return test

    def suite(self, suite_id: str) -> Suite:
        """The suite of this id, made when it is new."""
        suite = self.suites.get(suite_id)
        if suite is None:
            suite = self.suites[suite_id] = Suite(SuiteRow(suite_id))
            self.gone_suites.pop(suite_id, None)
        return suite

    def remove_suite(self, suite_id: str) -> None:
        """Takes back a suite that has no tests any more."""
        del self.suites[suite_id]
        self.dirty_suites.pop(suite_id, None)
        self.unsettled_suites.pop(suite_id, None)
        self.gone_suites[suite_id] = None

    def attempt(self, source: Source, test: Test, number: int) -> AttemptRow:
        """The attempt of this number at ``test`` in ``source``, made when it is new.

        It is counted as changed, and ``test`` has to be settled. Raises ``MalformedError`` for a number that is too
        high.
        """
        row, test_id = source.row, test.result.test_id
        name = row.source
        self.unsettled[test_id] = test
        if test.crowd is not None:
            found = test.crowd.find(name, number)
            if found is not None:
                self.dirty_attempts[id(found)] = found
                return found
        else:
            for attempt in test.attempts:
                if attempt.attempt == number and attempt.source == name:
                    self.dirty_attempts[id(attempt)] = attempt
                    return attempt
        if number > ATTEMPTS_MAX:
            raise MalformedError(f"attempt: {number} at one test, and {ATTEMPTS_MAX} are kept")
        made = AttemptRow(test_id, name, number, row.worker)
        test.add(made)
        source.unended[test_id] = test
        self.dirty_attempts[id(made)] = made
        return made

    def add_crash(self, crash: CrashRow) -> None:
        """A report that a source died."""
        insort(self.sources[crash.source].crashes, crash, key=_by_knowledge)
        if crash.test_id is not None and crash.attempt is None:
            self.died_in.setdefault(crash.test_id, {})[crash.source] = None

    def remove_attempt(self, test: Test, attempt: AttemptRow) -> None:
        """Takes back an attempt that was only guessed."""
        if test.crowd is not None:
            test.crowd.remove(attempt)
            test.attempts = test.crowd.everyone
        else:
            test.attempts = tuple(other for other in test.attempts if other is not attempt)
        self.dirty_attempts.pop(id(attempt), None)
        self.gone.append(attempt)
        self.unsettled[attempt.test_id] = test


def _by_knowledge(crash: CrashRow) -> tuple[bool, str, int]:
    return crash.elapsed_ms is None, crash.reporter, crash.seq


def quick_suite_of(test_id: str) -> str:
    """``suite_of``, with a short way for ids without parameters."""
    if "[" in test_id:
        return suite_of(test_id)
    return test_id.rpartition("::")[0] or suite_of(test_id)
