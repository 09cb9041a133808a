"""``semantest history``: one test through its runs."""

from __future__ import annotations

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.completing import complete_branch, complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option


@click.command(
    "history",
    short_help="Show one test through its runs.",
    epilog=help_end(
        "semantest history tests/test_cart.py::test_total",
        "semantest history test_total --branch main --runs 100",
        "semantest history test_total --json | jq -r '.runs[] | [.run, .state, .durationMs] | @tsv'",
        exit_codes="0 shown, 2 wrong usage or several tests match, 3 no such test or branch",
    ),
)
@click.argument("test", shell_complete=complete_test)
@click.option("--branch", metavar="BRANCH", shell_complete=complete_branch, help="Only runs of this branch.")
@click.option("--runs", type=Number(min=1), default=30, show_default=True, help="How many runs, the last ones.")
@directory_option
@json_option
@sync_option
def command(
    test: str, branch: str | None, runs: int, directory: str | None, as_json: bool, sync_timeout: float
) -> None:
    """Show what became of a test in its last runs: state, time, branch and commit, also under its earlier names.

    TEST is a test's id or its name; or a part of an id that only one test has.
    """
    from semantest_recorder.answers.history import history_of  # noqa: PLC0415
    from semantest_recorder.answers.stored_history import stored_history  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    folder = project_folder(directory)
    take_in_and_tell(folder, sync_timeout)
    with stored_history(folder / DATABASE) as stored:
        found = history_of(stored, test, branch, runs)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.history_of_test_lines import history_lines  # noqa: PLC0415

        print_lines(history_lines(found))
