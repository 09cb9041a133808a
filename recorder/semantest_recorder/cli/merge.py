"""``semantest merge``: shards and jobs of CI become one run, and histories one history."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.github_step import as_text
from semantest_recorder.cli.completing import complete_run_or_path
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.offline import stop_option
from semantest_recorder.cli.options import directory_option, json_option
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.run_id import RunIdName
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import EXIT_FAILED, EXIT_USAGE, Stop
from semantest_recorder.reports.inert import inert_line

if TYPE_CHECKING:
    from semantest_recorder.cli.merging import Merged, Wanted


@click.command(
    "merge",
    short_help="Merge shards and jobs into one run.",
    epilog=help_end(
        "semantest merge artifacts/ --expect 4",
        "semantest merge shard-1/.semantest shard-2/.semantest --dry-run",
        "semantest merge 20261121-0930 20261121-0931 --run-id build-7",
        "semantest merge linux/.semantest windows/.semantest --run-id build-7",
        exit_codes="0 merged or nothing new, 1 something is missing or was refused, 2 wrong usage, 3 nothing to merge, "
        "4 a recorder runs: give --stop",
    ),
)
@click.argument(
    "what", metavar="FOLDER_OR_DATABASE_OR_RUN...", nargs=-1, required=True, shell_complete=complete_run_or_path
)
@directory_option
@click.option("--run-id", type=RunIdName(), metavar="ID", help="Copy all of it into this run.")
@click.option("--run", "only", metavar="ID", help="Only this run of the folders.")
@click.option("--expect", type=Number(min=1), metavar="N", help="A run of fewer sessions is not green.")
@click.option("--remove-originals", is_flag=True, help="Delete the RUNs when they are copied.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed for --remove-originals without a terminal.")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken.")
@stop_option
@json_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    what: tuple[str, ...],
    directory: str | None,
    run_id: str | None,
    only: str | None,
    expect: int | None,
    remove_originals: bool,
    yes: bool,
    dry_run: bool,
    stop_recorder: bool,
    as_json: bool,
) -> None:
    """Merge what was recorded elsewhere into this history, or several runs into one.

    Sessions that shared SEMANTEST_RUN_ID are one run again when their folders are merged. Runs of different ids become
    one with --run-id: a copy, the runs stay. All of it can be repeated: nothing is stored twice.
    """
    here = working_directory(directory)
    folder = semantest_folder(directory, here) or here / ".semantest"
    wanted = _wanted(folder, what, run_id, expect, remove_originals=remove_originals)
    wanted.only = only
    if remove_originals and not dry_run:
        _confirm(wanted, yes=yes)
    merged = _merge(folder, wanted, dry_run=dry_run, stop_recorder=stop_recorder)
    _tell(folder, merged, dry_run=dry_run, as_json=as_json)


def _wanted(
    folder: Path, what: tuple[str, ...], run_id: str | None, expect: int | None, *, remove_originals: bool
) -> Wanted:
    """Which places and runs are meant. Raises ``Stop``, and what ``Reader`` raises for a run that is not there."""
    from semantest_recorder.cli.lookup import reader_of  # noqa: PLC0415
    from semantest_recorder.cli.merge_places import places_in  # noqa: PLC0415
    from semantest_recorder.cli.merging import Wanted  # noqa: PLC0415

    paths = [Path(name) for name in what if Path(name).exists()]
    names = [name for name in what if not Path(name).exists()]
    missing = next((name for name in names if "/" in name), None)
    if missing is not None:
        raise Stop(f"{inert_line(missing)} does not exist: name a folder, a database or a run", 3)
    if names and run_id is None:
        text = f"{inert_line(names[0])} is no folder; to merge runs into one, say its name: --run-id ID"
        raise Stop(text, EXIT_USAGE)
    if remove_originals and not names:
        raise Stop("--remove-originals is for runs of this history; folders are left as they are", EXIT_USAGE)
    places = [place for path in paths for place in places_in(path)]
    others = [place for place in places if place.folder is None or place.folder.resolve() != folder.resolve()]
    if places and not others:
        raise Stop(f"{folder} is this history itself: name the others", EXIT_USAGE)
    reader = reader_of(folder)
    runs = list(dict.fromkeys(reader.run(name).id for name in names))
    if run_id in runs:
        raise Stop(f"{run_id} is one of the runs: give the copy another --run-id", EXIT_USAGE)
    return Wanted(others, runs, run_id, expect, remove_originals)


def _confirm(wanted: Wanted, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Stop("nothing was merged: without a terminal give --yes to remove originals", EXIT_USAGE)
    click.confirm(f"Delete {', '.join(wanted.runs)} when they are copied?", abort=True, err=True)


def _merge(folder: Path, wanted: Wanted, *, dry_run: bool, stop_recorder: bool) -> Merged:
    from pytest_semantest.protocol.private_folder import make_private_folder  # noqa: PLC0415
    from semantest_recorder.cli.merging import merge, plan  # noqa: PLC0415

    if dry_run:
        return plan(folder, wanted)
    try:
        make_private_folder(str(folder))
    except OSError as error:
        raise Stop(f"{error.filename}: {error.strerror}") from None
    return merge(folder, wanted, stop_recorder=stop_recorder)


def _tell(folder: Path, merged: Merged, *, dry_run: bool, as_json: bool) -> None:
    """Prints what came of it; ends with exit code 1 when something is missing."""
    from semantest_recorder.reports.merge_result import MergedSource, MergeResult, merge_lines  # noqa: PLC0415

    result = MergeResult(
        directory=str(folder),
        dry_run=dry_run,
        sources=[MergedSource(one.source, one.run, one.events, one.refused) for one in merged.sources],
        runs=merged.runs,
        problems=merged.problems,
        attachments=merged.attachments,
        removed=merged.removed,
        kept=merged.kept,
    )
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(result)
    else:
        for line in merge_lines(result):
            click.echo(as_text(line))
    refused = [source for source in result.sources if source.refused is not None]
    for source in refused:
        say_note(f"{source.source} of run {source.run} was not taken: {source.refused}")
    for problem in result.problems:
        say_note(problem)
    incomplete = [run for run in result.runs if not run.is_complete]
    for run in incomplete:
        say_note(f"run {run.run} is not green: of {run.expected} sessions {run.sessions} came")
    if refused or result.problems or incomplete:
        sys.exit(EXIT_FAILED)
