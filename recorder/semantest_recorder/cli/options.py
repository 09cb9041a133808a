"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from pytest_semantest.protocol.layout import DIRECTORY, SESSIONS, find_directory
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.seconds import Seconds
from semantest_recorder.cli.stop import NothingRecorded, Stop
from semantest_recorder.reports.wording import EXIT_USAGE

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")

directory_option = click.option(
    "--directory",
    envvar="SEMANTEST_DIR",
    metavar="FOLDER",
    help="The .semantest folder.  [default: the nearest one here and above; env: SEMANTEST_DIR]",
)

limit_option = click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Tests per section; 0 shows all."
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

_url_option = click.option(
    "--url",
    envvar="SEMANTEST_URL",
    metavar="URL",
    help="A recorder elsewhere (reading from one needs its REST API).  [env: SEMANTEST_URL]",
)


def project_options(command: Command) -> Command:
    """``--directory`` and ``--url`` for a command that reads what was recorded."""
    return directory_option(_url_option(command))


def recorded_folder(directory: str | None, url: str | None) -> Path:
    """The ``.semantest`` folder to read from.

    Raises ``NothingRecorded`` when there is none, and ``Stop`` for a remote recorder; a ``--directory`` on the
    command line wins over a URL of the environment.
    """
    if url and not _typed("directory"):
        raise Stop(
            f"{url} cannot be read from here: remote queries come with the recorder's REST API. "
            "Run this on the recorder's machine, or name a folder with --directory.",
            EXIT_USAGE,
        )
    return project_folder(directory)


def project_folder(directory: str | None) -> Path:
    """The ``.semantest`` folder. Raises ``NothingRecorded`` when there is none, ``Stop`` when it cannot be read."""
    here = working_directory(directory)
    folder = find_directory(directory, here)
    if folder is None:
        raise NothingRecorded(
            f"nothing recorded: no {DIRECTORY} folder in {here} or above. "
            "Run `pytest --semantest` first, or name the folder with --directory."
        )
    if not folder.is_dir():
        raise NothingRecorded(f"nothing recorded: {folder} is no folder. Name a {DIRECTORY} folder with --directory.")
    for needed in (folder, folder / SESSIONS):
        if needed.exists() and not os.access(needed, os.R_OK | os.X_OK):
            advice = f"run this as its owner, or change that: `sudo chown -R $(id -u) {quote(str(folder))}`"
            raise Stop(f"{needed} cannot be read: Permission denied; {advice}")
    return folder


def _typed(parameter: str) -> bool:
    source = click.get_current_context().get_parameter_source(parameter)
    return source is ParameterSource.COMMANDLINE
