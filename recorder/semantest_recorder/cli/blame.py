"""``semantest blame``: with which run, and maybe which commit, a test broke."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from semantest_recorder.cli.completing import complete_branch, complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.stop import NothingRecorded

if TYPE_CHECKING:
    from semantest_recorder.cli.stored_history import StoredHistory
    from semantest_recorder.core.rows import RunRow
    from semantest_recorder.reports.blame_report import BlameReport


@click.command(
    "blame",
    short_help="Find the run and the commits with which a test broke.",
    epilog=help_end(
        "semantest blame tests/test_cart.py::test_total",
        "semantest blame test_total --branch main",
        "semantest blame test_total --json | jq -r '.commits[].id'",
        exit_codes="0 the last good and the first bad run are named, 1 history cannot tell, "
        "2 wrong usage or several tests match, 3 no such test or branch",
    ),
)
@click.argument("test", shell_complete=complete_test)
@click.option(
    "--branch",
    metavar="BRANCH",
    shell_complete=complete_branch,
    help="In the runs of this branch.  [default: that of the test's last run]",
)
@click.option("--runs", type=Number(min=2), default=200, show_default=True, help="How many runs to go back.")
@directory_option
@json_option
@sync_option
def command(
    test: str, branch: str | None, runs: int, directory: str | None, as_json: bool, sync_timeout: float
) -> None:
    """Find the last good and the first bad run of a test, the commits between them, and what else changed.

    TEST is a test's id or its name; or a part of an id that only one test has. A failure of code with which the test
    passed as well is flakiness, and no cause. Runs are those of one branch, and of one leg of a matrix.
    """
    from semantest_recorder.cli.one_test import one_test  # noqa: PLC0415
    from semantest_recorder.cli.stored_history import stored_history  # noqa: PLC0415

    folder = project_folder(directory)
    with stored_history(folder, sync_timeout) as history:
        if branch is not None:
            history.runs.require_branch(branch)
        test_id = one_test(test, [], history.reader, history.identity.current)
        found = _blame(history, test_id, branch, runs, [str(working_directory(directory)), str(folder.parent)])
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.blame_lines import blame_lines  # noqa: PLC0415

        print_lines(blame_lines(found))
    sys.exit(0 if found.first_bad is not None and found.last_good is not None else 1)


def _blame(history: StoredHistory, test_id: str, branch: str | None, runs: int, folders: list[str]) -> BlameReport:
    from semantest_recorder.core.analysis.blame import blame, has_passed  # noqa: PLC0415
    from semantest_recorder.reports.blame_report import blame_report  # noqa: PLC0415
    from semantest_recorder.reports.other_difference import other_differences  # noqa: PLC0415
    from semantest_recorder.reports.past_result import past_result  # noqa: PLC0415

    names = history.identity.ids_of(test_id)
    if branch is None:
        last = history.runs.history(names, None, 1)
        branch = last[0].branch if last else None
    past = history.runs.history(names, branch, runs)[::-1]
    if branch is None:  # the runs of which none has a branch
        past = [run for run in past if run.branch is None]
    if not past:
        raise NothingRecorded(f"no run{f' of branch {branch}' if branch else ''} has the test {test_id}")
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
        _add_commits(report, bad_run, folders)
    return report


def _add_commits(report: BlameReport, bad_run: RunRow, folders: list[str]) -> None:
    """The commits between the two runs, out of the repository of one of ``folders``, and how to look for the one."""
    from semantest_recorder.cli.git_commits import commits_of  # noqa: PLC0415
    from semantest_recorder.reports.blame_report import CommitInfo, bisect_command  # noqa: PLC0415

    good, bad = (run.commit if run is not None else None for run in (report.last_good, report.first_bad))
    if not good or not bad:
        report.commits_unknown = "a run does not tell its commit"
        return
    if good == bad:
        report.commits_unknown = "none, both runs are of the same commit"
        return
    found = commits_of(folders, good, bad)
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
