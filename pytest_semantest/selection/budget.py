"""Which tests are worth the time there is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pytest_semantest.selection.candidate import Candidate, Suite
from pytest_semantest.selection.chances import chance


class Chosen(NamedTuple):
    """Positions of the tests that run, in their collected order; how many of them always run; how long all may take."""

    positions: list[int]
    always: int
    expected_ms: float


def always_runs(candidate: Candidate) -> bool:
    """Whether a test runs whatever the budget is: it is new, its own code changed, or it failed last time."""
    return candidate.is_new or candidate.is_changed or candidate.failed_last


def within_budget(suite: Suite, budget_ms: float, workers: int = 1) -> Chosen:
    """The tests that run within the time on so many workers: the likeliest to fail per time, and those that always run.

    Greedy by chance per time; where the one most likely test that fits alone is worth more than all of that, it is
    taken instead: so the sum of the chances is at least half of what any choice within the time could have.
    """
    basis = _Load(suite, workers)
    optional: list[int] = []
    for position, candidate in enumerate(suite.candidates):
        if always_runs(candidate):
            basis.add(position)
        else:
            optional.append(position)
    always = len(basis.positions)
    in_file = Counter(candidate.test.file for candidate in suite.candidates)
    chances = {at: chance(suite.candidates[at]) for at in optional}

    def worth(at: int) -> float:
        file = suite.candidates[at].test.file
        return chances[at] / (suite.candidates[at].own_ms + suite.shared_ms.get(file, 0.0) / in_file[file])

    greedy = basis.filled(sorted(optional, key=lambda at: (-worth(at), at)), budget_ms)
    likeliest = [at for at in sorted(optional, key=lambda at: (-chances[at], at)) if basis.with_one(at) <= budget_ms][
        :1
    ]
    alone = basis.filled(likeliest, budget_ms)
    best = max(greedy, alone, key=lambda load: sum(chances[at] for at in load.positions if at in chances))
    return Chosen(sorted(best.positions), always, best.expected_ms)


class _Load:
    """What runs, and how long that takes on ``workers`` processes at most: Graham's bound for any order of them.

    With one process it is the sum; with more, the sum by their number and what is left of the longest test. The
    fixtures of a file are set up by each process that may run tests of it.
    """

    def __init__(self, suite: Suite, workers: int) -> None:
        self._suite, self._workers = suite, workers
        self.positions: list[int] = []
        self._sum = self._longest = 0.0
        self._in_file: Counter[str] = Counter()

    @property
    def expected_ms(self) -> float:
        return self._makespan(self._sum, self._longest)

    def _makespan(self, total: float, longest: float) -> float:
        return total / self._workers + (1.0 - 1.0 / self._workers) * longest

    def _added(self, at: int) -> float:
        candidate = self._suite.candidates[at]
        file = candidate.test.file
        shared = self._suite.shared_ms.get(file, 0.0) if self._in_file[file] < self._workers else 0.0
        return candidate.own_ms + shared

    def with_one(self, at: int) -> float:
        """How long it takes with one test more."""
        return self._makespan(self._sum + self._added(at), max(self._longest, self._suite.candidates[at].own_ms))

    def add(self, at: int) -> None:
        """One test more."""
        candidate = self._suite.candidates[at]
        self._sum += self._added(at)
        self._longest = max(self._longest, candidate.own_ms)
        self._in_file[candidate.test.file] += 1
        self.positions.append(at)

    def filled(self, tests: Iterable[int], budget_ms: float) -> _Load:
        """A copy with those of the tests that fit, one after the other."""
        load = _Load(self._suite, self._workers)
        load.positions, load._in_file = list(self.positions), self._in_file.copy()
        load._sum, load._longest = self._sum, self._longest
        for at in tests:
            if load.with_one(at) <= budget_ms:
                load.add(at)
        return load
