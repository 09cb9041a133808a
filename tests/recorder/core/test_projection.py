"""What single histories come to: the rows of docs/design/ledger.md and events.md, through real events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.payloads import MalformedError
from semantest_recorder.core.run_state import RunState

from .histories import event

T, U = "a.py::t", "a.py::u"


class Run:
    """A run that is told one event after the other."""

    def __init__(self, *sources: str) -> None:
        self.state = RunState("r")
        self.seqs: dict[str, int] = {}
        self.now = 1000.0
        self.derived: list[RawEvent] = []
        for source in sources:
            self.begin(source)

    def begin(self, source: str) -> None:
        session, _, worker = source.rpartition(".")
        self.tell(source, "worker/start", runId="r", session=session, worker=worker)

    def tell(self, source: str, kind: str, **payload: Any) -> None:
        self.now += 10.0
        seq = self.seqs[source] = self.seqs.get(source, 0) + 1
        self.state.apply(source, seq, event(kind, self.now, **payload))
        self.derived += self.state.settle()

    def plan(self, *tests: str, source: str = "s.main", total: int | None = None) -> None:
        self.tell(source, "run/plan", tests=list(tests), offset=0, total=total or len(tests), deselected=0)

    def attempt(self, source: str, test_id: str, outcome: str | None, number: int = 1, **more: Any) -> None:
        self.tell(source, "test/start", testId=test_id, attempt=number, timeout=more.pop("timeout", None))
        if outcome is not None:
            self.tell(source, "test/end", testId=test_id, attempt=number, outcome=outcome, duration=1.0, **more)

    def end(self, source: str = "s.main", code: int | None = 0, **more: Any) -> None:
        self.tell(source, "run/end" if source.endswith("main") else "worker/end", exitCode=code, **more)

    def states(self) -> dict[str, str]:
        return {test_id: test.result.state for test_id, test in self.state.tests.items()}

    @property
    def of_run(self) -> str:
        return self.state.run.state


def test_a_green_run() -> None:
    run = Run("s.main")
    run.plan(T, U)
    run.attempt("s.main", T, "passed")
    assert run.states() == {T: "passed", U: "pending"}
    assert run.of_run == "running"
    run.attempt("s.main", U, "skipped", reason="why")
    run.end()
    assert run.of_run == "passed"
    row = run.state.run
    assert (row.planned, row.exit_code, row.started_ms, row.ended_ms) == (2, 0, 1010.0, 1070.0)
    assert run.state.tests[U].result.reason == "why"


@pytest.mark.parametrize("state", ["failed", "error", "timeout", "interrupted"])
def test_exit_code_0_is_not_green_with_a_bad_test(state: str) -> None:
    run = Run("s.main")
    run.attempt("s.main", T, state)
    run.end(code=0)
    assert run.of_run == "failed"


def test_a_chunk_of_a_plan_that_is_said_twice_hides_no_other() -> None:
    run = Run("s.main")
    for _ in range(2):
        run.plan(T, total=2)
    run.attempt("s.main", T, "passed")
    run.end()
    assert run.of_run == "failed"
    assert (run.state.run.planned, run.state.sources["s.main"].row.plan_known) == (2, 1)


def test_a_plan_may_name_a_test_twice() -> None:
    run = Run("s.main")
    run.plan(T, T)  # --keep-duplicates
    run.attempt("s.main", T, "passed")
    run.end()
    assert run.of_run == "passed"


def test_no_tests_is_not_green() -> None:
    run = Run("s.main")
    run.end(code=5)
    assert run.of_run == "failed"


@pytest.mark.hazard(7)
def test_a_retry_that_passes_is_flaky_and_shows_as_running_in_between() -> None:
    run = Run("s.main")
    run.attempt("s.main", T, "failed", willRetry=True)
    assert run.states() == {T: "running"}
    run.attempt("s.main", T, "passed", 2)
    assert run.states() == {T: "flaky"}
    assert run.state.tests[T].result.attempts == 2


def test_a_retry_that_never_came_counts_as_it_was() -> None:
    run = Run("s.main")
    run.attempt("s.main", T, "failed", willRetry=True)
    run.end(code=1)
    assert run.states() == {T: "failed"}


def test_each_source_is_judged_alone_when_they_repeat_a_test() -> None:
    run = Run("s.main", "s.gw0", "s.gw1")
    run.attempt("s.gw0", T, "passed")
    run.attempt("s.gw1", T, "failed")
    assert run.states() == {T: "failed"}
    result = run.state.tests[T].result
    assert (result.worker, result.attempts) == ("gw1", 1)


def test_main_died() -> None:
    run = Run("s.main", "s.shipper")
    run.plan(T, U)
    run.attempt("s.main", T, None)
    words = [{"stream": "stdout", "text": "out"}, {"stream": "stderr", "text": "err"}]
    crash = {"worker": "main", "reason": "killed", "testId": T, "attempt": 1, "phase": "call", "elapsed": 5.0}
    run.tell("s.shipper", "worker/crash", **crash, lastOutput=words)
    run.tell("s.shipper", "run/end", exitCode=None, interrupted=True, stopReason="pytest died")
    assert run.states() == {T: "crashed", U: "not_run"}
    assert run.of_run == "interrupted"
    [attempt] = run.state.tests[T].attempts
    assert (attempt.phase, attempt.duration_ms, attempt.reason, attempt.judged) == ("call", 5.0, "killed", True)
    assert attempt.last_output == "--- stdout ---\nout\n--- stderr ---\nerr"
    assert run.state.tests[U].result.reason == "killed"


@pytest.mark.parametrize(("elapsed", "outcome"), [(94.0, "crashed"), (95.0, "timeout"), (None, "crashed")])
def test_a_process_that_dies_at_its_tests_timeout(elapsed: float | None, outcome: str) -> None:
    run = Run("s.main", "s.gw0")
    run.attempt("s.gw0", T, None, timeout=100.0)
    run.tell("s.main", "worker/crash", worker="gw0", testId=T, elapsed=elapsed)
    assert run.states() == {T: outcome}


def test_an_end_beats_a_crash_report() -> None:
    run = Run("s.main", "s.gw0")
    run.attempt("s.gw0", T, "passed")
    run.tell("s.main", "worker/crash", worker="gw0", testId=T, reason="died")
    run.end()
    assert run.states() == {T: "passed"}
    assert run.of_run == "passed"
    assert run.state.sources["s.gw0"].row.state == "crashed"


def test_a_crash_report_makes_the_attempt_whose_start_never_came() -> None:
    run = Run("s.main")
    run.plan(T)
    run.tell("s.main", "worker/crash", worker="gw0", testId=T, reason="died")
    run.end(code=1)
    assert run.states() == {T: "crashed"}
    assert [attempt.guessed for attempt in run.state.tests[T].attempts] == [True]


def test_all_workers_are_gone() -> None:
    run = Run("s.main", "s.gw0")
    run.plan(T, U)
    run.tell("s.main", "worker/crash", worker="gw0", testId=T)
    run.end(code=1)
    assert run.states() == {T: "crashed", U: "not_run"}


def test_stopped_early_under_xdist_is_failed_not_interrupted() -> None:
    run = Run("s.main", "s.gw0")
    run.plan(T, U)
    run.attempt("s.gw0", T, "failed")
    run.end("s.gw0")
    run.end(code=2, stoppedEarly=True, stopReason="stopping after 1 failures", interrupted=False)
    assert run.states() == {T: "failed", U: "not_run"}
    assert (run.of_run, run.state.tests[U].result.reason) == ("failed", "stopping after 1 failures")


def test_ctrl_c() -> None:
    run = Run("s.main", "s.gw0")
    run.plan(T, U)
    run.attempt("s.gw0", T, None)
    run.end("s.gw0", code=2)
    run.end(code=2, stoppedEarly=True, interrupted=True, stopReason="KeyboardInterrupt")
    assert run.states() == {T: "interrupted", U: "not_run"}
    assert run.of_run == "interrupted"


@pytest.mark.parametrize("damage", ["gap", "dropped"])
def test_missing_records_make_what_they_hide_lost(damage: str) -> None:
    run = Run("s.main")
    run.plan(T, U)
    run.attempt("s.main", T, None)
    if damage == "gap":
        run.tell("s.main", "journal/gap", reason="checksum does not fit")
    run.end(interrupted=True, dropped=1 if damage == "dropped" else None)
    assert run.states() == {T: "lost", U: "lost"}
    assert run.state.run.gaps == 1


def test_a_normal_end_loses_what_has_no_record() -> None:
    run = Run("s.main")
    run.plan(T, U)
    run.attempt("s.main", T, None)
    run.end()
    assert run.states() == {T: "lost", U: "lost"}
    assert run.of_run == "failed"


def test_tests_whose_names_a_gap_hides_are_counted_and_not_green() -> None:
    run = Run("s.main")
    run.plan(T, total=501)
    run.attempt("s.main", T, "passed")
    run.end()
    assert (run.of_run, run.state.run.planned) == ("failed", 501)


@pytest.mark.parametrize("where", ["s.main", "s.gw0", "s.shipper"])
def test_a_missing_record_is_never_green_whatever_it_held(where: str) -> None:
    run = Run("s.main", "s.gw0", "s.shipper")
    run.plan(T)
    run.attempt("s.gw0", T, "passed")
    run.tell(where, "journal/gap", reason="no readable record")
    run.end("s.gw0")
    run.end()
    assert (run.of_run, run.state.run.gaps, run.states()) == ("failed", 1, {T: "passed"})


def test_records_that_were_dropped_are_counted_once() -> None:
    run = Run("s.main")
    run.plan(T)
    run.attempt("s.main", T, "passed")
    run.tell("s.main", "journal/gap", reason="no readable record")
    run.end(dropped=1)
    assert (run.of_run, run.state.run.gaps) == ("failed", 1)


def test_a_late_event_opens_the_judgement_again() -> None:
    run = Run("s.main", "s.gw0")
    run.plan(T, U)
    run.attempt("s.gw0", T, None)
    run.end()
    assert run.states() == {T: "lost", U: "lost"}
    assert run.of_run == "failed"
    run.tell("s.gw0", "test/end", testId=T, attempt=1, outcome="passed")
    run.begin("s.gw1")
    run.attempt("s.gw1", U, "passed")
    assert run.states() == {T: "passed", U: "passed"}
    assert run.of_run == "passed"


def test_a_run_waits_for_the_main_of_every_session() -> None:
    run = Run("s.gw0", "s2.main")
    run.end("s.gw0")
    run.end("s2.main")
    assert run.of_run == "running"
    run.begin("s.main")
    run.end("s.main", code=1)
    assert (run.of_run, run.state.run.exit_code) == ("failed", 1)


def test_a_client_cancels() -> None:
    run = Run("s.main", "live/recorder/r.client")
    run.plan(T)
    run.tell("live/recorder/r.client", "run/cancel", reason="enough")
    run.end(code=2, interrupted=True)
    assert (run.of_run, run.states()) == ("cancelled", {T: "not_run"})


def test_only_the_recorder_says_that_a_run_is_cancelled_or_another_session_dead() -> None:
    run = Run("s.main", "evil.main")
    run.plan(T)
    run.tell("evil.main", "run/cancel", reason="because I can")
    run.tell("evil.main", "worker/crash", session="s", worker="main", reason="because I can")
    run.tell("evil.main", "worker/crash", session="live/recorder/r2", worker="client", reason="because I can")
    assert set(run.state.sources) == {"s.main", "evil.main"}
    run.end("evil.main")
    assert run.of_run == "running"
    run.attempt("s.main", T, "passed")
    run.end()
    assert run.of_run == "passed"


def test_a_file_that_cannot_be_collected_counts_once() -> None:
    run = Run("s.main", "s.gw0", "s.gw1")
    for source in ("s.main", "s.gw0", "s.gw1"):
        run.tell(source, "collect/error", testId="bad.py", outcome="failed", error={"message": "SyntaxError"})
    result = run.state.tests["bad.py"].result
    assert (result.state, result.attempts) == ("error", 1)
    assert {attempt.phase for attempt in run.state.tests["bad.py"].attempts} == {"collect"}


def test_a_failed_phase_is_known_before_the_end() -> None:
    run = Run("s.main")
    run.tell("s.main", "test/start", testId=T, attempt=1)
    run.tell("s.main", "test/phase", testId=T, attempt=1, phase="call", outcome="failed", error={"message": "boom"})
    [attempt] = run.state.tests[T].attempts
    assert (attempt.outcome, attempt.phase, attempt.error_message, attempt.detail_seq) == (None, "call", "boom", 3)


def test_a_death_that_nobody_saw_tells_no_phase() -> None:
    run = Run("s.main", "s.shipper")
    run.attempt("s.main", T, None)
    run.tell("s.shipper", "worker/crash", worker="main", reason="died", testId=T, attempt=1, elapsed=12.0)
    (attempt,) = run.state.tests[T].attempts
    assert (attempt.outcome, attempt.phase, attempt.duration_ms) == ("crashed", None, 12.0)


@pytest.mark.parametrize(
    ("ended", "phase"),
    [({}, "setup"), ({"setup": 0.5}, "call"), ({"setup": 0.5, "call": 1.0}, "teardown")],
)
def test_an_interrupted_test_was_in_the_phase_after_the_last_that_ended(ended: dict[str, float], phase: str) -> None:
    run = Run("s.main")
    run.attempt("s.main", T, "interrupted", phases=ended)
    (attempt,) = run.state.tests[T].attempts
    assert attempt.phase == phase


def test_an_observation_never_reopens_an_attempt() -> None:
    run = Run("s.main", "s.shipper")
    run.attempt("s.main", T, "passed", phases={"setup": 0.5, "call": 1.0, "teardown": 0.25})
    run.tell("s.shipper", "test/phase", worker="main", testId=T, attempt=1, phase="call")
    [attempt] = run.state.tests[T].attempts
    assert (attempt.outcome, attempt.phase, attempt.setup_ms) == ("passed", "teardown", 0.5)


def test_clients_that_do_not_number_attempts() -> None:
    run = Run("s.main")
    for outcome in ("failed", "passed"):
        run.tell("s.main", "test/start", testId=T)
        run.tell("s.main", "test/end", testId=T, status=outcome)
    assert [attempt.attempt for attempt in run.state.tests[T].attempts] == [1, 2]
    assert run.states() == {T: "flaky"}


def test_suites_start_and_end() -> None:
    run = Run("s.main")
    run.plan(T, U, "b.py::X::v")
    run.attempt("s.main", T, "passed")
    run.attempt("s.main", U, "failed")
    assert [derived.type for derived in run.derived] == ["test/suite/start", "test/suite/end"]
    assert msgspec.json.decode(run.derived[1].payload) == {
        "runId": "r",
        "suiteId": "a.py",
        "suiteName": "a.py",
        "duration": 30.0,
        "totalTests": 2,
        "passedTests": 1,
        "failedTests": 1,
        "skippedTests": 0,
    }


def test_the_run_shows_the_facts_of_the_session_that_started_first() -> None:
    run = Run()
    for session in ("s", "s2"):
        names = {"runId": "r", "session": session, "worker": "main"}
        run.tell(f"{session}.main", "run/start", **names, name=session, labels={"py": 3})
    assert (run.state.run.name, run.state.run.labels) == ("s", {"py": "3"})


def test_a_first_event_must_name_its_run() -> None:
    with pytest.raises(MalformedError, match="worker"):
        RunState("r").apply("s.main", 1, event("run/start", 1.0, runId="r", session="s"))


def test_a_gap_in_place_of_the_first_event_may_name_the_run() -> None:
    run = Run("s.main")
    run.plan(T, U)
    names = {"runId": "r", "session": "s", "worker": "gw0"}
    run.seqs["s.gw0"] = 1
    run.state.apply("s.gw0", 1, event("journal/gap", 0.0, reason="unreadable", **names))
    run.attempt("s.gw0", T, "passed")
    run.end("s.gw0")
    run.end()
    row = run.state.sources["s.gw0"].row
    assert (row.session, row.worker, row.gaps, row.last_seq) == ("s", "gw0", 1, 4)
    assert row.started_ms is None
    assert run.states() == {T: "passed", U: "lost"}
    assert (run.of_run, run.state.run.gaps, run.state.run.started_ms) == ("failed", 1, 1010.0)


def test_a_run_whose_start_is_unknown_began_with_its_first_test() -> None:
    run = Run()
    run.state.apply("s.main", 1, event("journal/gap", 0.0, reason="unreadable", runId="r", session="s", worker="main"))
    run.seqs["s.main"] = 1
    run.tell("s.shipper", "shipper/start", runId="r", session="s", worker="shipper")
    assert run.state.run.started_ms == 1010.0
    run.now = 500.0
    run.attempt("s.main", T, "passed")
    run.end()
    assert (run.of_run, run.state.run.started_ms) == ("failed", 510.0)


def test_a_session_whose_start_is_unknown_does_not_come_first() -> None:
    run = Run()
    names = {"runId": "r", "worker": "main"}
    run.seqs["s2.main"] = 1
    run.state.apply("s2.main", 1, event("journal/gap", 0.0, session="s2", **names))
    run.tell("s2.main", "run/start", session="s2", name="s2", **names)
    run.tell("s.main", "run/start", session="s", name="s", **names)
    assert run.state.run.name == "s"


def test_a_test_that_only_an_observation_named_is_judged_anew_when_the_run_goes_on() -> None:
    run = Run("s.main")
    run.tell("s.main", "test/phase", testId=T, worker="gw0", phase="call")
    run.end()
    assert run.states() == {T: "lost"}
    run.begin("s2.main")
    assert run.states() == {T: "pending"}


def test_a_clients_run_is_judged_without_an_exit_code() -> None:
    run = Run()
    run.tell("live/r.main", "run/start", runId="r", session="live/r", worker="main", origin="client")
    run.tell("live/r.main", "test/suite/start", suiteId="login", suiteName="Login")
    run.tell("live/r.main", "test/start", testId="t1", testName="t1", suiteId="login")
    run.tell("live/r.main", "test/end", testId="t1", status="passed", duration=5.0)
    run.tell("live/r.main", "test/passed", testId="t2")
    run.tell("live/r.main", "test/suite/end", suiteId="login")
    run.end("live/r.main", code=None)
    assert run.of_run == "passed"
    suite = run.state.suites["login"].row
    assert (suite.name, suite.total, suite.passed, suite.ended_ms) == ("Login", 1, 1, suite.told_ended_ms)
    assert [event.type for event in run.derived if b"login" in bytes(event.payload)] == [], "the client said it itself"


def test_what_a_client_left_open_in_its_run_is_lost_and_the_run_not_green() -> None:
    run = Run()
    run.tell("live/r.main", "run/start", runId="r", session="live/r", worker="main", origin="client")
    run.tell("live/r.main", "test/start", testId="t1", testName="t1")
    run.end("live/r.main", code=None)
    assert (run.states(), run.of_run) == ({"t1": "lost"}, "failed")


@pytest.mark.parametrize(("timeout", "state"), [(None, "cancelled"), (True, "timeout")])
def test_a_cancelled_run_says_why(timeout: bool | None, state: str) -> None:
    run = Run("s.main")
    run.tell("live/recorder/r.client", "client/start", runId="r", session="live/recorder/r", worker="client")
    run.attempt("s.main", T, None)
    run.tell("live/recorder/r.client", "run/cancel", runId="r", reason="enough", timeout=timeout)
    assert run.of_run == "running", "pytest still runs"
    run.end(code=2, interrupted=True)
    assert (run.of_run, run.states()[T]) == (state, "interrupted")
    assert run.state.run.stop_reason == "enough"


def test_a_client_beside_a_run_holds_it_up_no_longer_than_it_takes() -> None:
    run = Run("s.main")
    run.attempt("s.main", T, "passed")
    run.tell("live/c/r.client", "client/start", runId="r", session="live/c/r", worker="client")
    run.attempt("live/c/r.client", U, None)
    run.tell("live/c/r.client", "test/log", testId=T, message="hello")
    run.end()
    assert (run.of_run, run.states()) == ("failed", {T: "passed", U: "lost"})
    assert [(row.test_id, row.type) for row in run.state.take().test_events] == [(T, "test/log")]
