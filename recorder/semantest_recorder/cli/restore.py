"""``semantest restore``: a backup becomes the database."""

from __future__ import annotations

import time
from pathlib import Path
from shlex import quote

import click

from pytest_semantest.protocol.layout import DIRECTORY
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.offline import offline, stop_option
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import EXIT_NOTHING, NothingRecorded, Stop

#: Version of what `--json` prints: fields are only added within one.
SCHEMA = 1


@click.command(
    "restore",
    short_help="Make a backup the database.",
    epilog=help_end(
        "semantest restore semantest-2026-11-21.db --dry-run",
        "semantest restore semantest-2026-11-21.db --stop",
        exit_codes="0 restored, 1 the file cannot be used or it failed, 2 wrong usage, 3 no such file or folder, "
        "4 a recorder runs",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@directory_option
@click.option("--dry-run", is_flag=True, help="Only check FILE, and say what is in it.")
@stop_option
@json_option
def command(file: Path, directory: str | None, dry_run: bool, stop_recorder: bool, as_json: bool) -> None:
    """Put a copy of FILE in the place of the database.

    FILE is checked first: it must be a database of Semantest, of this or an older version, with no damaged page. The
    present database is kept as semantest.db.before-restore-<time>. What was recorded since the backup is in that file
    only.
    """
    from semantest_recorder.store.backup import inspect, prepare  # noqa: PLC0415
    from semantest_recorder.store.exchange import RESTORING, exchange, remove_draft  # noqa: PLC0415

    folder = _folder(directory)
    if not file.exists():
        raise Stop(f"there is no file {file}: name one that `semantest backup` wrote", EXIT_NOTHING)
    kept = None
    contents = inspect(file)
    if not dry_run:
        with offline(folder, stop_recorder=stop_recorder) as database:
            draft = database.with_name(database.name + RESTORING)
            if draft.exists() and draft.samefile(file):
                raise Stop(f"{file} is where a restore writes: move it elsewhere, and restore it from there")
            try:
                contents = prepare(file, draft)
                kept = exchange(draft, database, "restore", time.time() * 1000)
            finally:
                remove_draft(draft)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        told = {"file": str(file.absolute()), "dryRun": dry_run, "contents": contents, "kept": kept and str(kept)}
        print_json({"schema": SCHEMA, "directory": str(folder), **told})
        return
    from semantest_recorder.reports.wording import plural, size  # noqa: PLC0415

    what = f"{plural(contents.runs, 'run')}, {plural(contents.events, 'event')}, {size(contents.bytes)}"
    if dry_run:
        click.echo(f"{file} can be restored: {what}, schema version {contents.version}; nothing was done")
    else:
        beside = f"; the database before it is kept: {kept}" if kept else ""
        click.echo(f"restored {file}: {what}{beside}")


def _folder(directory: str | None) -> Path:
    """Where to restore; that nothing was recorded there is no reason not to. Raises ``Stop``."""
    try:
        return project_folder(directory)
    except NothingRecorded:
        here = working_directory(directory)
        new = here / (semantest_folder(directory, here) or DIRECTORY)
        what = (
            f"there is no folder {new} to restore into: make it, `mkdir -m 700 {quote(str(new))}`, then restore again"
        )
        raise Stop(what, EXIT_NOTHING) from None
