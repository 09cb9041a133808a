"""With which run, and maybe which commit, a test broke."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from semantest_recorder.answers.errors import NoRunOfTest
from semantest_recorder.answers.one_test import one_test
from semantest_recorder.answers.stored_history import StoredHistory
from semantest_recorder.core.analysis.blame import VERDICTS, blame, has_passed
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.blame_report import BlameReport, CommitInfo, bisect_command, blame_report
from semantest_recorder.reports.other_difference import other_differences
from semantest_recorder.reports.past_result import past_result


def blame_of(
    history: StoredHistory, test: str, branch: str | None, runs: int, repositories: Sequence[str]
) -> BlameReport:
    """The last good and the first bad of the last ``runs`` runs that have the test that ``test`` means.

    Of ``branch``, ``None``: of that of its last run with a verdict. ``repositories``: folders whose git may know the
    commits, one at least.

    Raises what ``one_test`` raises, ``NoRunOfTest``, ``BranchNotFound`` and what ``Reader`` raises.
    """
    if branch is not None:
        history.runs.require_branch(branch)
    test_id = one_test(test, [], history.reader, history.identity.current)
    names = history.identity.ids_of(test_id)
    if branch is not None:
        past = history.runs.history(names, branch, runs)[::-1]
    else:
        everywhere = history.runs.history(names, None, runs)
        last = next((run for run in everywhere if run.state in VERDICTS), everywhere[0] if everywhere else None)
        branch = last.branch if last else None
        past = history.runs.history_like(last.run_id, names, runs)[::-1] if last else []
    if not past:
        raise NoRunOfTest(test_id, branch)
    found = blame(past)
    if found.first_bad is None:
        return blame_report(test_id, branch, past, found)
    bad = past[found.first_bad]
    report = blame_report(test_id, branch, past, found, history.runs.errors(bad.run_id, [bad.test_id]).get(bad.test_id))
    if found.last_good is None:
        elsewhere = (run for run in history.runs.history(names, None, runs) if run.branch != branch and has_passed(run))
        report.good_elsewhere = next(map(past_result, elsewhere), None)
    else:
        good_run, bad_run = (
            history.reader.run_by_id(past[number].run_id) for number in (found.last_good, found.first_bad)
        )
        report.differences = other_differences(good_run, bad_run)
        _add_commits(report, bad_run, repositories)
    return report


def _add_commits(report: BlameReport, bad_run: RunRow, repositories: Sequence[str]) -> None:
    """The commits between the two runs, out of one of ``repositories``, and how to look for the one."""
    good, bad = (run.commit if run is not None else None for run in (report.last_good, report.first_bad))
    if not good or not bad:
        report.commits_unknown = "a run does not tell its commit"
        return
    if good == bad:
        report.commits_unknown = "none, both runs are of the same commit"
        return
    from semantest_recorder.answers.git_commits import commits_of  # noqa: PLC0415 - most blames need no git

    found = commits_of(repositories, good, bad)
    if isinstance(found, str):
        report.commits_unknown = found
        return
    report.commits = [CommitInfo(*commit) for commit in found.listed]
    report.commit_number = found.number
    if found.number:
        report.bisect = bisect_command(
            found.root, _rootdir(bad_run.facts, bad_run.context, found.root), report.test, good, bad
        )
    else:
        report.commits_unknown = "none: the bad run is of an older commit than the good one"


def _rootdir(facts: dict[str, Any], context: dict[str, Any], root: str) -> str:
    """The rootdir of a run, in the work tree at ``root``: the run may have been elsewhere."""
    rootdir, git = facts.get("rootdir"), context.get("git")
    there = git.get("root") if isinstance(git, dict) else None
    if not isinstance(rootdir, str) or not isinstance(there, str):
        return root
    return os.path.normpath(os.path.join(root, os.path.relpath(rootdir, there)))
