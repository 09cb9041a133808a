"""``semantest watch``: look at a run while it happens."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.reports.wording import EXIT_RUNNING, exit_code_of

_WAITING = "waiting for the next run ..."
_LOOK_SECONDS = 0.2


@click.command(
    "watch",
    short_help="Watch a run while it happens.",
    epilog=help_end(
        "semantest watch --wait",
        "semantest watch --json | jq -c 'select(.type == \"test/end\")'",
        exit_codes="0 the run passed, 1 it is not green, 2 wrong usage, 3 nothing runs, 4 left while it ran, or shards "
        "are missing",
    ),
)
@click.argument("run", required=False, shell_complete=complete_run)
@directory_option
@json_option
@sync_option
@click.option("--wait", is_flag=True, help="When nothing runs yet, wait for the next run, be it the first.")
def command(run: str | None, directory: str | None, as_json: bool, sync_timeout: float, wait: bool) -> None:
    """Watch a run live: progress, what each worker does and for how long, the latest failures.

    RUN is a run's id or a unique beginning of one; the run that started last by default. Without a terminal plain
    lines are printed; --json prints a snapshot, then every event as the recorder sends it, and a snapshot at the end.
    """
    import asyncio  # noqa: PLC0415

    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415
    from semantest_recorder.cli.screens import JsonScreen, LiveScreen, PlainScreen, Screen  # noqa: PLC0415
    from semantest_recorder.cli.watching import Watching  # noqa: PLC0415

    try:
        folder = _first_folder(directory, quiet=as_json) if wait else None
    except KeyboardInterrupt:
        sys.exit(EXIT_RUNNING)
    is_first = folder is not None
    if folder is None:
        folder = project_folder(directory)
        take_in_and_tell(folder, sync_timeout)  # a run whose process died is over, whatever the database says
    screen: Screen = JsonScreen() if as_json else LiveScreen() if sys.stdout.isatty() else PlainScreen()
    watching = Watching(folder, run, screen, wait=wait, all_new=is_first)
    if not watching.has_found() and not as_json and not is_first:
        say_note(_WAITING)
    try:
        with screen:
            run_at_end = asyncio.run(watching.until_it_ends())
    except KeyboardInterrupt:
        sys.exit(EXIT_RUNNING)
    sys.exit(exit_code_of(run_at_end.state, run_at_end.shards_missing))


def _first_folder(directory: str | None, *, quiet: bool) -> Path | None:
    """The folder that the first run makes, once it is there; ``None`` when there is one already. Raises ``Stop``."""
    here, waited = working_directory(directory), False
    while (folder := semantest_folder(directory, here)) is None or not folder.exists():
        if not waited and not quiet:
            say_note(_WAITING)
        waited = True
        time.sleep(_LOOK_SECONDS)
    return folder if waited else None
