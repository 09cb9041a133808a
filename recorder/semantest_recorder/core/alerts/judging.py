"""Whether rules fire: facts of runs, tests and the recorder in, sightings out (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

from semantest_recorder.core.alerts.alert import Sighting
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.core.analysis.flakiness import PASSED, Flakiness
from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.core.analysis.standing import FLAKY, Standing
from semantest_recorder.core.analysis.time_shift import PASSES_MIN, shifts

#: States of runs in which something went wrong; a run that somebody cancelled says nothing.
_FAILED: Final = {"failed": "failed", "interrupted": "was interrupted", "timeout": "ran out of time"}
#: Of the tests that newly fail in one run at most so many are told of, and looked after.
MOST_TESTS: Final = 5000
#: A flaky test is one no more when its rate is below this share of the threshold: near it, it would come and go.
_WELL_BELOW: Final = 0.5


class JudgedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is over. ``tests``: how many it was to run; ``bad``: how many of them ended badly and count.

    ``is_empty``: pytest selected no test, so that it says nothing of any.
    """

    id: str
    state: str
    branch: str | None
    pull_request: str | None = None
    tests: int = 0
    bad: int = 0
    is_empty: bool = False
    duration_ms: float | None = None

    @property
    def place(self) -> str:
        """What its alerts are about: its branch, and the pull request."""
        place = self.branch or "(no branch)"
        return f"{place} (pull request {self.pull_request})" if self.pull_request else place


class NewFailure(msgspec.Struct, frozen=True):
    """A test that newly fails. ``error``: its first line, which may be empty; how it stands among earlier runs."""

    test_id: str
    error: str
    standing: Standing


class NewFailures(msgspec.Struct, frozen=True):
    """What a run says of tests: those that newly fail, and of those that fire already their states and errors.

    ``collected``: what could not be collected when it began to fire, and now has tests; ``gone``: tests that fire and
    are no part of the suite any more.
    """

    failing: Sequence[NewFailure]
    states: Mapping[str, str]
    errors: Mapping[str, str] = msgspec.field(default_factory=dict)
    collected: Collection[str] = ()
    gone: Collection[str] = ()


class RunningTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that runs now, for ``elapsed_ms``; ``passes``: its durations in earlier runs."""

    run_id: str
    branch: str | None
    test_id: str
    worker: str
    elapsed_ms: float
    passes: Sequence[float]
    pull_request: str | None = None


def judge_result(run: JudgedRun) -> Iterator[Sighting]:
    """``run-failed``: of one branch."""
    if run.is_empty:
        return
    if run.state in _FAILED:
        why = f"{run.bad} of {run.tests} tests failed" if run.bad else f"the run {_FAILED[run.state]}"
        yield _of_run(run, firing=True, summary=why)
    elif run.state == "passed":
        yield _of_run(run, firing=False, summary="a run passed")


def judge_budget(rule: Rule, run: JudgedRun) -> Iterator[Sighting]:
    """``budget-exceeded``: of one branch. A run that failed early is no proof that it keeps to the time."""
    if run.duration_ms is None:
        return
    words = f"{_seconds(run.duration_ms)}, and at most {_seconds(rule.max_duration_ms)} is allowed"
    if run.duration_ms > rule.max_duration_ms:
        yield _of_run(run, firing=True, summary=f"it took {words}")
    elif run.state == "passed":
        yield _of_run(run, firing=False, summary=f"a run took {words}")


def judge_duration(rule: Rule, run: JudgedRun, earlier_ms: Sequence[float]) -> Iterator[Sighting]:
    """``run-slower``: against runs of about as many tests, by the scores that `semantest diff` uses for tests."""
    if run.duration_ms is None or run.state not in ("passed", "failed"):
        return
    if run.is_empty or len(earlier_ms) < PASSES_MIN:
        return
    usual = median(earlier_ms)
    slower = [one for one in shifts({run.id: (run.duration_ms, earlier_ms)}) if one.score > 0]
    words = f"{_seconds(run.duration_ms)}, usually {_seconds(usual)} (median of {len(earlier_ms)} runs)"
    far = run.duration_ms >= rule.factor * usual and run.duration_ms - usual >= rule.at_least_ms
    if slower and far:
        yield _of_run(run, firing=True, summary=f"it took {words}")
    else:
        yield _of_run(run, firing=False, summary=f"a run took {words}")


def judge_failures(run: JudgedRun, found: NewFailures) -> Iterator[Sighting]:
    """``new-failure``: of a test on one branch. It is over when the test passes, or is not there any more."""
    for one in found.failing:
        summary = f"{one.error or 'failed'}; {_since_when(one.standing)}"
        yield _of_test(run, one.test_id, firing=True, summary=summary)
    failing = {one.test_id for one in found.failing}
    for test_id, state in found.states.items():
        if test_id in failing:
            continue
        if state in BROKEN:
            words = f"{found.errors.get(test_id) or state}; it still fails"
            yield _of_test(run, test_id, firing=True, summary=words)
        elif state in PASSED or state == "flaky":
            words = "it passed again" if state in PASSED else "it passed again on a retry"
            yield _of_test(run, test_id, firing=False, summary=words)
    for test_id in found.collected:
        yield _of_test(run, test_id, firing=False, summary="tests of it are collected again")
    for test_id in found.gone:
        yield _of_test(run, test_id, firing=False, summary="it is not there any more")


def _since_when(standing: Standing) -> str:
    if standing.kind == FLAKY and standing.last_good is not None:
        return f"with the same code it passed in {_run_words(standing.last_good)}"
    return standing.newness(_run_words)


def _run_words(run: PastRun) -> str:
    return f"run {run.run_id}"


def test_subject(test_id: str, place: str) -> str:
    """What a new failure is about."""
    return f"{test_id} on {place}"


def judge_flakiness(
    rule: Rule, run: JudgedRun, found: Mapping[str, Flakiness], firing: Iterable[str]
) -> Iterator[Sighting]:
    """``flaky``: of a test, over all branches of the rule. ``firing``: the tests that fire."""
    for test_id, flaky in found.items():
        over = flaky.rate >= rule.rate and len(flaky.flaky_runs) >= rule.flaky_runs and flaky.status == "flaky"
        if over:
            words = f"flaky in {len(flaky.flaky_runs)} of {flaky.runs} runs ({flaky.rate:.0%})"
            yield Sighting(subject=test_id, firing=True, summary=words, run_id=run.id, test_id=test_id)
    for test_id in firing:
        flaky_now = found.get(test_id)
        if flaky_now is None or flaky_now.status != "flaky" or flaky_now.rate < _WELL_BELOW * rule.rate:
            words = _no_longer_flaky(flaky_now)
            yield Sighting(subject=test_id, firing=False, summary=words, run_id=run.id, test_id=test_id)


def _no_longer_flaky(flaky: Flakiness | None) -> str:
    if flaky is None:
        return "no flaky run any more in those looked at"
    return {"changed": "its code was changed since", "failing": "it fails all the time now"}.get(
        flaky.status, f"flaky in {len(flaky.flaky_runs)} of {flaky.runs} runs only"
    )


def judge_running(rule: Rule, running: Iterable[RunningTest], firing: Iterable[str]) -> Iterator[Sighting]:
    """``hanging-test``: of a test in a run. What is not among ``running`` any more has ended. ``firing``: subjects."""
    still = set[str]()
    for test in running:
        if not rule.is_about(test.branch, test.pull_request):
            continue
        usual = median(test.passes) if test.passes else None
        limit = rule.new_after_ms if usual is None else max(rule.at_least_ms, rule.factor * usual)
        if test.elapsed_ms < limit:
            continue
        subject = f"{test.test_id} in run {test.run_id}"
        known = "it never passed before" if usual is None else f"usually {_seconds(usual)}"
        still.add(subject)
        yield Sighting(
            subject=subject,
            firing=True,
            summary=f"runs for {_seconds(test.elapsed_ms)} on {test.worker}, {known}",
            branch=test.branch,
            run_id=test.run_id,
            test_id=test.test_id,
        )
    for subject in firing:
        if subject not in still:
            test_id, _, run_id = subject.rpartition(" in run ")
            yield Sighting(subject=subject, firing=False, summary="it ended", run_id=run_id, test_id=test_id)


def judge_recorder(rule: Rule, store_error: str | None, free_bytes: int | None) -> Iterator[Sighting]:
    """``recorder-unhealthy``: of its store and its disk; ``None``: nothing is wrong, or not known."""
    refuses = store_error is not None
    words = f"it stores nothing: {store_error}" if refuses else "it stores what comes"
    yield Sighting(subject="store", firing=refuses, summary=words)
    if free_bytes is not None:
        little = free_bytes < rule.min_free
        words = f"{free_bytes / 1e6:,.0f} MB are free, and {rule.min_free / 1e6:,.0f} MB are wanted"
        yield Sighting(subject="disk", firing=little, summary=words)


def _of_run(run: JudgedRun, *, firing: bool, summary: str) -> Sighting:
    return Sighting(
        subject=run.place, firing=firing, summary=summary, branch=run.branch, run_id=run.id, weight=run.tests
    )


def _of_test(run: JudgedRun, test_id: str, *, firing: bool, summary: str) -> Sighting:
    return Sighting(
        subject=test_subject(test_id, run.place),
        firing=firing,
        summary=summary,
        branch=run.branch,
        run_id=run.id,
        test_id=test_id,
    )


def _seconds(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 0.1 else "less than 0.1 s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
