"""How a failure of a run stands among the runs before it: new, known, or chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from semantest_recorder.core.analysis import blame as verdicts
from semantest_recorder.core.analysis.blame import blame
from semantest_recorder.core.analysis.comparison import BROKEN, NO_VERDICT
from semantest_recorder.core.analysis.rows import PastRun

#: What the history says of a test that failed.
NEW: Final = "new"  # the last earlier run with a verdict was good, or none has one
FAILING: Final = "failing"  # it is broken since an earlier run
ALWAYS: Final = "always failing"  # every earlier run with a verdict was bad
FLAKY: Final = "flaky"  # it passed with the same code
#: So many runs before it are asked.
RUNS: Final = 30
#: Why something is new that was never seen to be good.
NEVER_JUDGED: Final = f"of up to {RUNS} earlier runs of the branch none has a verdict on it"


class Standing(msgspec.Struct, frozen=True):
    """How a test that failed in a run stands; ``kind``: one of the above.

    ``last_good``: the last earlier run in which it was good; ``first_bad``: the earlier run since which it fails.
    ``bad_runs``: in how many runs it failed since, this one among them. ``judged``: how many earlier runs have a
    verdict, ``retried``: in how many of these it failed first and passed on a retry.
    """

    kind: str
    last_good: PastRun | None = None
    first_bad: PastRun | None = None
    bad_runs: int = 1
    judged: int = 0
    retried: int = 0

    def newness(self, words_of: Callable[[PastRun], str]) -> str:
        """Why it is new, where it is; ``words_of`` names a run."""
        return f"it was good in {words_of(self.last_good)}" if self.last_good is not None else NEVER_JUDGED


def standing(past: Sequence[PastRun], run_id: str) -> Standing:
    """How a test that failed in the run ``run_id`` stands.

    ``past``: its runs of one branch up to that one, oldest first. That run itself may be missing, as one that is in no
    database yet.
    """
    known = bool(past) and past[-1].run_id == run_id
    earlier = past[:-1] if known else past
    judged = [run for run in earlier if run.state not in NO_VERDICT and run.state != "skipped"]
    retried = sum(run.state == "flaky" for run in judged)
    if not judged:
        return Standing(NEW)
    found = blame(past)
    good = past[found.last_good] if found.last_good is not None else None
    bad = past[found.first_bad] if found.first_bad is not None else None
    broken = found.bad_runs + (not known)
    if found.verdict == verdicts.ALWAYS_BROKEN:
        return Standing(ALWAYS, None, bad, broken, len(judged), retried)
    if found.verdict == verdicts.BROKEN_SINCE and bad is not None and bad.run_id != run_id:
        return Standing(FAILING, good, bad, broken, len(judged), retried)
    last = next((run for run in reversed(judged) if run.state not in BROKEN), None)
    is_chance = known and found.verdict != verdicts.BROKEN_SINCE
    return Standing(FLAKY if is_chance else NEW, last, None, 1, len(judged), retried)
