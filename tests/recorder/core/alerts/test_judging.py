"""When rules fire, and when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from semantest_recorder.core.alerts.judging import (
    JudgedRun,
    NewFailure,
    NewFailures,
    RunningTest,
    judge_budget,
    judge_duration,
    judge_failures,
    judge_flakiness,
    judge_recorder,
    judge_result,
    judge_running,
)
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.analysis.flakiness import Flakiness, Observation, flakiness
from semantest_recorder.core.analysis.standing import standing
from tests.recorder.core.analysis.past_runs import runs


def rule(kind: str, **more: Any) -> Rule:
    return Rule(name="r", kind=kind, channels=("log",), **more)


def run(**more: Any) -> JudgedRun:
    return JudgedRun(**{"id": "r1", "state": "failed", "branch": "main", "tests": 40, "bad": 2, **more})


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("failed", [(True, "2 of 40 tests failed")]),
        ("passed", [(False, "a run passed")]),
        ("cancelled", []),
        ("interrupted", [(True, "2 of 40 tests failed")]),
    ],
)
def test_a_run_that_failed(state: str, told: list[tuple[bool, str]]) -> None:
    assert [(one.firing, one.summary) for one in judge_result(run(state=state))] == told


def test_a_run_of_which_pytest_selected_no_test_says_nothing() -> None:
    assert list(judge_result(run(tests=0, bad=0, is_empty=True))) == []


def test_a_run_without_a_failed_test_says_what_became_of_it() -> None:
    (one,) = judge_result(run(state="timeout", bad=0, pull_request="7"))
    assert (one.subject, one.summary) == ("main (pull request 7)", "the run ran out of time")


def test_a_budget() -> None:
    budget = rule("budget-exceeded", max_duration_ms=60_000.0)
    (over,) = judge_budget(budget, run(state="running", duration_ms=90_000.0))
    assert (over.firing, over.summary) == (True, "it took 1 min 30 s, and at most 1 min is allowed")
    assert list(judge_budget(budget, run(state="running", duration_ms=30_000.0))) == []
    assert list(judge_budget(budget, run(state="failed", duration_ms=30_000.0))) == [], "it may have ended early"
    assert [one.firing for one in judge_budget(budget, run(state="passed", duration_ms=30_000.0))] == [False]


def test_a_slow_run_is_slower_than_its_own_noise() -> None:
    slower = rule("run-slower", factor=1.2, at_least_ms=10_000.0)
    usual = [60_000.0, 61_000.0, 59_000.0, 60_500.0, 59_500.0, 60_200.0]
    (one,) = judge_duration(slower, run(state="passed", duration_ms=95_000.0), usual)
    assert (one.firing, one.summary) == (True, "it took 1 min 35 s, usually 1 min (median of 6 runs)")
    noisy = [20_000.0, 100_000.0, 40_000.0, 90_000.0, 60_000.0, 80_000.0]
    assert [one.firing for one in judge_duration(slower, run(duration_ms=95_000.0), noisy)] == [False]
    assert [one.firing for one in judge_duration(slower, run(duration_ms=62_000.0), usual)] == [False]
    assert list(judge_duration(slower, run(duration_ms=95_000.0), usual[:4])) == [], "too few to tell"


def test_new_failures_are_over_when_the_test_passes() -> None:
    states = {"a": "failed", "b": "passed", "c": "skipped", "d": "failed", "e": "crashed"}
    failing = [NewFailure("a", "AssertionError: no", standing(runs("."), "r1"))]
    found = NewFailures(failing, states, {"d": "AssertionError: never"})
    seen = {one.test_id: (one.firing, one.summary) for one in judge_failures(run(), found)}
    assert seen == {
        "a": (True, "AssertionError: no; it was good in run r0"),
        "b": (False, "it passed again"),
        "d": (True, "AssertionError: never; it still fails"),
        "e": (True, "crashed; it still fails"),
    }


def test_flaky_from_a_threshold_on_and_over_well_below_it() -> None:
    flaky = rule("flaky", rate=0.2, flaky_runs=2)

    def history(*states: str) -> Flakiness:
        found = flakiness(Observation(place, None, state, 1, None) for place, state in enumerate(states))
        assert found is not None
        return found

    often, seldom = history(*["flaky", "passed"] * 5), history("flaky", *["passed"] * 19)
    between = history("flaky", "flaky", *["passed"] * 10)
    seen = list(judge_flakiness(flaky, run(), {"often": often, "seldom": seldom, "between": between}, []))
    assert [(one.subject, one.summary) for one in seen] == [("often", "flaky in 5 of 10 runs (50%)")]
    firing = ["often", "seldom", "between", "gone"]
    seen = list(judge_flakiness(flaky, run(), {"often": often, "seldom": seldom, "between": between}, firing))
    assert {one.subject: one.firing for one in seen} == {"often": True, "seldom": False, "gone": False}


def test_a_hanging_test_goes_by_its_own_usual() -> None:
    hanging = rule("hanging-test", factor=3.0, at_least_ms=60_000.0, new_after_ms=600_000.0)

    def running(test_id: str, elapsed_s: float, *passes_s: float) -> RunningTest:
        passes = [one * 1000 for one in passes_s]
        return RunningTest(
            run_id="r1", branch="main", test_id=test_id, worker="gw0", elapsed_ms=elapsed_s * 1000, passes=passes
        )

    now = [
        running("slow", 61, 1.0, 2.0),
        running("always slow", 100, 50.0),
        running("too slow", 151, 50.0),
        running("new", 100),
        running("new and slow", 601),
    ]
    seen = list(judge_running(hanging, now, ["slow in run r1", "done in run r1"]))
    assert {one.subject: one.firing for one in seen} == {
        "slow in run r1": True,
        "too slow in run r1": True,
        "new and slow in run r1": True,
        "done in run r1": False,
    }
    assert seen[0].summary == "runs for 1 min 1 s on gw0, usually 1.5 s"
    elsewhere = rule("hanging-test", branches=("release/*",), at_least_ms=1.0)
    assert list(judge_running(elsewhere, now, [])) == []


def test_the_recorder_itself() -> None:
    unhealthy = rule("recorder-unhealthy", min_free=1_000_000_000)
    seen = list(judge_recorder(unhealthy, "the disk is full", 500_000_000))
    assert [(one.subject, one.firing, one.summary) for one in seen] == [
        ("store", True, "it stores nothing: the disk is full"),
        ("disk", True, "500 MB are free, and 1,000 MB are wanted"),
    ]
    assert [one.firing for one in judge_recorder(unhealthy, None, 2_000_000_000)] == [False, False]
