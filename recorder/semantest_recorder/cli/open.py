"""``semantest open``: what was recorded, in a browser."""

from __future__ import annotations

import sys
import webbrowser
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

import click

from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.layout import DATABASE, OPEN_PAGE
from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

_START_S = 15.0
_ASK_S = 5.0


@click.command(
    "open",
    short_help="Look at what was recorded in a browser.",
    epilog=help_end(
        "semantest open",
        "semantest open last --no-browser",
        "semantest open --datasette --port 8001",
        exit_codes="0 opened, or Datasette ended by Ctrl-C, 1 failed or Datasette is not there, 2 wrong usage, "
        "3 nothing recorded or no such run",
    ),
)
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--datasette", is_flag=True, help="Serve the database with Datasette, which is installed on its own.")
@click.option("--port", type=Number(min=0, max=65535), help="With --datasette: its port.  [default: a free one]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@directory_option
@sync_option
def command(
    run: str | None, datasette: bool, port: int | None, no_browser: bool, directory: str | None, sync_timeout: float
) -> None:
    """Open the dashboard of this project, at all runs or at RUN: an id, a unique beginning of one, or `last`.

    The address that is printed signs one browser in, once and within a minute. The recorder is started when none runs;
    it ends by itself when nobody has used it for ten minutes. With `--datasette` the public views of the database can
    be browsed instead, asked in SQL and taken away as JSON or CSV, until Ctrl-C.
    """
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415

    if datasette and run is not None:
        raise Stop("Datasette shows all runs: name none with --datasette", EXIT_USAGE)
    if port is not None and not datasette:
        raise Stop("--port goes with --datasette: `semantest-recorder start --port` gives the recorder one", EXIT_USAGE)
    folder = project_folder(directory)
    browser = not no_browser and sys.stdout.isatty()
    if datasette:
        _open_datasette(folder, port or 0, sync_timeout, browser=browser)
        return
    take_in_and_tell(folder, sync_timeout)
    address = _sign_in_address(folder, _goal(folder, run))
    click.echo(as_text(address))
    if browser and not _show(folder, address):
        say_note("no browser can be started here: open the address in one within a minute")


def _goal(folder: Path, run: str | None) -> str:
    """The page to begin with. Raises what ``Reader`` raises."""
    if run is None:
        return "/runs"
    from semantest_recorder.cli.lookup import reader_of  # noqa: PLC0415

    return f"/runs/{quote(reader_of(folder).run(run).id, safe='')}"


def _sign_in_address(folder: Path, goal: str) -> str:
    """Where a browser signs in and goes to ``goal``. Raises ``Stop``."""
    from semantest_recorder.cli.daemon import serving  # noqa: PLC0415
    from semantest_recorder.cli.recorder_request import post  # noqa: PLC0415

    found = serving(folder, _START_S)
    code = post(found, "/api/v1/sign-in-codes", {}, _ASK_S, cut_short="nobody is signed in: try again")["code"]
    return f"{found.url.rstrip('/')}/sign-in?next={quote(goal, safe='')}#code={code}"


def _show(folder: Path, address: str) -> bool:
    """Whether a browser was started for ``address``.

    It is given a page that only its user can read and that leads there: every user of the machine sees the arguments of
    programs, and could redeem the code in the address before the browser does.
    """
    from html import escape  # noqa: PLC0415

    goal = escape(address)
    head = f'<meta charset="utf-8"><meta http-equiv="refresh" content="0;url={goal}"><title>Semantest</title>'
    try:
        write_whole(folder / OPEN_PAGE, f'<!doctype html>{head}<a href="{goal}">Semantest</a>\n'.encode())
        return webbrowser.open((folder / OPEN_PAGE).absolute().as_uri())
    except OSError:
        return False


def _open_datasette(folder: Path, port: int, sync_timeout: float, *, browser: bool) -> None:
    from semantest_recorder.cli.datasette import find_datasette, serve  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415
    from semantest_recorder.store.read_only import connect_read_only  # noqa: PLC0415

    program = find_datasette()
    take_in_and_tell(folder, sync_timeout)
    with closing(connect_read_only(folder / DATABASE)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    say_note("Datasette begins; the address with `token=` lets you in, Ctrl-C ends it")
    show = partial(_show, folder) if browser else None
    serve(program, (folder / DATABASE).absolute(), tables, port, show)
