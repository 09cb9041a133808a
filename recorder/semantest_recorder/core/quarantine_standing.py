"""How the entries of a quarantine stand: their day, and what became of their tests in the last runs (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

import msgspec

from pytest_semantest.protocol.quarantine import Entry, Matcher

#: Of the largest run among the last ones another has to have so many tests to stand for the whole suite.
WHOLE_SHARE: Final = 0.9
#: In so many runs tests have to have passed, and never failed, for their entry to be called needless.
ENOUGH_RUNS: Final = 20
_PASSED: Final = frozenset({"passed", "xpassed"})
_FAILED: Final = frozenset({"failed", "error", "timeout", "crashed"})


class PastRun(NamedTuple):
    """A closed run: ``key`` in the database, how many tests it planned, and whether it went to its end."""

    key: int
    run_id: str
    planned: int
    complete: bool


class PastState(NamedTuple):
    """What became of a test in one of the runs; the newest come first."""

    test_id: str
    state: str


#: ``unmatched``: no test of the whole suite falls under it; ``passing``: all of its tests have passed for long.
Status = Literal["holds", "passing", "unmatched", "expired"]


class Standing(msgspec.Struct):
    """An entry today. ``tests``: those of the whole suite that fall under it, ``None`` when no such run is known.

    ``results`` counts, over the last runs, how its tests ended; what was skipped or not run is in none of them.
    """

    entry: Entry
    days_left: int
    status: Status
    tests: list[str] | None
    runs: int
    passed: int
    failed: int
    flaky: int


def whole_run(runs: Sequence[PastRun]) -> PastRun | None:
    """The newest of ``runs`` (newest first) that stands for the whole suite: it ended, and few have more tests."""
    complete = [run for run in runs if run.complete]
    most = max((run.planned for run in complete), default=0)
    return next((run for run in complete if run.planned and run.planned >= WHOLE_SHARE * most), None)


def entry_tests(entries: Iterable[Entry], test_ids: Iterable[str]) -> dict[str, list[str]]:
    """Which tests fall under which entry, by the entry's test; each test falls under the most exact one."""
    matcher, found = Matcher(entries), defaultdict[str, list[str]](list)
    for test_id in test_ids:
        entry = matcher.find(test_id)
        if entry is not None:
            found[entry.test].append(test_id)
    return found


def standings(
    entries: Iterable[Entry], today: date, tests: Mapping[str, list[str]] | None, past: Iterable[PastState]
) -> list[Standing]:
    """The entries in their order. ``tests``: what ``entry_tests`` gave for the whole suite."""
    states: dict[str, list[str]] = defaultdict(list)
    for test_id, state in past:
        states[test_id].append(state)
    return [_standing(entry, today, None if tests is None else tests.get(entry.test, []), states) for entry in entries]


def _standing(entry: Entry, today: date, tests: list[str] | None, states: Mapping[str, list[str]]) -> Standing:
    mine = [state for test_id in tests or () for state in states.get(test_id, ())]
    failed, flaky = sum(state in _FAILED for state in mine), mine.count("flaky")
    fewest = min((sum(state in _PASSED for state in states.get(test_id, ())) for test_id in tests or ()), default=0)
    status: Status = "holds"
    if entry.is_expired(today):
        status = "expired"
    elif tests is not None and not tests:
        status = "unmatched"
    elif fewest >= ENOUGH_RUNS and not failed and not flaky:
        status = "passing"
    return Standing(
        entry,
        days_left=(entry.expires - today).days,
        status=status,
        tests=tests,
        runs=max((len(states.get(test_id, ())) for test_id in tests or ()), default=0),
        passed=sum(state in _PASSED for state in mine),
        failed=failed,
        flaky=flaky,
    )
