"""``semantest history``: one test through its runs."""

from __future__ import annotations

import click

from semantest_recorder.cli.completing import complete_branch, complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.stop import NothingRecorded


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
    from semantest_recorder.cli.one_test import one_test  # noqa: PLC0415
    from semantest_recorder.cli.stored_history import stored_history  # noqa: PLC0415
    from semantest_recorder.reports.history_of_test import history_of_test  # noqa: PLC0415

    with stored_history(project_folder(directory), sync_timeout) as history:
        if branch is not None:
            history.runs.require_branch(branch)
        test_id = one_test(test, [], history.reader, history.identity.current)
        names = history.identity.ids_of(test_id)
        past = history.runs.history(names, branch, runs)
    if not past:
        raise NothingRecorded(f"no run{f' of branch {branch}' if branch else ''} has the test {test_id}")
    met = {run.test_id for run in past}
    found = history_of_test(test_id, [name for name in names[1:] if name in met], branch, past)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(found)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.history_of_test_lines import history_lines  # noqa: PLC0415

        print_lines(history_lines(found))
