"""In which order tests run: three policies, and the rule that keeps shared fixtures together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import prod

from pytest_semantest.protocol.snapshot import FLAKY
from pytest_semantest.selection.candidate import Candidate, Collected, Suite
from pytest_semantest.selection.chances import chance
from pytest_semantest.selection.sharing import components

#: Positions of tests that stand together (a test alone stands with itself) to what they are sorted by, least first.
Rank = Callable[[Sequence[int]], float]

#: How likely a file is to be broken when nothing is known of it, and how likely each test of a broken file is to tell.
BROKEN_FILE, TELLS = 0.05, 0.3


def ordered(suite: Suite, policy: str) -> list[int]:
    """The positions of the candidates in the order of a policy. Raises ``KeyError`` for one that is none."""
    return arrange([candidate.test for candidate in suite.candidates], _POLICIES[policy](suite))


def arrange(tests: Sequence[Collected], rank: Rank) -> list[int]:
    """Positions sorted by rank; tests that share fixtures stay together, in the order of their collection.

    So no fixture is set up more often. Tests with the same values of session parameters stay together, too, and are
    sorted among themselves. What has equal ranks stays as it was.
    """
    variants: dict[tuple[Hashable, ...], list[int]] = {}
    for at, test in enumerate(tests):
        variants.setdefault(test.variant, []).append(at)
    groups: list[list[int]] = []
    for variant, members in variants.items():
        found = components(tests, members)
        if variant:
            found = [[at for group in sorted(found, key=rank) for at in group]]
        groups += found
    groups.sort(key=lambda group: (rank(group), min(group)))
    return [at for group in groups for at in group]


def _failed_first(suite: Suite) -> Rank:
    """What failed last comes first, then what was flaky last, then the rest."""

    def rank(members: Sequence[int]) -> float:
        return min(_setback(suite.candidates[member]) for member in members)

    return rank


def _setback(candidate: Candidate) -> float:
    if candidate.failed_last:
        return 0.0
    return 1.0 if candidate.known is not None and candidate.known.verdicts.startswith(FLAKY) else 2.0


def _slowest_first(suite: Suite) -> Rank:
    def rank(members: Sequence[int]) -> float:
        return -sum(suite.candidates[member].own_ms for member in members)

    return rank


def _likely_to_fail(suite: Suite) -> Rank:
    """By the chance of a failure per time: no order has a shorter expected time to the first failure."""
    chances = chances_in_turn(suite)

    def rank(members: Sequence[int]) -> float:
        time = sum(suite.candidates[member].own_ms for member in members)
        files = {suite.candidates[member].test.file for member in members} if len(members) > 1 else ()
        time += sum(suite.shared_ms.get(file, 0.0) for file in files)
        return -(1.0 - prod(1.0 - chances[member] for member in members)) / time

    return rank


def chances_in_turn(suite: Suite) -> list[float]:
    """How likely each test is to fail when those of its file that are worth more have passed.

    Failures come together: what breaks a test often breaks its file. The first test of a file speaks for the file as
    well, the next one for less of it, so files take turns.
    """
    own = [chance(candidate) for candidate in suite.candidates]
    files: dict[str, list[int]] = {}
    for position, candidate in enumerate(suite.candidates):
        files.setdefault(candidate.test.file, []).append(position)
    found = list(own)
    for members in files.values():
        told = BROKEN_FILE * TELLS
        for member in sorted(members, key=lambda at: -own[at] / suite.candidates[at].own_ms):
            found[member] = own[member] + (1.0 - own[member]) * told
            told *= 1.0 - TELLS
    return found


_POLICIES: Mapping[str, Callable[[Suite], Rank]] = {
    "failed-first": _failed_first,
    "slowest-first": _slowest_first,
    "likely-to-fail": _likely_to_fail,
}
