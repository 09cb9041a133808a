"""With which run a test broke: the last good and the first bad run of a branch, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.core.analysis.run_code import RunCode

#: What the history tells.
BROKEN_SINCE: Final = "broken"  # it was good, and is broken since
FIXED: Final = "fixed"  # it was broken, and is good again
ALWAYS_BROKEN: Final = "always broken"
NEVER_BROKEN: Final = "never broken"
FLAKY: Final = "flaky"  # it failed and passed with the same code, and nothing says more
NOTHING: Final = "nothing"  # no run with a verdict
_GOOD: Final = frozenset({"passed", "xfailed", "xpassed", "flaky"})
#: States that say whether a test works.
VERDICTS: Final = _GOOD | BROKEN


class Blame(msgspec.Struct):
    """The answer. Runs are indices into the runs that were given, ``None`` where there is none.

    ``verdict``: one of the above. ``last_good`` and ``first_bad`` are about the last time that it broke; ``fixed_by``:
    the run with which it was good again. ``bad_runs``: how many runs it was broken in since, ``without_verdict``: how
    many runs between the two say nothing. ``flaky_commits``: commits on which it both passed and failed with the same
    code, or failed first.
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

    A failure of code with which the test passed as well is flakiness: such a run is no cause. Where legs of a matrix
    alternate, the runs of that count in which it broke.
    """
    flaky = _flaky_codes(runs)
    all_told = [(number, _is_good(run, flaky)) for number, run in enumerate(runs) if run.state in VERDICTS]
    found = Blame(NOTHING, flaky_commits=list(dict.fromkeys(code.commit for code in flaky)))
    if not all_told:
        return found
    told = _of_its_leg(all_told, runs)
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
        good = streaks[bad - 1][1]
        found.last_good = next((number for number in reversed(good) if runs[number].state in _GOOD), good[-1])
        found.without_verdict = sum(run.state not in VERDICTS for run in runs[found.last_good : found.first_bad])
    elif found.verdict == BROKEN_SINCE:
        found.verdict = ALWAYS_BROKEN
    found.doubts = list(_doubts(found, runs))
    if len(told) < len(all_told):
        found.doubts.append("only runs with the same Python, platform and labels count: with others it went otherwise")
    return found


def _of_its_leg(told: list[tuple[int, bool]], runs: Sequence[PastRun]) -> list[tuple[int, bool]]:
    """The runs of the leg of a matrix in which the test was bad last, if others are among them and it was good there.

    Runs of one kind, and then of another, are no matrix: an interpreter was changed.
    """
    bad = next((number for number, good in reversed(told) if not good), None)
    if bad is None:
        return told
    places = [place for place, (number, _good) in enumerate(told) if runs[number].leg == runs[bad].leg]
    own = [told[place] for place in places]
    alternate = places[-1] - places[0] >= len(places)
    return own if alternate and any(good for _number, good in own) else told


def _doubts(found: Blame, runs: Sequence[PastRun]) -> Iterator[str]:
    if found.first_bad is None:
        return
    first = runs[found.first_bad]
    last = runs[found.last_good] if found.last_good is not None else None
    if found.bad_runs == 1 and found.flaky_commits:
        yield "it failed once, and is flaky: it may be chance again"
    elif found.bad_runs == 1 and found.verdict == FIXED:
        yield "it failed in one run only: it may be chance"
    if last is not None and last.commit and last.commit == first.commit:
        yield "both runs are of the same commit: it is not a commit that broke it"
    if first.dirty or (last is not None and last.dirty):
        yield "files were changed and not committed in one of these runs"
    if not first.commit or (last is not None and not last.commit):
        yield "the commit of one of these runs is not known"


def _flaky_codes(runs: Sequence[PastRun]) -> list[RunCode]:
    """What the test passed with in one run and failed with in another, or passed with on a retry."""
    states: dict[RunCode, set[bool]] = defaultdict(set)
    for run in runs:
        if run.code is not None and run.state in VERDICTS:
            states[run.code] |= {True, False} if run.state == "flaky" else {run.state in _GOOD}
    return [code for code, found in states.items() if len(found) == 2]


def has_passed(run: PastRun) -> bool:
    """Whether the test passed in it, as was expected or not, or on a retry."""
    return run.state in _GOOD


def _is_good(run: PastRun, flaky: Collection[RunCode]) -> bool:
    return has_passed(run) or run.code in flaky
