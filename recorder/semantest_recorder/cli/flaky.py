"""``semantest flaky``: which tests fail without the code being the reason."""

from __future__ import annotations

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.window_options import WindowOptions, window_options


@click.command(
    "flaky",
    short_help="List flaky tests, the flakiest first.",
    epilog=help_end(
        "semantest flaky",
        "semantest flaky --window 30d --branch main --min-runs 10",
        "semantest flaky --limit 0 --json | jq '.tests[] | select(.low > 0.05) | .id'",
        exit_codes="0 listed (also when there are none), 2 wrong usage, 3 nothing recorded or no such branch",
    ),
)
@window_options
@click.option(
    "--min-runs", type=Number(min=1), default=1, show_default=True, help="Only tests that so many runs judged."
)
@click.option("--limit", type=Number(min=0), default=20, show_default=True, help="How many tests; 0 shows all.")
@directory_option
@json_option
@sync_option
def command(
    window: WindowOptions,
    min_runs: int,
    limit: int,
    directory: str | None,
    as_json: bool,
    sync_timeout: float,
) -> None:
    """List tests that failed without the code being the reason.

    A test flaked in a run when it failed there and passed on a retry, or failed although another run of the same commit
    passed (no files changed; same Python, platform, packages and labels). Tests are ranked by the lower end of the 95 %
    interval of the share of runs in which they did. Runs in which a fifth of all tests failed at once are left out.
    """
    from semantest_recorder.answers.flaky import flaky_list  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    listed = flaky_list(folder / DATABASE, window.chosen(), min_runs=min_runs, limit=limit or None)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(listed)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.flaky_list import flaky_lines  # noqa: PLC0415

        print_lines(flaky_lines(listed))
