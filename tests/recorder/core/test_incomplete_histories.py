"""What histories come to of which a part is missing: processes that died, records that are gone or come late."""

from __future__ import annotations

import pytest

from semantest_recorder.core.payloads import MalformedError
from semantest_recorder.core.run_state import RunState

from .histories import event
from .told_run import Run, T, U


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
