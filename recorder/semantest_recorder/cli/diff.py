"""``semantest diff``: what changed between two runs."""

from __future__ import annotations

import gc
import sys

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.completing import complete_branch, complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import directory_option, json_option, limit_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop


@click.command(
    "diff",
    short_help="Show what changed between two runs.",
    epilog=help_end(
        "semantest diff",
        "semantest diff 20261121-0930 last",
        "semantest diff --base main",
        "semantest diff --json | jq -r '.newlyFailing[].id'",
        exit_codes="0 nothing newly fails, 1 something newly fails, 2 wrong usage, 3 no such run or branch, "
        "4 nothing newly fails up to now: the run is not over",
    ),
)
@click.argument("before", required=False, shell_complete=complete_run)
@click.argument("after", required=False, shell_complete=complete_run)
@click.option(
    "--base",
    "branch",
    metavar="BRANCH",
    shell_complete=complete_branch,
    help="Compare with the last run of this branch that went through its tests.",
)
@directory_option
@json_option
@sync_option
@limit_option
def command(
    before: str | None,
    after: str | None,
    branch: str | None,
    directory: str | None,
    as_json: bool,
    sync_timeout: float,
    limit: int,
) -> None:
    """Compare run AFTER with run BEFORE: what newly fails, is fixed, new, gone, renamed, flaky, skipped or slower.

    Without names the last run is compared with the one before it of the same branch, with one name that run with the
    one before it (with --base: with the last of that branch). A test that a run merely did not run is not called
    removed. A test is slower or faster when its time is far from its own times in the last 20 runs.
    """
    from semantest_recorder.answers.run_difference import earlier_run, run_difference  # noqa: PLC0415
    from semantest_recorder.answers.stored_history import stored_history  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415
    from semantest_recorder.reports.wording import EXIT_GREEN, EXIT_NOT_GREEN, EXIT_RUNNING  # noqa: PLC0415

    if branch is not None and after is not None:
        raise Stop("--base chooses the run to compare with: name one run, or none", EXIT_USAGE)
    later, earlier = (after, before) if after is not None else (before or "last", None)
    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    gc.disable()  # as for a report
    try:
        with stored_history(folder / DATABASE) as history:
            run = history.reader.run(later)
            found = run_difference(history, earlier_run(history, run, earlier, branch), run)
    finally:
        gc.enable()
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.run_diff_lines import diff_lines  # noqa: PLC0415

        print_lines(diff_lines(found, limit))
    running = run.state in ("pending", "running")
    sys.exit(EXIT_NOT_GREEN if found.newly_failing else EXIT_RUNNING if running else EXIT_GREEN)
