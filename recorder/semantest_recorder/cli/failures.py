"""``semantest failures``: what failed, one entry for each cause."""

from __future__ import annotations

import sys

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.completing import complete_branch, complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, limit_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop


@click.command(
    "failures",
    short_help="Show what failed, one entry for each cause.",
    epilog=help_end(
        "semantest failures",
        "semantest failures 20261121-0930 --limit 0",
        "semantest failures --runs 20 --branch main",
        "semantest failures --json | jq '.clusters[] | [.id, .message, (.tests | length)]'",
        exit_codes="0 nothing failed, 1 something failed, 2 wrong usage, 3 no such run or branch",
    ),
)
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--runs", "window", type=Number(min=1), metavar="N", help="Over the last N runs, not of one run.")
@click.option("--branch", metavar="BRANCH", shell_complete=complete_branch, help="With --runs: of this branch only.")
@directory_option
@json_option
@sync_option
@limit_option
def command(
    run: str | None,
    window: int | None,
    branch: str | None,
    directory: str | None,
    as_json: bool,
    sync_timeout: float,
    limit: int,
) -> None:
    """Show the failures of a run by their cause: the same error at the same place, whatever values it tells of.

    RUN is a run's id, a unique beginning of one, or `last` (the default). Numbers, times, ids, addresses, paths and
    quoted text in a message make no difference. A cause has the same id in every run.
    """
    from semantest_recorder.answers.failures import failures_in  # noqa: PLC0415
    from semantest_recorder.answers.stored_history import stored_history  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    if window is not None and run is not None:
        raise Stop("name a run, or give --runs", EXIT_USAGE)
    if branch is not None and window is None:
        raise Stop("--branch goes with --runs", EXIT_USAGE)
    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    with stored_history(folder / DATABASE) as history:
        ids = history.runs.last_runs(window, branch) if window else [history.reader.run(run or "last").id]
        found = failures_in(history, ids)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.failure_lines import failure_lines  # noqa: PLC0415

        print_lines(failure_lines(found, limit))
    sys.exit(1 if found.clusters else 0)
