"""The hooks around each test, in the process that runs it: what a recorded test pays for.

Without reruns an attempt starts in ``pytest_runtest_protocol`` and its phases come by ``pytest_runtest_logreport``:
this also holds for ``--forked``, whose child writes nothing. pytest-rerunfailures logs an attempt's reports only after
the attempt, and not all of them; when it may act, or tests are repeated, ``RerunHooks`` takes them where they are made.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import pytest

from pytest_semantest.containment import CONTAINED, contained
from pytest_semantest.fingerprint import Fingerprints
from pytest_semantest.forgiveness import QUARANTINED, is_protected, true_outcome
from pytest_semantest.journal import Clock, Journal
from pytest_semantest.launch import Shipper
from pytest_semantest.phase_slot import PhaseSlot, pack_ending
from pytest_semantest.protocol.encoding import CALL, PHASES, TEARDOWN
from pytest_semantest.recorded_ids import TestIds
from pytest_semantest.repeated_items import NUMBER, TIMES
from pytest_semantest.translate import Attempt, Remains, Translator, judge, skip_reason

_PLAN_CHUNK = 500
_LOOK_EVERY_MS = 2000.0
_WARNINGS_MAX = 500
_TEST_REPORT = pytest.TestReport
_SUBTEST_REPORTS = ("SubtestReport", "SubTestReport")


class TestHooks:
    """Writes what happens to each test into the journal. ``contain`` takes what a hook raised."""

    __test__ = False

    def __init__(
        self,
        journal: Journal,
        slot: PhaseSlot,
        clock: Clock,
        translator: Translator,
        ids: TestIds,
        shipper: Shipper | None,
    ) -> None:
        self.journal = journal
        self.slot = slot
        self.clock = clock
        self.translator = translator
        self.ids = ids
        self.problem: str | None = None
        #: What xdist's workers could not record, told by them at their end.
        self.worker_problems: list[str] = []
        #: How many records those could not write whose own journals do not say so.
        self.workers_dropped: dict[str, int] = {}
        #: What the user should know although nothing of the recording is missing.
        self.notices: list[str] = []
        self.is_end_written = False
        self.planned = 0
        #: Tests with a result, retries not counted: what is missing at a normal end is said loudly.
        self.finished = 0
        self.deselected = 0
        self.reruns = False
        self._shipper = shipper
        self._next_look = clock.now() + _LOOK_EVERY_MS
        #: By node id: some plugins run several tests at once.
        self.running: dict[str, Attempt] = {}
        #: With reruns: items whose protocol began and whose setup did not run in this process.
        self.pending: dict[str, pytest.Item] = {}
        self._timeouts: dict[str, float] = {}
        self._warnings: set[tuple[object, ...]] = set()
        self._collect_told: set[str] = set()
        #: The last test's parent and the markers that all below it inherit.
        self._parent: object = None
        self._inherited: list[str] = []
        self._latest: Attempt | None = None
        self._fingerprints = Fingerprints()
        #: Whether items may say that they are in quarantine.
        self.quarantines = False

    def contain(self, error: BaseException) -> None:
        """Remember the first exception of a hook."""
        if self.problem is None:
            self.problem = f"recording is incomplete: {type(error).__name__}: {error}"

    @property
    def current(self) -> Attempt | None:
        """The attempt that runs; of several at once the one that started last."""
        return self._latest or next(reversed(self.running.values()), None)

    def write_plan(self, ids: Sequence[str]) -> None:
        """``run/plan`` in chunks; an empty plan is written too."""
        self.planned = len(ids)
        for offset in range(0, len(ids) or 1, _PLAN_CHUNK):
            chunk = ids[offset : offset + _PLAN_CHUNK]
            payload = {"tests": chunk, "offset": offset, "total": len(ids), "deselected": self.deselected}
            self.write("run/plan", payload)

    def write_left_out(self, reason: str, ids: Sequence[str]) -> None:
        """``run/left-out`` in chunks, as the plan."""
        for offset in range(0, len(ids), _PLAN_CHUNK):
            chunk = list(ids[offset : offset + _PLAN_CHUNK])
            self.write("run/left-out", {"reason": reason, "tests": chunk, "offset": offset, "total": len(ids)})

    def write(self, kind: str, payload: dict[str, Any]) -> int:
        """Write an event that is not on the hot path."""
        return self.journal.append(self.translator.body(kind, self.clock.now(), payload))

    def write_end(self, kind: str, payload: dict[str, Any]) -> None:
        """Write the end record of this process; without room it goes to the slot: the shipper writes it later."""
        dropped = self.journal.dropped
        self.write(kind, payload | {"dropped": dropped} if dropped else payload)
        self.is_end_written = self.journal.dropped == dropped
        if not self.is_end_written:
            self.slot.end(pack_ending(self.journal.seq + 1, payload, self.journal.dropped))

    def start(self, item: pytest.Item, number: int) -> Attempt:
        """Write ``test/start`` of one attempt."""
        node_id = item.nodeid
        attempt = Attempt(self.ids.of_item(item, node_id), number, self.clock.now(), item.location)
        own = item.own_markers
        markers = self._inherited if item.parent is self._parent and not own else self._markers(item)
        callspec = getattr(item, "callspec", None)
        timeout = self._timeouts.pop(node_id, None) if self._timeouts else None
        params = callspec.params if callspec is not None else None
        started = self.translator.start(attempt, markers, params, timeout, self._fingerprints.of(item))
        if self.quarantines and (facts := item.stash.get(QUARANTINED, None)) is not None:
            started = self.translator.with_quarantine(started, facts)
        if self.reruns and (times := item.stash.get(TIMES, 0)):
            started = self.translator.with_repetitions(started, times)
        # Between the end of one test and the start of the next no test's code runs.
        attempt.seq = self.journal.append_next(started)
        self.running[node_id] = self._latest = attempt
        return attempt

    def end(self, node_id: str, attempt: Attempt, report: pytest.TestReport | Remains) -> None:
        """Write ``test/end`` of a running attempt."""
        self.running.pop(node_id, None)
        self._latest = None
        if attempt.number == 1:
            self.finished += 1
        now = self.clock.now()
        self.journal.append(self.translator.end(attempt, now, report))
        if now >= self._next_look and self._shipper is not None:
            self._next_look = now + _LOOK_EVERY_MS
            self._shipper.relaunch_if_dead()

    def take(self, attempt: Attempt, report: pytest.TestReport) -> None:
        """Take one phase's report; a phase that failed is written at once, in case the rest never is."""
        outcome = judge(attempt, report, self.translator)
        if outcome is not None and report.when != "teardown":
            phase = report.when or "call"
            self.journal.append(self.translator.phase(attempt, self.clock.now(), phase, outcome))

    def interrupt(self, reason: str, items: Sequence[pytest.Item]) -> None:
        """Close what runs as interrupted: pytest reports nothing more about it, but its item has its output."""
        for node_id, attempt in list(self.running.items()):
            if attempt.call is not None:
                self.take(attempt, attempt.call)
            if attempt.outcome in ("passed", "skipped", "xfailed", "xpassed"):
                attempt.outcome = "interrupted"
                attempt.reason = reason
            found = (item for item in items if item.nodeid == node_id)
            self.end(node_id, attempt, Remains(next(found, None)))

    # The two hooks that every test passes through hold their own containment: a wrapper costs as much as a write.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Before anything of the test runs."""
        try:
            if self.reruns:
                self.pending[item.nodeid] = item
            else:
                self.start(item, 1)
        except CONTAINED as error:
            self.contain(error)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase ended; first the way of a phase that simply passed."""
        try:
            attempt = self._latest
            if attempt is None or attempt.location is not report.location:
                attempt = self.running.get(report.nodeid)
                if attempt is None:
                    return
            plain = type(report) is _TEST_REPORT
            phase = report.when
            if plain and report.outcome == "passed" and not self.reruns and phase in PHASES:
                attempt.phases[phase] = int(report.duration * 1e6)
                if phase == "setup":
                    self.slot.put(attempt.seq, CALL)
                elif phase == "teardown":
                    self.end(report.nodeid, attempt, report)
                else:
                    if hasattr(report, "wasxfail"):
                        judge(attempt, report, self.translator)
                    self.slot.put(attempt.seq, TEARDOWN)
            elif not plain and type(report).__name__ in _SUBTEST_REPORTS:
                self._take_subtest(attempt, report)
            elif not self.reruns:
                self.log(attempt, report)
        except CONTAINED as error:
            self.contain(error)

    def log(self, attempt: Attempt, report: pytest.TestReport) -> None:
        """Take a logged phase: say which comes next, or end the attempt."""
        phase = report.when
        if phase == "teardown":
            self.take(attempt, report)
            self.end(report.nodeid, attempt, report)
        elif phase in ("setup", "call"):
            self.take(attempt, report)
            self.slot.put(attempt.seq, CALL if phase == "setup" and report.outcome == "passed" else TEARDOWN)
        else:  # pytest-forked's report of a child that died
            attempt.outcome = "crashed"
            attempt.error = self.translator.error(report.longrepr, None)
            self.end(report.nodeid, attempt, report)

    def _take_subtest(self, attempt: Attempt, report: pytest.TestReport) -> None:
        self.journal.append(self.translator.subtest(attempt, self.clock.now(), report))
        if true_outcome(report) == "failed" and attempt.outcome == "passed":
            attempt.outcome = "failed"
            attempt.forgiven = is_protected(report)
            attempt.error = self.translator.error(report.longrepr, "call")

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    @contained
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> None:
        """pytest-timeout tells how long the test may take: a process that ends then has timed out, not crashed."""
        if settings.timeout and settings.timeout > 0 and item.nodeid not in self.running:
            self._timeouts[item.nodeid] = float(settings.timeout) * 1000

    @pytest.hookimpl
    @contained
    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count what was left out on purpose."""
        self.deselected += len(items)

    @pytest.hookimpl
    @contained
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that could not be collected, or skipped itself."""
        if report.passed or report.nodeid in self._collect_told:
            return
        self._collect_told.add(report.nodeid)
        payload: dict[str, Any] = {"testId": self.ids.of_name(report.nodeid), "outcome": report.outcome}
        if report.skipped:
            payload["reason"] = self.translator.text(skip_reason(report.longrepr), 2000)
        else:
            payload["error"] = self.translator.error(report.longrepr, None)
        self.write("collect/error", payload)

    @pytest.hookimpl
    @contained
    def pytest_warning_recorded(self, warning_message: Any, when: str, nodeid: str) -> None:
        """A warning was recorded; each different one is written once per process."""
        category = warning_message.category.__name__
        message = str(warning_message.message)
        key = (category, message[:500], warning_message.filename, warning_message.lineno)
        if key in self._warnings or len(self._warnings) >= _WARNINGS_MAX:
            return
        self._warnings.add(key)
        payload = {
            "category": category,
            "message": self.translator.text(message, 2000),
            "file": self.translator.relative(warning_message.filename),
            "line": warning_message.lineno,
            "when": when,
        }
        if nodeid:
            payload["testId"] = self.ids.of_name(nodeid)
        self.write("test/warning", payload)

    def _markers(self, item: pytest.Item) -> list[str]:
        """Names of the item's markers; those of its class and module are looked up once for all their tests."""
        if item.parent is not self._parent:
            self._parent = item.parent
            chain = item.parent.iter_markers() if item.parent is not None else ()
            self._inherited = list(dict.fromkeys(mark.name for mark in chain))
        if not item.own_markers:
            return self._inherited
        return list(dict.fromkeys([*(mark.name for mark in item.own_markers), *self._inherited]))


