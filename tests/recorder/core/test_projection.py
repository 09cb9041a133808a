"""What single histories come to: the rows of docs/design/ledger.md and events.md, through real events."""

from __future__ import annotations

import msgspec
import pytest

from .told_run import Run, T, U


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
