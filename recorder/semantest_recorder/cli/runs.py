"""``semantest runs``: what was recorded."""

from __future__ import annotations

import sys

import click

from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.completing import complete_branch
from semantest_recorder.cli.damaged_databases import set_aside_databases
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option

_STATES = ["pending", "running", "passed", "failed", "cancelled", "interrupted", "timeout"]


@click.command(
    "runs",
    epilog=help_end(
        "semantest runs",
        "semantest runs --state failed --branch main --limit 5",
        "semantest runs --json | jq '.runs[].id'",
        exit_codes="0 listed, 2 wrong usage, 3 nothing recorded or no such branch",
    ),
)
@directory_option
@json_option
@sync_option
@click.option(
    "--limit",
    type=Number(min=0),
    default=20,
    show_default=True,
    help="How many runs, newest first; 0 lists all.",
)
@click.option("--state", type=click.Choice(_STATES), help="Only runs in this state.")
@click.option("--branch", metavar="BRANCH", shell_complete=complete_branch, help="Only runs of this branch.")
def command(
    directory: str | None, as_json: bool, sync_timeout: float, limit: int, state: str | None, branch: str | None
) -> None:
    """List the recorded runs, newest first.

    Those whose journals the recorder does not have yet are among them, and it is said so.
    """
    from semantest_recorder.cli.run_lookup import chosen_runs  # noqa: PLC0415
    from semantest_recorder.reports.run_list import RunList, run_lines  # noqa: PLC0415

    folder = project_folder(directory)
    for name in set_aside_databases(folder):
        say_note(
            f"{name} was damaged and set aside: the runs in it are not shown; "
            f"`{command_line('doctor', folder)}` says what can be done"
        )
    most = limit or sys.maxsize - 1
    found, notes = chosen_runs(folder, most + 1, sync_timeout, state, branch)
    for note in notes:
        say_note(note)
    runs = found[:most]
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(RunList(runs=runs))
    elif runs:
        from semantest_recorder.cli.console import print_lines, terminal_width  # noqa: PLC0415

        print_lines(run_lines(runs, terminal_width()))
        if len(found) > most:
            say_note("there are more: --limit 0 lists all")
    else:
        click.echo(f"No {state} runs.")
