"""Which tests that are gone between two runs are still there, under another name or at another place.

Functions are compared, not the cases of a parametrized one. In order of their weight: the same code and name elsewhere,
the same code, the same name elsewhere, a similar name at the same place of the same file or class. A pair counts only
if nothing else could be meant on either side; what is ambiguous is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final, TypeVar

import msgspec

from semantest_recorder.core.analysis.identity import function_of

SAME_CODE_AND_NAME: Final = "same code, same name"
SAME_CODE: Final = "same code"
SAME_NAME: Final = "same name, code changed"
SAME_NAME_ONLY: Final = "same name"
SAME_PLACE: Final = "similar name, same place"
CONFIDENCE: Final = {
    SAME_CODE_AND_NAME: 0.99,
    SAME_CODE: 0.95,
    SAME_NAME: 0.75,
    SAME_NAME_ONLY: 0.8,
    SAME_PLACE: 0.6,
}
Key = TypeVar("Key")
#: The cases of a function without parameters, as most are.
_ALONE = frozenset({""})
#: How much of two names is alike at least (``difflib``), to be called similar.
_SIMILAR = 0.7
#: Names are compared with each other only in suites with so many that are gone or new.
_COMPARED_MAX = 50


class Function(msgspec.Struct, frozen=True, gc=False):
    """A test function in a run, and its cases: what follows its id."""

    id: str
    cases: frozenset[str]
    fingerprint: str | None

    @property
    def name(self) -> str:
        """The name without file and class."""
        return self.id.rpartition("::")[2]

    @property
    def suite(self) -> str:
        """The file and classes that it is in."""
        return self.id.rpartition("::")[0]


class Rename(msgspec.Struct, frozen=True):
    """A function's old and new id, why they are held for one (``CONFIDENCE``), and how sure that is, from 0 to 1."""

    old: str
    new: str
    evidence: str
    confidence: float


def functions_of(tests: Iterable[tuple[str, str | None]]) -> dict[str, Function]:
    """The functions of a run by id, in their order, out of ``(test id, fingerprint)`` of its tests in that of the plan.

    What has no name below a file, such as a file that could not be collected, is no function.
    """
    cases: dict[str, list[str]] = {}
    fingerprints: dict[str, str | None] = {}
    for test_id, fingerprint in tests:
        function = function_of(test_id)
        if "::" not in function:
            continue
        known = cases.get(function)
        if known is None:
            cases[function] = [test_id[len(function) :]]
            fingerprints[function] = fingerprint or None
        else:
            known.append(test_id[len(function) :])
            fingerprints[function] = fingerprints[function] or fingerprint or None
    return {
        name: Function(name, _ALONE if found == [""] else frozenset(found), fingerprints[name])
        for name, found in cases.items()
    }


def find_renames(
    before: Mapping[str, Function], after: Mapping[str, Function], gone: Collection[str], new: Collection[str]
) -> list[Rename]:
    """The renames among functions ``gone`` (ids of ``before``) and ``new`` (ids of ``after``), in the order of ``new``.

    No id is in two of them.
    """
    old_left = {name: before[name] for name in gone if name in before and name not in after}
    new_left = {name: after[name] for name in new if name in after and name not in before}
    if not old_left or not new_left:
        return []
    found: list[Rename] = []
    distinctive = _distinctive(before) & _distinctive(after)
    ways: list[tuple[str, Callable[[Function], Hashable | None]]] = [
        (SAME_CODE_AND_NAME, lambda function: function.fingerprint and (function.fingerprint, function.name)),
        (SAME_CODE, lambda function: function.fingerprint if function.fingerprint in distinctive else None),
        (SAME_NAME, lambda function: (function.name, function.cases)),
    ]
    for evidence, key in ways:
        found += _paired(old_left, new_left, key, evidence)
    found += _neighbours(before, after, old_left, new_left)
    order = {name: number for number, name in enumerate(new)}
    return sorted(found, key=lambda rename: order[rename.new])


