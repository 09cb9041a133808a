"""``semantest runs``: what was recorded."""

from __future__ import annotations

import sys

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import json_option, project_options, recorded_folder, sync_option

_STATES = ["pending", "running", "passed", "failed", "cancelled", "interrupted", "timeout"]
#: How many runs are looked through for those of one state.
_SEARCHED = 10_000


@click.command(
    "runs",
    epilog=help_end(
        "semantest runs",
        "semantest runs --state failed --limit 5",
        "semantest runs --json | jq '.runs[].id'",
        exit_codes="0 listed, 2 wrong usage, 3 nothing recorded",
    ),
)
@project_options
@json_option
@sync_option
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many runs, newest first; 0 lists all.",
)
@click.option("--state", type=click.Choice(_STATES), help="Only runs in this state.")
def command(
    directory: str | None, url: str | None, as_json: bool, sync_timeout: float, limit: int, state: str | None
) -> None:
    """List the recorded runs, newest first."""
    from semantest_recorder.cli.current import take_in_leftovers  # noqa: PLC0415
    from semantest_recorder.cli.lookup import reader_of  # noqa: PLC0415
    from semantest_recorder.cli.run_counts import run_counts  # noqa: PLC0415
    from semantest_recorder.cli.session_notes import session_notes  # noqa: PLC0415
    from semantest_recorder.reports.run_list import RunList, run_summary, run_table  # noqa: PLC0415

    folder = recorded_folder(directory, url)
    note = take_in_leftovers(folder, sync_timeout)
    if note:
        click.echo(f"semantest: some sessions are not in the database yet: {note}", err=True)
    for told in session_notes(folder):
        click.echo(f"semantest: {told}", err=True)
    most = limit or sys.maxsize
    rows = reader_of(folder).runs(most if state is None or not limit else _SEARCHED)
    rows = [row for row in rows if state is None or row.state == state][:most]
    counts = run_counts(folder / DATABASE, rows)
    runs = [run_summary(row, count) for row, count in zip(rows, counts, strict=True)]
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(RunList(runs=runs))
    elif runs:
        from semantest_recorder.cli.console import stdout_console  # noqa: PLC0415

        stdout_console().print(run_table(runs))
    else:
        click.echo("No runs." if state is None else f"No {state} runs.")
