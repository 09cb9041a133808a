"""With which run a test broke: the last good and the first bad run of a branch, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.core.analysis.rows import PastRun

#: What the history tells.
BROKEN_SINCE: Final = "broken"  # it was good, and is broken since
FIXED: Final = "fixed"  # it was broken, and is good again
ALWAYS_BROKEN: Final = "always broken"
NEVER_BROKEN: Final = "never broken"
FLAKY: Final = "flaky"  # it failed and passed on the same commit, and nothing says more
NOTHING: Final = "nothing"  # no run with a verdict
_GOOD: Final = frozenset({"passed", "xfailed", "xpassed", "flaky"})


class Blame(msgspec.Struct):
    """The answer. Runs are indices into the runs that were given, ``None`` where there is none.

    ``verdict``: one of the above. ``last_good`` and ``first_bad`` are about the last time that it broke; ``fixed_by``:
    the run with which it was good again. ``bad_runs``: how many runs it was broken in since, ``without_verdict``: how
    many runs between the two say nothing. ``flaky_commits``: commits on which it both passed and failed, or failed
    first.
    ``doubts``: why the answer may be wrong, in words.
    """

    verdict: str
    last_good: int | None = None
    first_bad: int | None = None
    fixed_by: int | None = None
    bad_runs: int = 0
    without_verdict: int = 0
    flaky_commits: list[str] = msgspec.field(default_factory=list)
    doubts: list[str] = msgspec.field(default_factory=list)


def blame(runs: Sequence[PastRun]) -> Blame:
    """What the runs of one branch, oldest first, tell of when the test broke last.

    A failure on a commit on which the test passed as well, with no changed files, is flakiness: such a run is no cause.
    """
    flaky = _flaky_commits(runs)
    told = [(number, _is_good(run, flaky)) for number, run in enumerate(runs) if _has_verdict(run)]
    found = Blame(NOTHING, flaky_commits=list(flaky))
    if not told:
        return found
    streaks = [(good, [number for number, _good in group]) for good, group in groupby(told, key=lambda one: one[1])]
    bad = next((index for index in range(len(streaks) - 1, -1, -1) if not streaks[index][0]), None)
    if bad is None:
        found.verdict = FLAKY if flaky else NEVER_BROKEN
        return found
    broken = streaks[bad][1]
    found.first_bad, found.bad_runs = broken[0], len(broken)
    found.verdict = BROKEN_SINCE
    if bad + 1 < len(streaks):
        found.verdict, found.fixed_by = FIXED, streaks[bad + 1][1][0]
    if bad > 0:
        found.last_good = streaks[bad - 1][1][-1]
        found.without_verdict = found.first_bad - found.last_good - 1
    elif found.verdict == BROKEN_SINCE:
        found.verdict = ALWAYS_BROKEN
    found.doubts = list(_doubts(found, runs, flaky))
    return found


def _doubts(found: Blame, runs: Sequence[PastRun], flaky: Collection[str]) -> Iterator[str]:
    if found.first_bad is None:
        return
    first = runs[found.first_bad]
    last = runs[found.last_good] if found.last_good is not None else None
    if found.bad_runs == 1 and flaky:
        yield "it failed once, and is flaky: it may be chance again"
    elif found.bad_runs == 1 and found.verdict == FIXED:
        yield "it failed in one run only: it may be chance"
    if last is not None and last.commit and last.commit == first.commit:
        yield "both runs are of the same commit: it is not a commit that broke it"
    if first.dirty or (last is not None and last.dirty):
        yield "files were changed and not committed in one of these runs"
    if not first.commit or (last is not None and not last.commit):
        yield "the commit of one of these runs is not known"


def _flaky_commits(runs: Sequence[PastRun]) -> dict[str, None]:
    """Commits of clean work trees on which the test passed in one run and failed in another, or passed on a retry."""
    states: dict[str, set[bool]] = defaultdict(set)
    for run in runs:
        if run.commit and not run.dirty and _has_verdict(run):
            states[run.commit] |= {True, False} if run.state == "flaky" else {run.state in _GOOD}
    return {commit: None for commit, found in states.items() if len(found) == 2}


def _has_verdict(run: PastRun) -> bool:
    return run.state in _GOOD or run.state in BROKEN


def _is_good(run: PastRun, flaky: Collection[str]) -> bool:
    return run.state in _GOOD or (not run.dirty and run.commit in flaky)
