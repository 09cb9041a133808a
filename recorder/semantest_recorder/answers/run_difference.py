"""What changed between two stored runs, and with which run one is compared."""

from __future__ import annotations

from semantest_recorder.answers.errors import NoRunBefore
from semantest_recorder.answers.stored_history import StoredHistory
from semantest_recorder.core.analysis.comparison import compare
from semantest_recorder.core.analysis.selection import Selection
from semantest_recorder.core.analysis.time_shift import PASSES, may_have_shifted, run_factor, shifts
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.checkout import run_checkout
from semantest_recorder.reports.run_diff import RunDiff, run_diff


def earlier_run(history: StoredHistory, run: RunRow, name: str | None = None, branch: str | None = None) -> RunRow:
    """The run to compare ``run`` with: the one called ``name``, else the last of ``branch``, else the one before it.

    Raises ``NoRunBefore`` and what ``Reader`` raises.
    """
    if name is not None:
        return history.reader.run(name)
    if branch is not None:
        return history.reader.run(history.runs.last_of_branch(branch, run.id))
    found = history.runs.run_before(run.id)
    if found is None:
        raise NoRunBefore(run.id, run_checkout(run)[0])
    return history.reader.run(found)


def run_difference(history: StoredHistory, before: RunRow, after: RunRow) -> RunDiff:
    """What changed from ``before`` to ``after``. Raises what ``Reader`` raises."""
    runs, identity = history.runs, history.identity
    tests = runs.tests(before.id), runs.tests(after.id)
    facts = runs.facts(before.id), runs.facts(after.id)
    missing = (Selection(facts[0], tests[0], facts[1]).why_missing, Selection(facts[1], tests[1], facts[0]).why_missing)

    def last_verdicts(test_ids: list[str]) -> dict[str, str]:
        return runs.last_verdicts(before.id, {test_id: identity.ids_of(test_id) for test_id in test_ids}, PASSES)

    found = compare(*tests, identity, missing, last_verdicts)
    both = [
        (new, tests[0][old].duration_ms, tests[1][new].duration_ms)
        for new, old in found.pairs.items()
        if tests[0][old].state == tests[1][new].state == "passed"
    ]
    factor = run_factor((was, now) for _test, was, now in both)
    moved = {test_id: now for test_id, was, now in both if may_have_shifted(was, now, factor)}
    names = {test_id: [found.pairs[test_id], *identity.ids_of(test_id)] for test_id in moved}
    earlier = runs.passes(before.id, names, PASSES)
    shifted = shifts({test_id: (now, earlier.get(test_id, ())) for test_id, now in moved.items()}, len(both), factor)
    broken = [change.test_id for change in (*found.newly_failing, *found.still_failing)]
    return run_diff(before, after, found, shifted, factor, runs.errors(after.id, broken))