class RerunHooks:
    """Attempts when a test may run several times: started at setup, ended at the teardown's report."""

    def __init__(self, tests: TestHooks) -> None:
        self._tests = tests
        tests.reruns = True

    def contain(self, error: BaseException) -> None:
        """Hand on to the one who tells the user."""
        self._tests.contain(error)

    @pytest.hookimpl(tryfirst=True)
    @contained
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """An attempt begins; rerunfailures counts them in ``execution_count``, also over crashed workers."""
        self._tests.pending.pop(item.nodeid, None)
        number = item.stash.get(NUMBER, 0) or int(getattr(item, "execution_count", 1))
        attempt = self._tests.start(item, number)
        # pytest keeps the output of a test's earlier attempts with that of this one.
        attempt.old_sections = len(getattr(item, "_report_sections", ()))

    @pytest.hookimpl(tryfirst=True)
    @contained
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """The last report of the call phase is the test's own; those before it were its subtests'."""
        attempt = self._tests.running.get(item.nodeid)
        if attempt is not None and attempt.call is not None:
            report, attempt.call = attempt.call, None
            self._tests.take(attempt, report)
            self._tests.slot.put(attempt.seq, TEARDOWN)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The finished report of a phase, before rerunfailures decides what becomes of it."""
        report = yield
        self._take(item.nodeid, report)
        return report

    @contained
    def _take(self, node_id: str, report: pytest.TestReport) -> None:
        attempt = self._tests.running.get(node_id)
        if attempt is None:
            return
        if report.when == "call":
            attempt.call = report
        elif report.when == "setup":
            self._tests.take(attempt, report)
            self._tests.slot.put(attempt.seq, CALL if report.passed else TEARDOWN)
        elif report.when == "teardown":
            self._tests.take(attempt, report)
            self._tests.end(node_id, attempt, report)

    @pytest.hookimpl(tryfirst=True)
    @contained
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The report of a test whose setup ran in a forked child, where nothing is written."""
        item = self._tests.pending.get(report.nodeid)
        if item is None:
            return
        attempt = self._tests.running.get(report.nodeid) or self._tests.start(item, 1)
        self._tests.log(attempt, report)
        if report.nodeid not in self._tests.running:
            del self._tests.pending[report.nodeid]
