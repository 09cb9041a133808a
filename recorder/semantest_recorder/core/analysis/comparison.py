"""What changed for each test between two runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from semantest_recorder.core.analysis.identity import Identity, function_of
from semantest_recorder.core.analysis.renames import Rename, case_pairs, find_renames, functions_of

#: States in which a test is broken, and in which it says nothing: it did not come to its end.
BROKEN: Final = frozenset({"failed", "error", "crashed", "timeout", "lost"})
NO_VERDICT: Final = frozenset({"not_run", "interrupted", "pending", "running"})
ALIAS: Final = "alias"


class TestInRun(msgspec.Struct, frozen=True, gc=False):
    """A test in one of the runs; ``duration_ms`` of the attempt that decided its state."""

    __test__ = False

    id: str
    state: str
    duration_ms: float
    fingerprint: str | None = None


class Change(msgspec.Struct, frozen=True):
    """One test: its id, its states in both runs (``None``: not there), its id in the earlier one if that was another.

    ``why``: of a test that was not run, why.
    """

    test_id: str
    before: str | None
    after: str | None
    old_id: str | None = None
    why: str = ""


class Comparison(msgspec.Struct):
    """The tests of two runs. A test is in ``renamed`` and ``added`` beside what became of it, else in one list at most.

    ``not_run``: those of which the later run has no verdict, ``not_run_before``: the earlier one. ``same``: how many
    are as they were and not broken.
    """

    newly_failing: list[Change] = msgspec.field(default_factory=list)
    still_failing: list[Change] = msgspec.field(default_factory=list)
    fixed: list[Change] = msgspec.field(default_factory=list)
    newly_flaky: list[Change] = msgspec.field(default_factory=list)
    newly_skipped: list[Change] = msgspec.field(default_factory=list)
    other: list[Change] = msgspec.field(default_factory=list)
    added: list[Change] = msgspec.field(default_factory=list)
    removed: list[Change] = msgspec.field(default_factory=list)
    not_run: list[Change] = msgspec.field(default_factory=list)
    not_run_before: list[Change] = msgspec.field(default_factory=list)
    renamed: list[Rename] = msgspec.field(default_factory=list)
    pairs: dict[str, str] = msgspec.field(default_factory=dict)
    same: int = 0


#: Why a run does not have a test although it may exist; empty when it does not.
WhyMissing = Callable[[str], str]
#: The last state with a verdict that a test had before the earlier run.
LastVerdicts = Callable[[list[str]], Mapping[str, str]]


def compare(
    before: Mapping[str, TestInRun],
    after: Mapping[str, TestInRun],
    identity: Identity,
    missing: tuple[WhyMissing, WhyMissing],
    last_verdicts: LastVerdicts = lambda _ids: {},
) -> Comparison:
    """What changed from ``before`` to ``after`` (tests by id, in the order of the plan).

    ``missing``: why a test may be missing in the earlier and in the later run. A broken test of which the earlier run
    has no verdict is compared with its last one before.
    """
    found = Comparison()
    old_of = _same_tests(before, after, identity, missing, found)
    taken = set(old_of.values())
    found.pairs = {new: old_of.get(new, new) for new in after if new in old_of or new in before}
    states = _states_before(before, after, found.pairs, last_verdicts)
    for test_id, test in after.items():
        old_id = found.pairs.get(test_id)
        was = states.get(test_id)
        change = Change(test_id, was, test.state, old_id if old_id != test_id else None)
        if old_id is None:
            why = missing[0](test_id)
            (found.not_run_before if why else found.added).append(msgspec.structs.replace(change, why=why))
        _sort_in(found, change)
    for test_id, test in before.items():
        if test_id not in after and test_id not in taken:
            why = missing[1](test_id)
            change = Change(test_id, test.state, None, why=why)
            (found.not_run if why else found.removed).append(change)
    return found


def _states_before(
    before: Mapping[str, TestInRun],
    after: Mapping[str, TestInRun],
    pairs: Mapping[str, str],
    last_verdicts: LastVerdicts,
) -> dict[str, str]:
    states = {new: before[old].state for new, old in pairs.items()}
    unknown = [
        test_id
        for test_id, test in after.items()
        if test.state in BROKEN and states.get(test_id, "not_run") in NO_VERDICT
    ]
    return states | dict(last_verdicts(unknown)) if unknown else states


def _sort_in(found: Comparison, change: Change) -> None:
    was, now = change.before, change.after
    if now in NO_VERDICT:
        found.not_run.append(change)
    elif now in BROKEN:
        (found.still_failing if was in BROKEN else found.newly_failing).append(change)
    elif now == "flaky":
        if was != "flaky":
            found.newly_flaky.append(change)
        else:
            found.same += 1
    elif now == "skipped" and was not in (None, "skipped", *NO_VERDICT):
        found.newly_skipped.append(change)
    elif was in BROKEN:
        found.fixed.append(change)
    elif was is None or was == now or was in NO_VERDICT:
        found.same += was == now
    else:
        found.other.append(change)


def _same_tests(
    before: Mapping[str, TestInRun],
    after: Mapping[str, TestInRun],
    identity: Identity,
    missing: tuple[WhyMissing, WhyMissing],
    found: Comparison,
) -> dict[str, str]:
    """``{new id: old id}`` of tests that have another id in each run; what they are called is put into ``found``."""
    gone = [test_id for test_id in before if test_id not in after]
    new = [test_id for test_id in after if test_id not in before]
    old_of = _by_alias(gone, new, identity)
    taken = set(old_of.values())
    gone = [test_id for test_id in gone if test_id not in taken and not missing[1](test_id)]
    new = [test_id for test_id in new if test_id not in old_of and not missing[0](test_id)]
    pairs = {function_of(new_id): function_of(old_id) for new_id, old_id in old_of.items()}
    found.renamed = [Rename(old, name, ALIAS, 1.0) for name, old in pairs.items()]
    if gone and new:
        was, now = (functions_of((test.id, test.fingerprint) for test in tests.values()) for tests in (before, after))
        renames = find_renames(was, now, _functions(gone), _functions(new))
        found.renamed += renames
        old_of |= case_pairs(renames, was, now)
    return old_of


def _by_alias(gone: Iterable[str], new: Iterable[str], identity: Identity) -> dict[str, str]:
    left = dict.fromkeys(gone)
    found: dict[str, str] = {}
    for test_id in new:
        known = next((name for name in identity.ids_of(test_id) if name in left), None)
        if known is not None:
            del left[known]
            found[test_id] = known
    return found


def _functions(test_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(function_of, test_ids)))
