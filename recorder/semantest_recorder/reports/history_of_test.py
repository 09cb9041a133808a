"""One test through its runs: what ``semantest history --json`` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from statistics import median

from semantest_recorder.core.analysis.blame import VERDICTS
from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.reports.flaky_rate import FlakyRate
from semantest_recorder.reports.past_result import PastResult, past_result
from semantest_recorder.reports.report import REPORT_SCHEMA, Public


class TestHistory(Public, kw_only=True):
    """A test under all of its names, newest run first. ``usual_ms``: the median of its passes.

    ``flaky``: how often it was flaky in those of the runs that are over; null when none of them judged it.
    ``broken_since``: the first run of those in which it is broken up to now, in all of these runs or in those on the
    branch of its last verdict; null when it is not. Runs without a verdict, such as skips, do not count.
    """

    __test__ = False

    schema: int = REPORT_SCHEMA
    test: str
    earlier_names: list[str]
    branch: str | None
    counts: dict[str, int]
    usual_ms: float | None
    flaky: FlakyRate | None
    broken_since: str | None
    runs: list[PastResult]


def history_of_test(
    test_id: str, names: Sequence[str], branch: str | None, past: Sequence[PastRun], flaky: FlakyRate | None
) -> TestHistory:
    """The history of a test; ``names``: its other ids, ``past``: newest first."""
    passes = [run.duration_ms for run in past if run.state in ("passed", "xpassed")]
    return TestHistory(
        test=test_id,
        earlier_names=list(names),
        branch=branch,
        counts=dict(Counter(run.state for run in past).most_common()),
        usual_ms=median(passes) if passes else None,
        flaky=flaky,
        broken_since=_broken_since(past),
        runs=[past_result(run) for run in past],
    )


def _broken_since(past: Sequence[PastRun]) -> str | None:
    judged = [run for run in past if run.state in VERDICTS]
    of_branch = [
        run for run in judged if run.branch == judged[0].branch
    ]  # others may not have the change that broke it
    broken = [list(takewhile(lambda run: run.state in BROKEN, runs)) for runs in (judged, of_branch)]
    ends = [runs[-1] for runs in broken if runs]
    return max(ends, key=past.index).run_id if ends else None
