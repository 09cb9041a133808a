"""``semantest trends``: how a suite goes on from run to run."""

from __future__ import annotations

import sys
from typing import get_args

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.cli.window_options import WindowOptions, window_options
from semantest_recorder.core.analysis.trend import Period


@click.command(
    "trends",
    short_help="Show counts, rates and durations over runs, days or weeks.",
    epilog=help_end(
        "semantest trends",
        "semantest trends --by week --branch main",
        "semantest trends --window 90d --csv > trends.csv",
        exit_codes="0 shown, 2 wrong usage, 3 nothing recorded or no such branch",
    ),
)
@click.option(
    "--by",
    type=click.Choice(get_args(Period)),
    default="run",
    show_default=True,
    help="A line for each run, day (UTC) or week; days and weeks of all runs unless --runs or --window is given.",
)
@window_options
@click.option(
    "--limit",
    type=Number(min=0),
    default=30,
    show_default=True,
    help="Lines of the table, the newest; 0 shows all. JSON and CSV have all.",
)
@directory_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of text.")
@sync_option
def command(
    by: Period,
    window: WindowOptions,
    limit: int,
    directory: str | None,
    as_json: bool,
    as_csv: bool,
    sync_timeout: float,
) -> None:
    """Show how many tests there were, passed, failed and were flaky, how long runs took and how many tests were new.

    The pass rate is the share of the tests that passed, at last, among those that passed or failed; the flaky rate that
    of the tests that passed on a retry only. Where a measure changed for good is found by Pettitt's test (p < 0.01).
    """
    from semantest_recorder.answers.trends import trends  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    if as_json and as_csv:
        raise Stop("--json and --csv are two forms of the same: give one", EXIT_USAGE)
    usual = 100 if by == "run" else None
    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    found = trends(folder / DATABASE, window.chosen(usual), by)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    elif as_csv:
        from semantest_recorder.cli.export_target import STDOUT, target  # noqa: PLC0415
        from semantest_recorder.reports.trend_table import trend_csv  # noqa: PLC0415

        with target(STDOUT) as stream:
            stream.write(trend_csv(found).encode("utf-8", "backslashreplace"))
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.trend_table import trend_lines  # noqa: PLC0415

        print_lines(trend_lines(found, limit, _characters()))


def _characters() -> str:
    from semantest_recorder.reports.sparkline import ASCII, BLOCKS  # noqa: PLC0415

    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS
