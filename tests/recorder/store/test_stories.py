"""Stories of a run on two workers, told to a recorder in any order and with accidents: the end is always right."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pytest_semantest.protocol.events import BAD_OUTCOMES, BAD_STATES
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.batch import Batch, Committed, RawEvent
from semantest_recorder.core.own_events import LEASE_MS
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import rebuild
from semantest_recorder.store.run_counts import states_by_id
from tests.recorder.store.accidents import Accidents
from tests.recorder.store.ingesting import RUN, begin, event
from tests.recorder.store.memory_folder import memory_folder

WORKER_OF = {"a.py::t0": "gw0", "a.py::t1": "gw0", "a.py::t2": "gw1", "b.py::t3": "gw1"}
PROCESSES = ("main", "gw0", "gw1", "shipper")
WHICH = st.integers(0, 11)
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
ATTEMPTS = st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=3)


class Stories(RuleBasedStateMachine):
    """Processes write their journals, as pytest's do; a recorder hears of it piece by piece, late, twice, or again.

    Against the plainest model: the outcomes of each test's attempts in the order in which they were written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.now = 10.0
        self.journals: dict[str, list[RawEvent]] = {}
        self.heard = dict.fromkeys(PROCESSES, 0)
        self.sent: list[Batch] = []
        self.outcomes: dict[str, list[str]] = {test: [] for test in WORKER_OF}
        self.running: dict[str, str] = {}
        self.over: set[str] = set()
        self.failed: set[tuple[str, str, int]] = set()

    @initialize(seed=st.integers(0, 2**32), early=st.lists(st.tuples(WHICH, ATTEMPTS), max_size=4))
    def begin_all(self, seed: int, early: list[tuple[int, list[str]]]) -> None:
        self.life = Accidents(self.open.enter_context(memory_folder()), seed)
        self.open.callback(self.close)
        self.runs = ActiveRuns(lambda run_id: run_id == RUN)
        for process in PROCESSES:
            self.journals[process] = [begin(worker=process)]
        self.write("main", "run/plan", tests=list(WORKER_OF), offset=0, total=len(WORKER_OF))
        for which, outcomes in early:
            if self.startable():
                self.run(which, outcomes)

    def teardown(self) -> None:
        with self.open:
            self.end_all()
            self.check_end()

    def close(self) -> None:
        self.life.recorder.writer.close()

    def write(self, process: str, kind: str, **payload: Any) -> None:
        self.now += 1.0
        self.journals[process].append(event(kind, self.now, **payload))

    # -- what happens in pytest --------------------------------------------------------------------------------

    def startable(self) -> list[str]:
        """The tests that have not passed, on workers that have nothing else to do."""
        free = [test for test, worker in WORKER_OF.items() if worker not in self.over and worker not in self.running]
        return [test for test in free if not self.outcomes[test] or self.outcomes[test][-1] in BAD_OUTCOMES]

    def failed_once(self) -> list[str]:
        return [test for test in self.startable() if self.outcomes[test]]

    @precondition(lambda self: bool(self.startable()))
    @rule(which=WHICH)
    def start(self, which: int) -> None:
        test = self.startable()[which % len(self.startable())]
        self.running[WORKER_OF[test]] = test
        number = len(self.outcomes[test]) + 1
        self.write(WORKER_OF[test], "test/start", testId=test, testName=test, attempt=number, file="a.py", line=1)

    @precondition(lambda self: bool(self.running))
    @rule(which=WHICH, outcome=st.sampled_from(OUTCOMES))
    def end(self, which: int, outcome: str) -> None:
        worker = sorted(self.running)[which % len(self.running)]
        test = self.running.pop(worker)
        self.outcomes[test].append(outcome)
        number = len(self.outcomes[test])
        self.write(worker, "test/end", testId=test, attempt=number, outcome=outcome, status="x", duration=1.0)

    @precondition(lambda self: bool(self.startable()))
    @rule(which=WHICH, outcomes=ATTEMPTS)
    def run(self, which: int, outcomes: list[str]) -> None:
        """A test from its start to its end, again as long as it is bad."""
        test = self.startable()[which % len(self.startable())]
        for outcome in outcomes:
            if test in self.startable():
                self.start(self.startable().index(test))
                self.end(sorted(self.running).index(WORKER_OF[test]), outcome)

    @precondition(lambda self: bool(self.failed_once()))
    @rule(which=WHICH)
    def end_again(self, which: int) -> None:
        """As a second browser would: a good end does not take back a bad one."""
        test = self.failed_once()[which % len(self.failed_once())]
        told = {"outcome": "passed", "status": "passed", "duration": 1.0}
        self.write(WORKER_OF[test], "test/end", testId=test, attempt=len(self.outcomes[test]), **told)

    @rule(worker=st.sampled_from(("gw0", "gw1")))
    def kill_worker(self, worker: str) -> None:
        if worker in self.over:
            return
        self.over.add(worker)
        told: dict[str, Any] = {"worker": worker, "reason": "killed"}
        if worker in self.running:
            test = self.running.pop(worker)
            self.outcomes[test].append("crashed")
            told |= {"testId": test, "attempt": len(self.outcomes[test]), "phase": "call"}
        self.write("shipper", "worker/crash", runId=RUN, **told)

    # -- what the recorder hears of it -------------------------------------------------------------------------

    @rule(process=st.sampled_from(PROCESSES), count=st.integers(1, 6))
    def hear(self, process: str, count: int) -> None:
        self.tell(process, count)
        self.check()

    @rule()
    def befall(self) -> None:
        self.life.befall(self.sent)
        self.check()

    @rule()
    def lease_ends(self) -> None:
        """Nothing came for an hour, and nobody sends the run: it counts as dead until its journals come after all."""
        self.life.received_ms += 2 * LEASE_MS
        self.commit(self.runs.due(self.life.received_ms))
        self.check()

    def tell(self, process: str, count: int) -> None:
        first = self.heard[process]
        events = self.journals[process][first : first + count]
        if events:
            batch = self.life.batch(f"{RUN}.{process}", first + 1, events)
            self.commit([batch])
            self.heard[process] += len(events)
            self.sent.append(batch)

    def commit(self, batches: list[Batch]) -> None:
        for verdict in self.life.send(batches):
            assert isinstance(verdict, Committed), verdict
            self.runs.note(verdict, self.life.received_ms)

    # -- what must hold ----------------------------------------------------------------------------------------

    def check(self) -> None:
        """What failed stays failed, and no attempt is there twice; called after all that changes what is stored."""
        if not self.sent:
            return
        reader = Reader(self.life.path)
        rows = list(reader.attempts(RUN))
        for row in rows:
            place = (row.test_id, row.source, row.attempt)
            assert place not in self.failed or row.outcome in BAD_OUTCOMES, f"{place} had failed"
            told = self.outcomes[row.test_id]
            assert 1 <= row.attempt <= len(told) + (row.test_id in self.running.values()), f"nobody made {place}"
            if row.outcome in BAD_OUTCOMES and row.outcome == [*told, ""][row.attempt - 1]:
                self.failed.add(place)
        assert len({(row.test_id, row.attempt) for row in rows}) == len(rows)
        states = Counter(row.state for row in reader.results(RUN))
        with closing(connect_read_only(self.life.path)) as connection:
            assert states_by_id(connection, [RUN]) == {RUN: states}
        run = reader.run(RUN)
        if run is not None and run.state == "passed":
            assert not states.keys() & BAD_STATES

    def end_all(self) -> None:
        for worker in ("gw0", "gw1"):
            if worker in self.running:
                self.kill_worker(worker)
            elif worker not in self.over:
                self.over.add(worker)
                self.write(worker, "worker/end", runId=RUN, worker=worker, exitCode=0)
        bad = {self.final(test) for test in WORKER_OF} & BAD_STATES
        stopped = "not_run" in bad
        self.write("main", "run/end", runId=RUN, exitCode=1 if bad else 0, stoppedEarly=stopped)
        while any(self.heard[process] < len(self.journals[process]) for process in PROCESSES):
            for process in PROCESSES:
                self.tell(process, 3)
        self.check()

    def final(self, test: str) -> str:
        outcomes = self.outcomes[test]
        if not outcomes:
            return "not_run"
        is_good = outcomes[-1] in ("passed", "xpassed", "skipped", "xfailed")
        return "flaky" if is_good and len(outcomes) > 1 else outcomes[-1]

    def check_end(self) -> None:
        reader = Reader(self.life.path)
        assert {row.test_id: row.state for row in reader.results(RUN)} == {test: self.final(test) for test in WORKER_OF}
        assert len(list(reader.attempts(RUN))) == sum(map(len, self.outcomes.values()))
        run = reader.run(RUN)
        assert run is not None
        green = not {self.final(test) for test in WORKER_OF} & BAD_STATES
        assert (run.state == "passed") == green
        self.life.recorder.writer.close()
        again = self.life.folder / "again.db"
        rebuild(self.life.path, again)
        assert differences(self.life.path, again) == []


TestStories = pytest.mark.hazard(19)(Stories.TestCase)
TestStories.settings = settings(
    max_examples=20, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
