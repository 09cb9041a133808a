"""Which tests are flaky, and how much: the one definition (docs/design/analysis.md).

A run is a *flaky run* of a test when the test failed in it without the code being the reason: it failed and then passed
in that run, or it failed although another run of the same code passed. All else that fails is no flakiness: it may be a
regression.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise, takewhile
from typing import Final, Literal, NamedTuple

from semantest_recorder.core.analysis.proportion import Interval, wilson_interval

PASSED: Final = frozenset({"passed", "xpassed"})
FAILED: Final = frozenset({"failed", "error", "crashed", "timeout"})
FLAKY: Final = "flaky"
#: States that say whether a test works. A skip, an expected failure, Ctrl-C and a lost record do not.
JUDGED: Final = PASSED | FAILED | {FLAKY}

#: A run in which so many tests failed or were flaky, and this share of all, was broken as a whole.
BROKEN_TESTS: Final = 10
BROKEN_SHARE: Final = 0.2

#: Failures at the end of a history are more than flakiness when a flaky test would have them with less probability.
EXPLAINED: Final = 0.05

#: ``flaky``: nothing tells that it is over. ``changed``: its function was edited since. ``failing``: it fails again and
#: again, which its flakiness does not explain.
Status = Literal["flaky", "changed", "failing"]


class Observation(NamedTuple):
    """A test in a run: ``run`` is the run's place in time, ``code`` what is the same in runs of the same code.

    ``code`` is ``None`` where that is not known. ``repeated``: it was to run several times, so all attempts
    but the last passed and none is a retry; where it failed, ``attempts`` are those of the session in which it did.
    """

    run: int
    code: Hashable | None
    state: str
    attempts: int
    fingerprint: str | None
    repeated: bool = False

    @property
    def retries(self) -> int:
        """Attempts because one before had failed."""
        return 0 if self.repeated else max(self.attempts - 1, 0)

    @property
    def failed_after_pass(self) -> bool:
        """Whether it failed in this run although it had passed in it."""
        return self.repeated and self.attempts > 1 and self.state in FAILED


class Flakiness(NamedTuple):
    """How flaky a test is; ``flaky_runs`` are places of runs, the oldest first, at least one.

    Of ``runs`` that judge it ``retried`` passed only on a retry, and ``contradicted`` failed although the same code
    passed in another run, or in the same one. ``failures_after_pass`` and ``passes_after_failure`` count how often the
    result turned from one run to the next of the same code. ``retries`` are attempts beyond the first of a run. After
    the last flaky run it passed in ``quiet_runs``; a test that flakes as often as it did up to then would so with
    probability ``luck``. Without a word against it, it failed in the last ``failing_runs``.
    """

    runs: int
    flaky_runs: tuple[int, ...]
    retried: int
    contradicted: int
    failures_after_pass: int
    passes_after_failure: int
    retries: int
    quiet_runs: int
    luck: float
    failing_runs: int
    status: Status

    @property
    def rate(self) -> float:
        """The share of runs in which it flaked."""
        return len(self.flaky_runs) / self.runs

    @property
    def interval(self) -> Interval:
        """Where the true rate is. The lower end is the score by which tests are ranked."""
        return wilson_interval(len(self.flaky_runs), self.runs)


def is_broken(bad: int, judged: int) -> bool:
    """Whether a run with so many tests that failed or were flaky tells of its surroundings, not of its tests."""
    return bad >= BROKEN_TESTS and bad >= BROKEN_SHARE * judged


def flakiness(observations: Iterable[Observation]) -> Flakiness | None:
    """How flaky the test of ``observations`` is, at most one for each run; ``None`` when no run says that it is.

    Runs that were broken as a whole must be left out of them.
    """
    seen = sorted((one for one in observations if one.state in JUDGED), key=lambda one: one.run)
    passing = {one.code for one in seen if one.code is not None and one.state not in FAILED}
    contradicted = [one for one in seen if one.failed_after_pass or (one.state in FAILED and one.code in passing)]
    retried = [one for one in seen if one.state == FLAKY]
    flaky_runs = tuple(sorted(one.run for one in (*contradicted, *retried)))
    if not flaky_runs:
        return None
    turns = list(_turns(seen))
    until = [one for one in seen if one.run <= flaky_runs[-1]]
    after = seen[len(until) :]
    quiet_runs = sum(one.state not in FAILED for one in after)
    failing_runs = len(list(takewhile(lambda one: one.state in FAILED, reversed(after))))
    return Flakiness(
        runs=len(seen),
        flaky_runs=flaky_runs,
        retried=len(retried),
        contradicted=len(contradicted),
        failures_after_pass=turns.count("failed"),
        passes_after_failure=turns.count("passed"),
        retries=sum(one.retries for one in seen),
        quiet_runs=quiet_runs,
        luck=(1 - len(flaky_runs) / len(until)) ** quiet_runs,
        failing_runs=failing_runs,
        status=_status(until[-1], seen[-1], wilson_interval(len(flaky_runs), len(seen)).high ** failing_runs),
    )


def worst_first(found: Iterable[tuple[str, Flakiness]]) -> list[tuple[str, Flakiness]]:
    """Tests by the lower end of the interval, then by the number of flaky runs, then by id."""
    return sorted(found, key=lambda pair: (-pair[1].interval.low, -len(pair[1].flaky_runs), pair[0]))


def _turns(seen: Sequence[Observation]) -> Iterator[Literal["passed", "failed"]]:
    """What the results of each code turned to, from a run to the next."""
    by_code: dict[Hashable, list[Literal["passed", "failed"]]] = defaultdict(list)
    for one in seen:
        if one.code is not None:
            # Failed, then passed in one run: whatever came before, it ended with a pass.
            by_code[one.code].append("failed" if one.state in FAILED else "passed")
    for results in by_code.values():
        yield from (after for before, after in pairwise(results) if before != after)


def _status(flaked: Observation, last: Observation, explained: float) -> Status:
    if explained < EXPLAINED:
        return "failing"
    edited = flaked.fingerprint and last.fingerprint and flaked.fingerprint != last.fingerprint
    return "changed" if edited else "flaky"
