"""``semantest blame``: with which run, and maybe which commit, a test broke."""

from __future__ import annotations

import sys

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.completing import complete_branch, complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.place import working_directory


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
    from semantest_recorder.answers.blame import blame_of  # noqa: PLC0415
    from semantest_recorder.answers.stored_history import stored_history  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    with stored_history(folder / DATABASE) as history:
        found = blame_of(history, test, branch, runs, [str(working_directory(directory)), str(folder.parent)])
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.blame_lines import blame_lines  # noqa: PLC0415

        print_lines(blame_lines(found))
    sys.exit(0 if found.first_bad is not None and found.last_good is not None else 1)
