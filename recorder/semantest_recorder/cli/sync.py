"""``semantest sync``: bring leftover journals to the recorder now."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from pytest_semantest.protocol.layout import session_folders
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import directory_option, project_folder
from semantest_recorder.cli.stop import Stop


@click.command(
    "sync",
    epilog=help_end(
        "semantest sync",
        "SEMANTEST_TOKEN=... semantest sync --url https://recorder.example:8700",
        exit_codes="0 all is shipped, 2 wrong usage, 3 no recorder reached, 4 it refused, 5 a session cannot be read",
    ),
)
@directory_option
@click.option(
    "--url",
    envvar="SEMANTEST_URL",
    metavar="URL",
    help="The recorder to ship to.  [default: the project's own; env: SEMANTEST_URL]",
)
@click.option(
    "--token-env", metavar="NAME", help="The variable that holds the recorder's token.  [default: SEMANTEST_TOKEN]"
)
@click.option("--timeout", type=click.FloatRange(min=0), default=30.0, show_default=True, metavar="SECONDS")
@click.option("--here", is_flag=True, help="To the project's own recorder, also what is meant for another one.")
@click.option("--quiet", is_flag=True, help="Only errors.")
def command(
    directory: str | None, url: str | None, token_env: str | None, timeout: float, here: bool, quiet: bool
) -> None:
    """Ship the journals of ended sessions that no recorder has yet; one is started if need be.

    Nothing is deleted before the recorder has committed it, so this can be repeated at any time.
    """
    from semantest_recorder.cli.take_in import (  # noqa: PLC0415
        bound_elsewhere,
        sync_command,
        sync_environment,
    )

    folder = project_folder(directory)
    before = {session.name for session in session_folders(folder)}
    if not before:
        if not quiet:
            click.echo(f"Nothing to ship: every session of {folder} was taken in.")
        return
    elsewhere = {target for session in session_folders(folder) if (target := bound_elsewhere(session))}
    if elsewhere and not url and not here:
        targets = " or ".join(f"--url {target}" for target in sorted(elsewhere))
        raise Stop(f"some sessions are meant for another recorder: give {targets}, or --here for the project's own.", 2)
    arguments = ["--timeout", f"{timeout:g}"]
    environment = sync_environment()
    if url:
        variable = token_env or "SEMANTEST_TOKEN"
        arguments += ["--url", url, "--token-env", variable]
        if (token := os.environ.get(variable)) is not None:
            environment[variable] = token
    if quiet:
        arguments.append("--quiet")
    done = subprocess.run(sync_command(folder, *arguments), env=environment, check=False)
    left = {session.name for session in session_folders(folder)} & before
    if not quiet:
        click.echo(f"{len(before) - len(left)} of {len(before)} sessions are at the recorder.")
    if done.returncode:
        sys.exit(done.returncode if done.returncode > 0 else _died(done.returncode))


def _died(code: int) -> int:
    raise Stop(f"the shipper was killed by signal {-code}; no journal was lost. Run `semantest sync` again.")
