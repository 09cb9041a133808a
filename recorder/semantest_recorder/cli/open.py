"""``semantest open``: what was recorded, in a browser."""

from __future__ import annotations

import sys
from contextlib import closing

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop


@click.command(
    "open",
    short_help="Look at what was recorded in a browser.",
    epilog=help_end(
        "semantest open --datasette",
        "semantest open --datasette --port 8001 --no-browser",
        exit_codes="0 ended by Ctrl-C, 1 failed or Datasette is not there, 2 wrong usage, 3 nothing recorded",
    ),
)
@click.option("--datasette", is_flag=True, help="Serve the database with Datasette, which is installed on its own.")
@click.option("--port", type=Number(min=0, max=65535), default=0, help="Port on loopback.  [default: a free one]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@directory_option
@sync_option
def command(datasette: bool, port: int, no_browser: bool, directory: str | None, sync_timeout: float) -> None:
    """Serve what was recorded on this machine, read-only, until Ctrl-C.

    With `--datasette` the public views can be browsed, filtered, asked in SQL and taken away as JSON or CSV. The
    address that is printed lets in whoever has it, and nobody else.
    """
    from semantest_recorder.cli.datasette import find_datasette, serve  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_and_tell  # noqa: PLC0415
    from semantest_recorder.store.read_only import connect_read_only  # noqa: PLC0415

    if not datasette:
        raise Stop("say what to open it with: `semantest open --datasette`", EXIT_USAGE)
    folder = project_folder(directory)
    program = find_datasette()
    take_in_and_tell(folder, sync_timeout)
    with closing(connect_read_only(folder / DATABASE)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    say_note("Datasette begins; the address with `token=` lets you in, Ctrl-C ends it")
    serve(program, (folder / DATABASE).absolute(), tables, port, browser=not no_browser and sys.stdout.isatty())
