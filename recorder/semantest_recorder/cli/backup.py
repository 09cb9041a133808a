"""``semantest backup``: a copy of the database, whole, while recording goes on."""

from __future__ import annotations

from pathlib import Path

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

#: Version of what `--json` prints: fields are only added within one.
SCHEMA = 1


@click.command(
    "backup",
    short_help="Write a copy of the database.",
    epilog=help_end(
        "semantest backup semantest-$(date +%F).db",
        "semantest backup --force /srv/backup/semantest.db",
        exit_codes="0 written and checked, 1 failed, 2 wrong usage or the file is there, 3 nothing recorded",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@directory_option
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
def command(file: Path, directory: str | None, force: bool, as_json: bool) -> None:
    """Write all that was recorded up to now to FILE, a database of its own, and check every page of it.

    A recorder may run and take in events meanwhile. FILE appears only when it is whole. Attachments lie beside the
    database, in the folder `artifacts`: copy that as well.
    """
    from semantest_recorder.store.backup import back_up  # noqa: PLC0415

    folder = project_folder(directory)
    database = folder / DATABASE
    if file.exists() and database.exists() and file.samefile(database):
        raise Stop(f"{file} is the database itself: name another file", EXIT_USAGE)
    try:
        contents = back_up(database, file, overwrite=force)
    except FileExistsError:
        raise Stop(f"{file} is there: name another file, or replace it with --force", EXIT_USAGE) from None
    except OSError as error:
        if file.exists() and not file.is_file():
            raise Stop(f"{file} is no file, but a device or pipe: name another one", EXIT_USAGE) from None
        raise Stop(f"cannot write {file}: {error.strerror}; name a file in a folder that you may write to") from None
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json({"schema": SCHEMA, "database": str(database), "file": str(file.absolute()), "contents": contents})
        return
    from semantest_recorder.reports.wording import plural, size  # noqa: PLC0415

    what = f"{plural(contents.runs, 'run')}, {plural(contents.events, 'event')}, {size(contents.bytes)}"
    click.echo(f"wrote {file}: {what}, integrity checked")
