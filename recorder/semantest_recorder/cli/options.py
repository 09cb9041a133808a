"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

import click

from pytest_semantest.protocol.layout import DIRECTORY, SESSIONS
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.place import went_elsewhere, working_directory
from semantest_recorder.cli.seconds import Seconds
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import NothingRecorded, Stop
from semantest_recorder.reports.agent.tokens import DEFAULT_TOKENS, LEAST_TOKENS

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")

directory_option = click.option(
    "--directory",
    envvar="SEMANTEST_DIR",
    metavar="FOLDER",
    help="The .semantest folder.  [default: the nearest one here and above; env: SEMANTEST_DIR]",
)

limit_option = click.option(
    "--limit", type=Number(min=0), default=20, show_default=True, help="Tests per section; 0 shows all."
)

output_option = click.option("--output", is_flag=True, help="Show the captured output of tests that are not green.")

sync_option = click.option(
    "--sync-timeout",
    type=Seconds(),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for journals that are not in the database yet; 0 does not look for them.",
)

max_tokens_option = click.option(
    "--max-tokens",
    type=Number(min=LEAST_TOKENS),
    metavar="N",
    help=f"Of agent: how long it may be, three characters counting as a token.  [default: {DEFAULT_TOKENS}]",
)

journals_option = click.option(
    "--journals", is_flag=True, help="Read what is not in the database yet from its journals; ship nothing first."
)

exit_code_option = click.option(
    "--exit-code", is_flag=True, help="Exit as `semantest report` does: 0 only when the run is green."
)

#: The exit codes of commands that have it.
EXIT_CODES_OF_RUN = (
    "0 done, 1 it cannot be written or (with --exit-code) the run is not green, 2 wrong usage, 3 no such run, "
    "4 (with --exit-code) it still runs, or shards are missing"
)


def project_folder(directory: str | None) -> Path:
    """The ``.semantest`` folder. Raises ``NothingRecorded`` when there is none, ``Stop`` when it cannot be read."""
    here = working_directory(directory)
    folder = semantest_folder(directory, here)
    if folder is None:
        raise NothingRecorded(
            f"nothing recorded: no {DIRECTORY} folder in {here} or above. "
            f"Run `pytest --semantest` first, or name the folder with --directory.{went_elsewhere()}"
        )
    if not folder.is_dir():
        raise NothingRecorded(f"nothing recorded: {folder} is no folder. Name a {DIRECTORY} folder with --directory.")
    for needed in (folder, folder / SESSIONS):
        if needed.exists() and not os.access(needed, os.R_OK | os.X_OK):
            advice = f"run this as its owner, or change that: `sudo chown -R $(id -u) {quote(str(folder))}`"
            raise Stop(f"{needed} cannot be read: Permission denied; {advice}")
    return folder
