"""With which run a test broke: what ``semantest blame --json`` prints."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from semantest_recorder.core.analysis.blame import Blame
from semantest_recorder.core.analysis.rows import Failure, PastRun
from semantest_recorder.reports.kept_options import can_be_typed
from semantest_recorder.reports.other_difference import OtherDifference
from semantest_recorder.reports.past_result import PastResult, past_result
from semantest_recorder.reports.report import REPORT_SCHEMA, ErrorInfo, Public
from semantest_recorder.reports.run_diff import error_info

#: pytest's exit codes above 1 say that the test did not run: git is told to try another commit.
_STEP = 'python -m pytest "$1"; code=$?; [ $code -lt 2 ] || code=125; exit $code'


class CommitInfo(Public):
    """One commit."""

    id: str
    author: str
    date: str
    subject: str


class BlameReport(Public, kw_only=True):
    """With which run of ``branch`` a test broke last.

    ``verdict``: ``broken`` (since ``firstBad``), ``fixed`` (by ``fixedBy``), ``always broken``, ``never broken``,
    ``flaky`` or ``nothing``. ``good_elsewhere``: without a last good run the last one of another branch that was good.
    ``test_edited``: whether the function of the test itself changed between the two runs,
    null when that is not known. ``commits``: those between them, newest first, at most 50 of ``commit_number``;
    ``commits_unknown``: why they cannot be told. ``bisect``: a shell command that looks for the commit. ``doubts``: why
    the answer may be wrong.
    """

    schema: int = REPORT_SCHEMA
    test: str
    branch: str | None
    verdict: str
    runs: int
    last_good: PastResult | None
    good_elsewhere: PastResult | None
    first_bad: PastResult | None
    fixed_by: PastResult | None
    bad_runs: int
    without_verdict: int
    flaky_commits: list[str]
    doubts: list[str]
    error: ErrorInfo | None
    test_edited: bool | None
    differences: list[OtherDifference]
    commits: list[CommitInfo]
    commit_number: int | None
    commits_unknown: str | None
    bisect: str | None


def blame_report(
    test_id: str, branch: str | None, runs: Sequence[PastRun], found: Blame, error: Failure | None = None
) -> BlameReport:
    """The answer as far as the history of the test tells it; ``runs``: oldest first, as ``blame`` had them."""

    def named(number: int | None) -> PastResult | None:
        return None if number is None else past_result(runs[number])

    prints = [None if number is None else runs[number].fingerprint for number in (found.last_good, found.first_bad)]
    return BlameReport(
        test=test_id,
        branch=branch,
        verdict=found.verdict,
        runs=len(runs),
        last_good=named(found.last_good),
        good_elsewhere=None,
        first_bad=named(found.first_bad),
        fixed_by=named(found.fixed_by),
        bad_runs=found.bad_runs,
        without_verdict=found.without_verdict,
        flaky_commits=found.flaky_commits,
        doubts=found.doubts,
        error=error_info(error) if error is not None else None,
        test_edited=prints[0] != prints[1] if all(prints) else None,
        differences=[],
        commits=[],
        commit_number=None,
        commits_unknown=None,
        bisect=None,
    )


def bisect_command(root: str, rootdir: str | None, test_id: str, good: str, bad: str) -> str | None:
    """A shell command that has git look for the commit, or ``None`` when a name cannot be typed.

    ``root``: the folder of the work tree, ``rootdir``: pytest's, to which the test's id is relative.
    """
    path, separator, name = test_id.partition("::")
    whole = os.path.normpath(os.path.join(rootdir or root, path))
    test = (os.path.relpath(whole, root) if whole.startswith(f"{root}/") else path) + separator + name
    if not can_be_typed(root + test) or test.startswith(("-", "@")):
        return None
    return (
        f"cd {shlex.quote(root)} && git bisect start {bad} {good} && "
        f"git bisect run sh -c {shlex.quote(_STEP)} test {shlex.quote(test)}; git bisect reset"
    )
