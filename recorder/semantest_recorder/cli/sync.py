"""``semantest sync``: bring leftover journals to the recorders that they are meant for, now."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import click
from click.core import ParameterSource

from pytest_semantest.protocol.destination import is_on_this_host, is_same_recorder
from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.layout import session_folders
from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.given_token import read_token
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.own_folder import refuse_foreign
from semantest_recorder.cli.seconds import Seconds
from semantest_recorder.cli.shipping import TOKEN_VARIABLE, Outcome, run_shipper
from semantest_recorder.cli.stop import Stop
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import EXIT_USAGE, plural

EXIT_NOT_ALL = 6
_SCHEMA = 1


@click.command(
    "sync",
    short_help="Ship what no recorder has yet.",
    epilog=help_end(
        "semantest sync",
        "semantest sync --dry-run",
        "SEMANTEST_TOKEN=... semantest sync --url https://recorder.example:8700",
        exit_codes="0 all is shipped, 1 the shipper failed, 2 wrong usage, 3 no recorder reached, 4 it refused, "
        "5 a session cannot be read, 6 not all in time or a run goes on",
    ),
)
@directory_option
@click.option(
    "--url",
    envvar="SEMANTEST_URL",
    metavar="URL",
    help="Ship every session to this recorder. SEMANTEST_URL is only for sessions that name none.  "
    "[default: where each was meant to go]",
)
@click.option(
    "--token-env",
    metavar="NAME",
    help="The variable that holds the token of the recorder of --url or SEMANTEST_URL; without these it goes to "
    "recorders on this machine only.  [default: SEMANTEST_TOKEN]",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File that holds that token, in place of a variable.",
)
@click.option(
    "--timeout",
    type=Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For all of it: waiting, connecting and shipping.",
)
@click.option("--here", is_flag=True, help="Ship every session to the project's own recorder.")
@click.option("--dry-run", is_flag=True, help="Only say where each session would go.")
@json_option
@click.option("--quiet", is_flag=True, help="Only errors.")
def command(
    directory: str | None,
    url: str | None,
    token_env: str | None,
    token_file: Path | None,
    timeout: float,
    here: bool,
    dry_run: bool,
    **shown: bool,
) -> None:
    """Ship the journals of ended sessions that no recorder has yet, each to the one it was recorded for.

    The project's own recorder is started if need be. Nothing is deleted before a recorder has committed it, so this can
    be repeated at any time.
    """
    typed = click.get_current_context().get_parameter_source("url") is ParameterSource.COMMANDLINE
    if here and typed:
        raise Stop("--url and --here name two recorders: give one of them.", EXIT_USAGE)
    if token_env is not None and token_file is not None:
        raise Stop("--token-env and --token-file name two tokens: give one of them.", EXIT_USAGE)
    as_json, quiet = shown["as_json"], shown["quiet"]
    folder = project_folder(directory)
    if not dry_run:
        refuse_foreign(folder)
    variable = token_env or TOKEN_VARIABLE
    token = os.environ.get(variable) if token_file is None else read_token(token_file)
    arguments = ["--json", "--timeout", f"{timeout:g}", "--token-env", variable]
    arguments += ["--here"] if here else (["--url" if typed else "--otherwise", url] if url else [])
    arguments += [name for name, given in (("--dry-run", dry_run), ("--quiet", quiet)) if given]
    code, found = run_shipper(folder, arguments, variable, token) if session_folders(folder) else (0, [])
    if not dry_run and code == 0 and not all(entry.is_shipped for entry in found):
        code = EXIT_NOT_ALL
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json({"schema": _SCHEMA, "directory": str(folder), "dryRun": dry_run, "sessions": found})
    elif not quiet:
        click.echo(as_text(_sum(folder, found, dry_run=dry_run)))
    for line in dict.fromkeys(_advice(folder, found, variable, named=url)):
        say_note(line)
    sys.exit(code)


def _sum(folder: Path, found: list[Outcome], *, dry_run: bool) -> str:
    if not found:
        return f"Nothing to ship: every session of {folder} was taken in."
    number = len(found)
    if dry_run:
        return f"{plural(number, 'session')} to ship; nothing was done."
    return f"{sum(entry.is_shipped for entry in found)} of {plural(number, 'session')} shipped."


def _advice(folder: Path, found: list[Outcome], variable: str, *, named: str | None) -> Iterator[str]:
    """What to do about what was not shipped; every command in it can be run as it stands.

    ``named``: the address that the user gave, beside which the token stood.
    """
    sync = command_line("sync", folder)
    for entry in found:
        url = inert_line(entry.recorder) if entry.recorder else None
        if entry.wants_token and url:
            if is_same_recorder(url, named) or (named is None and is_on_this_host(url)):
                yield f"{url} wants its token: set {variable} to it, then run: {sync}"
            else:
                unsent = "which goes to no address that only the folder names"
                setting = f"set {variable} to it and SEMANTEST_URL to {url}"
                yield f"{url} wants its token, {unsent}: {setting}, then run: {sync}"
        elif entry.in_vain and url:
            yield f"when that is corrected, run: {sync}; to ship to the project's own recorder instead: {sync} --here"
        elif entry.outcome == "unreachable" and url:
            yield f"when {url} is there, run: {sync}; to ship to the project's own recorder instead: {sync} --here"
        elif entry.outcome == "unreachable":
            yield f"what is wrong with the project's recorder says: {command_line('doctor', folder)}"
        elif entry.outcome in ("late", "terminated"):
            yield f"what is left can be shipped at any time: {sync} --timeout 600"
        elif entry.outcome in ("stopped", "unreadable") and inert_line(entry.session) == entry.session:
            yield f"what is in it shows: {command_line(f'recover {quote(entry.session)}', folder)}"
