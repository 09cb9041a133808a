"""What every rule says now: facts out of the database, judged by core/alerts/judging.py. Blocking, for a thread."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from semantest_recorder.answers.run_difference import run_difference
from semantest_recorder.answers.stored_history import StoredHistory, stored_history
from semantest_recorder.core.alerts.alert import Sighting
from semantest_recorder.core.alerts.judging import (
    MOST_TESTS,
    JudgedRun,
    NewFailure,
    NewFailures,
    RunningTest,
    judge_budget,
    judge_duration,
    judge_failures,
    judge_flakiness,
    judge_result,
    judge_running,
    test_subject,
)
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.alerts.telling import Looked
from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.core.analysis.flakiness import PASSED
from semantest_recorder.core.analysis.standing import FLAKY, NEW, RUNS, standing
from semantest_recorder.core.analysis.time_shift import PASSES
from semantest_recorder.reports.report import ErrorInfo
from semantest_recorder.reports.run_diff import TestChange, error_info
from semantest_recorder.store.alert_facts import AlertFacts, Unjudged
from semantest_recorder.store.analysis_runs import AnalysisRuns
from semantest_recorder.store.errors import BranchNotFound, StoreError
from semantest_recorder.store.identity import read_identity

_MOST_REASON = 200
_GOOD: Final = PASSED | {"flaky"}
#: Of so many tests the earlier runs are read at a time.
_AT_ONCE = 500

_log = logging.getLogger(__name__)


class Judges:
    """Looks with ``rules`` at the database at ``path``. Everything raises what ``Reader`` raises."""

    def __init__(self, path: Path, rules: Iterable[Rule]) -> None:
        self._path = path
        self._rules = tuple(rules)

    def of_runs(self, now_ms: float) -> tuple[list[Looked], Unjudged]:
        """What rules say of runs that are over, and these runs.

        A rule is told of all runs together, so that after a while without a recorder people learn how it is now, and
        not how it was meanwhile.
        """
        with closing(AlertFacts(self._path)) as facts:
            unjudged = facts.unjudged(now_ms)
            looked = []
            for rule in self._rules if unjudged.runs else ():
                own = [run for run in unjudged.runs if rule.is_about(run.branch, run.pull_request)]
                looked.append(Looked(rule, _contained(rule, self._of_rule(facts, rule, own))))
        return looked, unjudged

    def of_time(self, now_ms: float, open_runs: Sequence[str]) -> list[Looked]:
        """What rules say of runs that go on; ``open_runs`` are their ids."""
        kinds = {rule.kind for rule in self._rules}
        if not kinds & {"hanging-test", "budget-exceeded"}:
            return []
        with closing(AlertFacts(self._path)) as facts:
            return [
                Looked(rule, _contained(rule, self._of_open(facts, rule, open_runs, now_ms)))
                for rule in self._rules
                if rule.kind in ("hanging-test", "budget-exceeded")
            ]

    def _of_rule(self, facts: AlertFacts, rule: Rule, runs: Sequence[JudgedRun]) -> Iterator[Sighting]:
        if rule.kind == "flaky" and runs:
            firing = [one.subject for one in facts.firing(rule)]
            yield from judge_flakiness(rule, runs[-1], facts.flaky(rule), firing)
        for run in runs:
            if rule.kind == "run-failed":
                yield from judge_result(run)
            elif rule.kind == "budget-exceeded":
                yield from judge_budget(rule, run)
            elif rule.kind == "run-slower":
                yield from judge_duration(rule, run, facts.earlier_durations(run.id))
            elif rule.kind == "new-failure":
                yield from judge_failures(run, self._new_failures(facts, rule, run))

    def _of_open(self, facts: AlertFacts, rule: Rule, open_runs: Sequence[str], now_ms: float) -> Iterator[Sighting]:
        if rule.kind == "budget-exceeded":
            for run in facts.open_runs(open_runs, now_ms) if open_runs else ():
                yield from judge_budget(rule, run) if rule.is_about(run.branch, run.pull_request) else ()
            return
        firing = [one.subject for one in facts.firing(rule)]
        yield from judge_running(rule, self._long_running(facts, rule, open_runs, now_ms), firing)

    def _long_running(
        self, facts: AlertFacts, rule: Rule, open_runs: Sequence[str], now_ms: float
    ) -> list[RunningTest]:
        """Tests that may hang, with their earlier passes; most are over before anybody has to ask for these."""
        least_ms = min(rule.at_least_ms, rule.new_after_ms)
        running = [one for one in facts.running(open_runs, now_ms) if one.elapsed_ms >= least_ms] if open_runs else []
        if not running:
            return []
        identity = read_identity(self._path)
        found = []
        with closing(AnalysisRuns(self._path)) as runs:
            for one in running:
                passes = runs.passes(one.run_id, {one.test_id: identity.ids_of(one.test_id)}, PASSES + 1)
                found.append(
                    RunningTest(
                        run_id=one.run_id,
                        branch=one.branch,
                        pull_request=one.pull_request,
                        test_id=one.test_id,
                        worker=one.worker,
                        elapsed_ms=one.elapsed_ms,
                        passes=passes.get(one.test_id, ()),
                    )
                )
        return found

    def _new_failures(self, facts: AlertFacts, rule: Rule, run: JudgedRun) -> NewFailures:
        firing = [
            one.test_id
            for one in facts.firing(rule)
            if one.test_id is not None and one.subject == test_subject(one.test_id, run.place)
        ]
        forgiven = facts.forgiven(run.id)
        all_states = facts.states(run.id, firing)
        states = {one: state for one, state in all_states.items() if one not in forgiven}
        absent = [one for one in firing if one not in all_states]
        collected = facts.collected(run.id, absent)
        with stored_history(self._path) as history:
            names = {one: history.identity.ids_of(one)[1:] for one in absent}
            renamed = facts.states(run.id, [name for others in names.values() for name in others])
            for one, others in names.items():
                if good := [renamed[name] for name in others if renamed.get(name) in _GOOD]:
                    states[one] = good[0]
            gone = facts.gone(
                run.id,
                rule,
                [
                    test_subject(one, run.place)
                    for one, others in names.items()
                    if one not in collected and renamed.keys().isdisjoint(others)
                ],
            )
            broken = [one for one, state in states.items() if state in BROKEN]
            errors = {one: _why(error_info(error)) for one, error in history.runs.errors(run.id, broken).items()}
            base = _base_of(history.runs, rule, run)
            if base is None:
                return NewFailures((), states, errors, collected, gone)
            reader = history.reader
            found = run_difference(history, reader.run_by_id(base), reader.run_by_id(run.id))
            changes = [change for change in found.newly_failing if change.id not in forgiven][:MOST_TESTS]
            judged_by = run.id if rule.base is None else base
            failing = [
                failure
                for first in range(0, len(changes), _AT_ONCE)
                for failure in _new(history, judged_by, run, changes[first : first + _AT_ONCE])
            ]
        return NewFailures(failing, states, errors, collected, gone)


def _contained(rule: Rule, seen: Iterable[Sighting]) -> list[Sighting]:
    """What a rule sees; nothing when it fails: what a client said of one run must not end all alerts.

    Raises what ``Reader`` raises.
    """
    try:
        return list(seen)
    except (StoreError, sqlite3.Error):
        raise
    except Exception:  # noqa: BLE001 - whatever it is, others go on
        _log.exception("rule %s of alerts failed; what it would have looked at now is not judged by it", rule.name)
        return []


def _base_of(runs: AnalysisRuns, rule: Rule, run: JudgedRun) -> str | None:
    """The run to compare with, ``None`` when there is none."""
    if rule.base is None:
        return runs.run_before(run.id)
    try:
        return runs.last_of_branch(rule.base, run.id, merged=True)
    except BranchNotFound:
        return None


def _new(history: StoredHistory, judged_by: str, run: JudgedRun, changes: Sequence[TestChange]) -> Iterator[NewFailure]:
    """Those of the changes that are news by the runs up to ``judged_by``, and not failures that are known."""
    names = {
        one.id: list(dict.fromkeys(name for name in (*history.identity.ids_of(one.id), one.old_id) if name))
        for one in changes
    }
    past = history.runs.histories(judged_by, names, RUNS + 1)
    for change in changes:
        found = standing(past[change.id], run.id)
        if found.kind in (NEW, FLAKY):
            yield NewFailure(change.id, _why(change.error), found)


def _why(error: ErrorInfo | None) -> str:
    """The first line of an error."""
    if error is None:
        return ""
    lines = (error.message or "").splitlines()
    line, kind = lines[0] if lines else "", error.type or ""
    words = [line] if line.startswith(kind) else [kind, line]
    return ": ".join(word for word in words if word)[:_MOST_REASON]
