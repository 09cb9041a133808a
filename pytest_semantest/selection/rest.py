"""Which of the collected tests a rerun runs. Pure; the rules by their numbers are in docs/design/rerun.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from pytest_semantest.protocol.identity import split_params, without_number
from pytest_semantest.selection.candidate import Collected
from pytest_semantest.selection.owed import Owed
from pytest_semantest.selection.renamed import case_of

#: Rules for tests that were collected, by their rows in the table; the first that holds decides.
OWED: Final = 1
TWIN: Final = 2
CHANGED: Final = 3
SETTLED: Final = 4
UNCOLLECTED: Final = 5
RENAMED: Final = 6
UNNAMED: Final = 7
FOREIGN: Final = 8
#: Those after which a test runs.
RUNS: Final = frozenset({OWED, TWIN, CHANGED, UNCOLLECTED, RENAMED, UNNAMED})


class Rest(NamedTuple):
    """``rules`` of the collected tests, in their order; ``renamed``: old ids of owed tests to their new ones.

    ``mended``: owed places whose collection had failed, and of which there are tests now. ``gone``: owed tests that
    were not collected; ``left_out``: owed ones that were, and that somebody else left out.
    """

    rules: list[int]
    renamed: dict[str, str]
    mended: list[str]
    gone: list[str]
    left_out: list[str]


def rest_of(collected: Sequence[Collected], owed: Owed, elsewhere: Collection[str] = ()) -> Rest:
    """What is to be done with each of the collected tests.

    ``elsewhere``: ids of tests that pytest collected and that are not among them, for ``-k`` or another plugin left
    them out.
    """
    twins = {without_number(test_id) for test_id, told in owed.tests.items() if told.owed}
    uncollected = {test_id for test_id, told in owed.tests.items() if told.owed and told.state == "error"}
    ids = {test.id for test in collected}
    absent = [test_id for test_id, told in owed.tests.items() if told.owed and test_id not in ids]
    seen_below = {place for test_id in (*ids, *elsewhere) for place in _above(test_id)}
    unseen = [test_id for test_id in absent if test_id not in elsewhere and test_id not in seen_below]
    strangers = [test for test in collected if test.id not in owed.tests]
    renamed = _renamed(unseen, strangers, owed)
    new_names = set(renamed.values())

    def rule(test: Collected) -> int:
        told = owed.tests.get(test.id)
        if told is not None and told.owed:
            return OWED
        if without_number(test.id) in twins:
            return TWIN
        if told is not None:
            changed = told.fingerprint and test.fingerprint and told.fingerprint != test.fingerprint
            return CHANGED if changed else SETTLED
        if any(place in uncollected for place in _above(test.id)):
            return UNCOLLECTED
        if test.id in new_names:
            return RENAMED
        return FOREIGN if owed.complete else UNNAMED

    return Rest(
        rules=[rule(test) for test in collected],
        renamed=renamed,
        mended=[test_id for test_id in absent if test_id in seen_below],
        gone=[test_id for test_id in unseen if test_id not in renamed],
        left_out=[test_id for test_id in absent if test_id in elsewhere],
    )


def _renamed(gone: Sequence[str], strangers: Sequence[Collected], owed: Owed) -> dict[str, str]:
    """Owed tests under their new names: an alias that the history knows, else the same function and case."""
    known = _by_alias(gone, {test.id for test in strangers}, owed)
    taken = set(known.values())
    return known | _by_code(
        [test_id for test_id in gone if test_id not in known],
        [test for test in strangers if test.id not in taken],
        owed,
    )


def _by_alias(gone: Iterable[str], strangers: Collection[str], owed: Owed) -> dict[str, str]:
    """Where only one new test can be meant, and it by one that is gone only."""
    found = {test_id: [name for name in owed.aliases.get(test_id, ()) if name in strangers] for test_id in gone}
    meant = Counter(name for names in found.values() for name in names)
    return {test_id: names[0] for test_id, names in found.items() if len(names) == 1 and meant[names[0]] == 1}


def _by_code(gone: Iterable[str], strangers: Iterable[Collected], owed: Owed) -> dict[str, str]:
    """Where only one that is gone has this function and case, and only one new one."""
    old = [(test_id, case_of(test_id, owed.tests[test_id].fingerprint)) for test_id in gone]
    new = [(test.id, case_of(test.id, test.fingerprint)) for test in strangers]
    old_cases, new_cases = Counter(case for _, case in old), Counter(case for _, case in new)
    names = {case: test_id for test_id, case in new}
    return {test_id: names[case] for test_id, case in old if case[0] and old_cases[case] == 1 and new_cases[case] == 1}


def _above(test_id: str) -> Iterator[str]:
    """The classes, the file and the folders that a test is in."""
    place = split_params(test_id)[0]
    for separator in ("::", "/"):
        while separator in place:
            place = place.rpartition(separator)[0]
            yield place
