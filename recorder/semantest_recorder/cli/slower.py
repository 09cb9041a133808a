"""``semantest slower``: which tests take longer than they did."""

from __future__ import annotations

import time

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.completing import complete_branch, complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option


@click.command(
    "slower",
    short_help="List tests that became slower, or faster.",
    epilog=help_end(
        "semantest slower",
        "semantest slower --since 30d --branch main",
        "semantest slower --since 20261121-093000",
        "semantest slower --json | jq -r '.slower[] | [.beforeMs, .nowMs, .id] | @tsv'",
        exit_codes="0 listed (also when there are none), 2 wrong usage, 3 nothing recorded, no such run or branch, "
        "or no run before or since",
    ),
)
@click.option(
    "--since",
    default="7d",
    show_default=True,
    metavar="AGE|RUN",
    shell_complete=complete_run,
    help="Runs since then are compared with those before: 7d, or a run (id, unique beginning, `last`), itself later.",
)
@click.option("--branch", metavar="NAME", shell_complete=complete_branch, help="Only runs of this branch.")
@click.option("--limit", type=Number(min=0), default=20, show_default=True, help="How many of each; 0 shows all.")
@directory_option
@json_option
@sync_option
def command(
    since: str, branch: str | None, limit: int, directory: str | None, as_json: bool, sync_timeout: float
) -> None:
    """List tests that take longer, or less, since a time or a run, beyond their noise.

    The median of a test's passes in the last 20 runs since then is compared with its passes in the 20 runs before, by
    the rule of `semantest diff`. What all tests took more, such as on another machine, is taken out.
    """
    from semantest_recorder.answers.slower import slower_tests  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    found = slower_tests(folder / DATABASE, since, time.time() * 1000, branch, limit or None)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.slower_list import slower_lines  # noqa: PLC0415

        print_lines(slower_lines(found))
