"""``semantest slowest``: where the time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.window_options import WindowOptions, window_options
from semantest_recorder.core.analysis.durations import Rank

if TYPE_CHECKING:
    from semantest_recorder.answers.slowest import By
    from semantest_recorder.store.analysis_durations import Phase


@click.command(
    "slowest",
    short_help="List the slowest tests, files or suites.",
    epilog=help_end(
        "semantest slowest",
        "semantest slowest --by file --sort total",
        "semantest slowest --phase setup --window 14d --branch main",
        "semantest slowest --json | jq '.entries[] | select(.change != null)'",
        exit_codes="0 listed, 2 wrong usage, 3 nothing recorded or no such branch",
    ),
)
@click.option(
    "--by",
    type=click.Choice(["test", "file", "suite"]),
    default="test",
    show_default=True,
    help="What is listed; a suite is a class, or the tests of a file that are in none.",
)
@click.option(
    "--sort",
    type=click.Choice(get_args(Rank)),
    default="p95",
    show_default=True,
    help="By the median, by what 95 % do not exceed, or by all the time spent.",
)
@click.option("--phase", type=click.Choice(["setup", "call", "teardown"]), help="The time in this phase only.")
@window_options
@click.option("--limit", type=Number(min=0), default=20, show_default=True, help="How many; 0 shows all.")
@directory_option
@json_option
@sync_option
def command(
    by: By,
    sort: Rank,
    phase: Phase | None,
    window: WindowOptions,
    limit: int,
    directory: str | None,
    as_json: bool,
    sync_timeout: float,
) -> None:
    """List what takes the most time, and since when it takes longer, or less.

    Every attempt counts that ended by itself or by a timeout, of tests that failed, too; skipped and crashed ones do
    not. Times of a file or suite are what its tests take together in a run.
    """
    from semantest_recorder.answers.slowest import slowest_list  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    listed = slowest_list(folder / DATABASE, window.chosen(), by=by, sort=sort, phase=phase, limit=limit or None)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(listed)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.slowest_list import slowest_lines  # noqa: PLC0415

        print_lines(slowest_lines(listed))
