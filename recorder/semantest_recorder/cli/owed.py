"""``semantest owed``: what runs still owe, their reruns taken into account."""

from __future__ import annotations

import sys

import click

from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, json_option, limit_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop


@click.command(
    "owed",
    short_help="What runs still owe, with their reruns.",
    epilog=help_end(
        "semantest owed",
        "semantest owed 20261121-093000 --limit 0",
        "semantest owed shard-1 shard-2 --json | jq .outstanding",
        exit_codes="0 they passed and owe nothing, 1 they owe tests or failed, 2 wrong usage, 3 no such run, "
        "4 one still runs",
    ),
)
@click.argument("runs", nargs=-1, metavar="[RUN]...", shell_complete=complete_run)
@directory_option
@json_option
@sync_option
@limit_option
def command(runs: tuple[str, ...], directory: str | None, as_json: bool, sync_timeout: float, limit: int) -> None:
    """List the tests that runs still owe: those that failed or never ran, and did not pass in a rerun since.

    RUN is a run's id, a unique beginning of one, or `last` (the default). Of several what any of them owes.
    `pytest --semantest-rerun RUN` runs these tests.
    """
    from semantest_recorder.cli.current import current_runs  # noqa: PLC0415
    from semantest_recorder.cli.lookup import CANNOT_READ, reader_of  # noqa: PLC0415
    from semantest_recorder.core.refusal import Refusal  # noqa: PLC0415
    from semantest_recorder.owed_reading import owed_of, require_pytest  # noqa: PLC0415
    from semantest_recorder.reports.wording import exit_code_of  # noqa: PLC0415

    folder = project_folder(directory)
    found = [find() for find in current_runs(folder, runs or ("last",), sync_timeout)]
    for note in dict.fromkeys(note for one in found for note in one.notes):
        say_note(note)
    try:
        require_pytest([one.rows for one in found])
    except Refusal as refusal:
        raise Stop(str(refusal), EXIT_USAGE) from None
    reader = reader_of(folder)
    try:
        owed = owed_of(reader, [one.rows for one in found])
    except CANNOT_READ:  # said above: the runs are those of their journals
        owed = owed_of(None, [one.rows for one in found])
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(owed)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.owed_lines import owed_lines  # noqa: PLC0415

        print_lines(owed_lines(owed, limit))
    sys.exit(exit_code_of(owed.state))