def case_pairs(
    renames: Iterable[Rename], before: Mapping[str, Function], after: Mapping[str, Function]
) -> dict[str, str]:
    """``{new test id: old test id}`` for the cases that both functions of a rename have."""
    return {
        rename.new + case: rename.old + case
        for rename in renames
        for case in before[rename.old].cases & after[rename.new].cases
    }


def _distinctive(functions: Mapping[str, Function]) -> set[str]:
    """Fingerprints that one function alone has: the code of ``assert True`` tells nothing."""
    numbers = Counter(function.fingerprint for function in functions.values() if function.fingerprint)
    return {fingerprint for fingerprint, number in numbers.items() if number == 1}


def _paired(
    old: dict[str, Function], new: dict[str, Function], key: Callable[[Function], Hashable | None], evidence: str
) -> list[Rename]:
    """Takes out of both what the key tells to be one, where only one of each side has it."""
    olds, news = _by_key(old.values(), key), _by_key(new.values(), key)
    found = []
    for name, (one, *more) in news.items():
        others = olds.get(name, [])
        if len(others) == 1 and not more:
            known = one.fingerprint and others[0].fingerprint
            why = SAME_NAME_ONLY if evidence == SAME_NAME and not known else evidence
            found.append(_rename(others[0], one, why, old, new))
    return found


def _by_key(functions: Iterable[Function], key: Callable[[Function], Key | None]) -> dict[Key, list[Function]]:
    found: dict[Key, list[Function]] = {}
    for function in functions:
        value = key(function)
        if value:
            found.setdefault(value, []).append(function)
    return found


def _rename(
    one: Function, other: Function, evidence: str, old: dict[str, Function], new: dict[str, Function]
) -> Rename:
    del old[one.id], new[other.id]
    return Rename(one.id, other.id, evidence, CONFIDENCE[evidence])


def _neighbours(
    before: Mapping[str, Function], after: Mapping[str, Function], old: dict[str, Function], new: dict[str, Function]
) -> list[Rename]:
    """Pairs of one suite with the same cases, similar names and the same function next to them."""
    olds, news = (_by_key(functions.values(), lambda one: one.suite) for functions in (old, new))
    suites = [suite for suite in news if suite in olds and max(len(news[suite]), len(olds[suite])) <= _COMPARED_MAX]
    was, now = (_of_suites(functions, suites) for functions in (before, after))
    found = []
    for suite in suites:
        ones, others = news[suite], olds[suite]
        beside_old, beside_new = _beside(was[suite], after), _beside(now[suite], before)
        alike = [
            (one, other)
            for one in ones
            for other in others
            if one.cases == other.cases
            and beside_new[one.id] & beside_old[other.id]
            and SequenceMatcher(None, one.name, other.name).ratio() >= _SIMILAR
        ]
        numbers = Counter(function.id for pair in alike for function in pair)
        for one, other in alike:
            if numbers[one.id] == numbers[other.id] == 1:
                found.append(_rename(other, one, SAME_PLACE, old, new))
    return found


def _of_suites(functions: Mapping[str, Function], suites: Iterable[str]) -> dict[str, list[Function]]:
    """The functions of these suites, in their order."""
    found: dict[str, list[Function]] = {suite: [] for suite in suites}
    for function in functions.values():
        members = found.get(function.suite)
        if members is not None:
            members.append(function)
    return found


def _beside(functions: Sequence[Function], others: Mapping[str, Function]) -> dict[str, set[str]]:
    """By id: the nearest functions of a suite before and behind it that both runs have, or the ends of the suite."""
    beside: dict[str, set[str]] = {function.id: set() for function in functions}
    for end, sequence in (("first", functions), ("last", functions[::-1])):
        nearest = end
        for function in sequence:
            beside[function.id].add(f"{end}:{nearest}")
            if function.id in others:
                nearest = function.id
    return beside
