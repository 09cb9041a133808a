"""Many attempts at one test, many reports of one death, many tests that change their suite."""

from __future__ import annotations

import pytest

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.crowd import ATTEMPTS_MAX, CROWDED
from semantest_recorder.core.facts import REPORTS_MAX

from .histories import event
from .told_run import Run, T

LIVE = "live/r.main"


def _start(test_id: str, suite: str) -> RawEvent:
    return event("test/start", 2000.0, testId=test_id, suiteId=suite)


@pytest.mark.parametrize("numbered", [True, False])
def test_many_attempts_are_kept_apart(numbered: bool) -> None:
    run = Run(LIVE, "s.main")
    count = 3 * CROWDED
    run.attempt("s.main", T, "failed", 1)
    for number in range(1, count + 1):
        attempt = number if numbered else None
        run.tell(LIVE, "test/start", testId=T, attempt=attempt)
        run.tell(LIVE, "test/end", testId=T, attempt=attempt, status="failed", duration=number)
    run.tell(LIVE, "test/log", testId=T, message="of the last one")
    own = run.state.tests[T].attempts_of(LIVE)
    assert [(one.attempt, one.duration_ms, one.outcome) for one in own] == [
        (number, number, "failed") for number in range(1, count + 1)
    ]
    assert [row.attempt for row in run.state.new_test_events] == [count]
    assert run.state.tests[T].result.attempts == count


def test_an_attempt_too_many_is_a_gap() -> None:
    run = Run("s.main")
    run.attempt("s.main", T, "passed", ATTEMPTS_MAX)
    assert run.state.run.gaps == 0
    run.tell("s.main", "test/start", testId=T)
    run.tell("s.main", "test/end", testId=T, attempt=ATTEMPTS_MAX + 1, outcome="passed", duration=1.0)
    run.end()
    assert len(run.state.tests[T].attempts) == 1
    assert [f"and {ATTEMPTS_MAX} are kept" in unread.reason for unread in run.state.unread] == [True, True]
    assert (run.state.run.gaps, run.of_run) == (2, "failed")


def test_a_death_need_not_be_reported_for_ever() -> None:
    run = Run("s.main")
    for _ in range(REPORTS_MAX + 5):
        run.tell("s.main", "worker/crash", worker="gw0", testId=T, reason="died")
    run.tell("s.main", "worker/crash", worker="gw1", testId=T, reason="died, too")
    assert len(run.state.sources["s.gw0"].crashes) == REPORTS_MAX
    assert (len(run.state.unread), run.state.run.gaps) == (5, 0)
    assert run.state.sources["s.gw1"].row.state == "crashed"
    assert run.states() == {T: "crashed"}


def test_a_test_that_comes_back_to_its_suite_within_a_batch_counts_once() -> None:
    run = Run(LIVE)
    tests = [f"a.py::t{number}" for number in range(5)]
    run.plan(*tests, source=LIVE)
    state = run.state
    for suite in ("z", "a.py"):
        for test in tests[:3]:
            run.seqs[LIVE] += 1
            state.apply(LIVE, run.seqs[LIVE], _start(test, suite))
    state.settle()
    assert {name: (suite.row.total, len(suite.tests)) for name, suite in state.suites.items()} == {"a.py": (5, 5)}
    for test in tests:
        run.tell(LIVE, "test/end", testId=test, status="passed", duration=1)
    run.end(LIVE, None)
    row = state.suites["a.py"].row
    assert (row.passed, row.done, row.total) == (5, 5, 5)
