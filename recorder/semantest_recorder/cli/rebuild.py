"""``semantest rebuild``: everything that is derived, computed once more from the log."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

import click
import msgspec

from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli import daemon
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.offline import offline, stop_option
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.progress import progress
from semantest_recorder.cli.snapshot import snapshot
from semantest_recorder.cli.stop import EXIT_FAILED

#: Version of what `--json` prints: fields are only added within one.
SCHEMA = 1
_SHOWN = 20


class Outcome(msgspec.Struct, rename="camel"):
    """What was done; ``differences`` are one line each, ``kept`` is where the old file is."""

    database: str
    check: bool
    batches: int
    events: int
    seconds: float
    differences: list[str]
    kept: str | None = None
    schema: int = SCHEMA


@click.command(
    "rebuild",
    short_help="Compute everything again from the log.",
    epilog=help_end(
        "semantest rebuild --check",
        "semantest rebuild --stop",
        exit_codes="0 done or no difference, 1 --check found differences or it failed, 2 wrong usage, "
        "3 nothing recorded, 4 a recorder runs",
    ),
)
@directory_option
@click.option("--check", is_flag=True, help="Only compare; nothing is changed.")
@stop_option
@json_option
def command(directory: str | None, check: bool, stop_recorder: bool, as_json: bool) -> None:
    """Recreate runs, tests, attempts and suites from the events in the log, and say where the old ones differed.

    What differs was damaged, or was computed by an older version that knew less or had a fault. The old file is kept as
    semantest.db.before-rebuild-<time>. No recorder may run meanwhile; pytest runs keep their journals and ship them
    afterwards. Only --check goes beside one: it takes a copy, for which there must be room.
    """
    folder = project_folder(directory)
    if check and not stop_recorder and daemon.running(folder) is not None:
        with snapshot(folder) as copy:
            outcome = msgspec.structs.replace(_rebuild(copy, check=True), database=str(folder / DATABASE))
    else:
        with offline(folder, stop_recorder=stop_recorder) as database:
            outcome = _rebuild(database, check=check)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(outcome)
    else:
        _say(outcome)
    sys.exit(EXIT_FAILED if check and outcome.differences else 0)


def _rebuild(database: Path, *, check: bool) -> Outcome:
    """Under the recorder's lock. Raises ``StoreError``, ``sqlite3.Error`` or ``OSError``; all is as before then."""
    from semantest_recorder.store.exchange import REBUILDING, exchange, remove_draft  # noqa: PLC0415
    from semantest_recorder.store.replay import rebuild  # noqa: PLC0415

    draft = database.with_name(database.name + REBUILDING)
    started = time.monotonic()
    remove_draft(draft)  # of a rebuild that was killed
    try:
        if not check:
            _migrate(database)
        with progress("replaying") as tell:
            done = rebuild(database, draft, tell)
        found = _compare(database, draft)
        kept = None if check else exchange(draft, database, "rebuild", time.time() * 1000)
    finally:
        remove_draft(draft)
    seconds = round(time.monotonic() - started, 3)
    old = None if kept is None else str(kept)
    return Outcome(str(database), check, done.batches, done.events, seconds, found, old)


def _migrate(database: Path) -> None:
    """Brings a file of an older version to this one, as a recorder would."""
    from semantest_recorder.store.errors import DatabaseTooOld  # noqa: PLC0415
    from semantest_recorder.store.opening import open_for_writing  # noqa: PLC0415
    from semantest_recorder.store.read_only import connect_read_only  # noqa: PLC0415

    try:
        connect_read_only(database).close()
    except DatabaseTooOld:
        open_for_writing(database, lambda: time.time() * 1000)[0].close()


def _compare(database: Path, draft: Path) -> list[str]:
    from semantest_recorder.store.comparison import differences  # noqa: PLC0415

    try:
        with progress("comparing") as tell:
            return differences(database, draft, tell)
    except sqlite3.DatabaseError as error:  # a damaged page; the log could be read
        return [f"the rest of {database.name} cannot be read: {error}"]


def _say(outcome: Outcome) -> None:
    from semantest_recorder.reports.inert import inert_line  # noqa: PLC0415
    from semantest_recorder.reports.wording import plural  # noqa: PLC0415

    for line in outcome.differences[:_SHOWN]:
        click.echo(as_text(inert_line(line)))
    if len(outcome.differences) > _SHOWN:
        click.echo(f"... and {len(outcome.differences) - _SHOWN} more; --json lists all")
    found = plural(len(outcome.differences), "difference") if outcome.differences else "no difference"
    replayed = f"{plural(outcome.events, 'event')} replayed in {outcome.seconds:.1f} s, {found}."
    if outcome.kept is None:
        click.echo(f"{replayed} {'`semantest rebuild` would mend it.' if outcome.differences else ''}".rstrip())
    else:
        click.echo(f"{replayed} The old file is kept: {outcome.kept}")
