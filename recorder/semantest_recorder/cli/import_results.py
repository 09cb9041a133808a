"""``semantest import``: results of other tools become runs of this history."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.identity import SHIPPER_WORKER, source_name
from semantest_recorder.cli.given_token import read_token
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.label import Label
from semantest_recorder.cli.moment import Moment
from semantest_recorder.cli.near_choice import NearChoice
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, json_option
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.run_id import RunIdName
from semantest_recorder.cli.seconds import Seconds
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.shipping import TOKEN_VARIABLE, Outcome, run_shipper
from semantest_recorder.cli.stop import EXIT_FAILED, EXIT_USAGE, Stop
from semantest_recorder.foreign.formats import FORMATS

if TYPE_CHECKING:
    from semantest_recorder.cli.foreign_files import Found
    from semantest_recorder.cli.import_session import Asked, Imported
    from semantest_recorder.reports.import_result import ImportedRun

_AUTO = "auto"
EXIT_WAITING = 6


@click.command(
    "import",
    short_help="Bring results of other tools into the history.",
    epilog=help_end(
        "semantest import junit.xml",
        "semantest import target/surefire-reports --branch main --commit 1a2b3c4",
        "semantest import linux.xml windows.xml --run-name nightly --label os=all",
        "semantest import old-builds/*.xml --each --dry-run",
        exit_codes="0 stored or there already, 1 a file cannot be read, 2 wrong usage, 3 nothing to import, "
        "6 written and not yet with a recorder",
    ),
)
@click.argument("paths", metavar="FILE_OR_FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@directory_option
@click.option(
    "--format",
    "wanted",
    type=NearChoice("format", (_AUTO, *FORMATS)),
    default=_AUTO,
    show_default=True,
    metavar="NAME",
    help=f"What the files are: {', '.join(FORMATS)}.",
)
@click.option("--each", is_flag=True, help="A run for each FILE_OR_FOLDER.  [default: one run of all]")
@click.option(
    "--run-id",
    type=RunIdName(),
    metavar="ID",
    help="The run's id; one that is there is joined.  [default: by the content]",
)
@click.option("--run-name", metavar="NAME", help="A name for the run.")
@click.option("--label", "labels", type=Label(), multiple=True, metavar="KEY=VALUE", help="A label for the run.")
@click.option("--branch", metavar="NAME", help="The branch that was tested.")
@click.option("--commit", metavar="ID", help="The commit that was tested.")
@click.option(
    "--started",
    type=Moment(),
    metavar="TIME",
    help="When the run began: 2026-11-21T09:30 (UTC), 2h ago as 2h.  [default: by the files]",
)
@click.option("--partial", is_flag=True, help="Import what can be read of damaged files; such a run is not green.")
@click.option("--dry-run", is_flag=True, help="Only say what would be stored.")
@click.option(
    "--url", envvar="SEMANTEST_URL", metavar="URL", help="Send it to this recorder.  [default: the configured one]"
)
@click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE", help="Its token; else SEMANTEST_TOKEN.")
@click.option(
    "--timeout", type=Seconds(), default=60.0, show_default=True, metavar="SECONDS", help="For the recorder to take it."
)
@json_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    paths: tuple[Path, ...],
    directory: str | None,
    wanted: str,
    each: bool,
    run_id: str | None,
    run_name: str | None,
    labels: tuple[tuple[str, str], ...],
    branch: str | None,
    commit: str | None,
    started: float | None,
    partial: bool,
    dry_run: bool,
    url: str | None,
    token_file: Path | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Import results that other tools have written, or pytest without Semantest.

    They are stored as a recorded session is, and every command knows them. The same files are stored once, however
    often they are imported. All that is named becomes one run; tests that are in several files are judged file by file.
    """
    from semantest_recorder.cli.foreign_files import all_of  # noqa: PLC0415
    from semantest_recorder.cli.import_session import Asked  # noqa: PLC0415
    from semantest_recorder.reports.import_result import ImportResult, import_lines  # noqa: PLC0415

    if each and run_id is not None:
        raise Stop("--each makes several runs, and --run-id names one: give one of them.", EXIT_USAGE)
    here = working_directory(directory)
    folder = semantest_folder(directory, here) or here / ".semantest"
    asked = Asked(run_id, run_name, dict(labels), started, branch, commit)
    gc.disable()  # millions of values and no garbage among them
    try:
        found = list(all_of(list(paths), None if wanted == _AUTO else wanted))
        unread = _say_unread(found, partial=partial)
        runs = [_run(folder, group, asked, dry_run=dry_run) for group in _groups(found, each=each)]
    finally:
        gc.enable()
    if not dry_run:
        _ship(folder, runs, url, token_file, timeout)
    result = ImportResult(directory=str(folder), dry_run=dry_run, runs=[told for _, told in runs], unread=unread)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(result)
    else:
        for line in import_lines(result):
            click.echo(as_text(line))
    if any(told.outcome == "waiting" for _, told in runs):
        from semantest_recorder.cli.advice import command_line  # noqa: PLC0415

        say_note(f"nothing is lost: `{command_line('sync', folder)}` brings it to the recorder, `report` reads it now")
        sys.exit(EXIT_WAITING)


def _say_unread(found: list[Found], *, partial: bool) -> list[str]:
    """What of the files could not be read, which ends the command unless that is wanted. Raises ``Stop``."""
    passed_over = [path for one in found for path in one.passed_over]
    if passed_over:
        more = f" and {len(passed_over) - 3} more" if len(passed_over) > 3 else ""
        say_note(f"of no known format, left out: {', '.join(passed_over[:3])}{more}")
    unread = [str(problem) for one in found for problem in one.unread]
    for line in unread:
        say_note(line)
    files = [file for one in found for file in one.files]
    if unread and not partial:
        from semantest_recorder.reports.wording import plural  # noqa: PLC0415

        whole = sum(len(file.run.tests) for file in files)
        way = f"--partial imports the {plural(whole, 'test')} that can be read" if whole else "have it written anew"
        raise Stop(f"nothing was imported: {len(unread)} of the files cannot be read to the end; {way}", EXIT_FAILED)
    if not files:
        raise Stop("nothing was imported: no file can be read", EXIT_FAILED)
    return unread


def _groups(found: list[Found], *, each: bool) -> list[list[Found]]:
    """What becomes a run together."""
    return [[one] for one in found if one.files] if each else [found]


def _run(folder: Path, group: list[Found], asked: Asked, *, dry_run: bool) -> tuple[Imported, ImportedRun]:
    """Reads one run and writes its journals, unless they are there. Raises what reading the database raises."""
    from semantest_recorder.cli.import_session import prepare, write_journals  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import count_states  # noqa: PLC0415
    from semantest_recorder.reports.import_result import ImportedFile, ImportedRun  # noqa: PLC0415

    files = [file for one in group for file in one.files]
    modified = max((Path(file.name).stat().st_mtime for file in files), default=0.0) * 1000
    names = {file.name for file in files}
    missing = [str(unread) for one in group for unread in one.unread if unread.file not in names]
    imported = prepare(folder, files, asked, round(modified, 3), missing)
    if not dry_run and imported.known is None and not imported.waits:
        write_journals(folder, imported)
    run = imported.state.run
    told = ImportedRun(
        run=imported.known or imported.run_id,
        session=imported.session_name,
        outcome="known" if imported.known is not None else "planned" if dry_run else "waiting",
        state=run.state,
        gaps=run.gaps,
        counts=count_states((test.result.state for test in imported.state.tests.values()), closed=True),
        quarantined=run.quarantined,
        files=[
            ImportedFile(
                file=file.name,
                format=file.run.format,
                tool=file.run.tool,
                tests=len(file.run.tests),
                problem=None if file.run.problem is None else str(file.run.problem),
            )
            for file in files
        ],
    )
    return imported, told


def _ship(
    folder: Path, runs: list[tuple[Imported, ImportedRun]], url: str | None, token_file: Path | None, timeout: float
) -> None:
    """Has the shipper bring the journals to the recorder, and notes which run is there. Raises ``Stop``."""
    token = os.environ.get(TOKEN_VARIABLE) if token_file is None else read_token(token_file)
    url = url or _configured_url(folder)
    for imported, told in runs:
        if told.outcome != "waiting":
            continue
        arguments = ["--session", imported.session_name, "--json", "--quiet", "--timeout", f"{timeout:g}"]
        arguments += ["--token-env", TOKEN_VARIABLE, *(["--url", url] if url else [])]
        _code, outcomes = run_shipper(folder, arguments, TOKEN_VARIABLE, token)
        if all(outcome.is_shipped for outcome in outcomes):
            told.outcome = "imported"
        elif conflicts := [outcome.detail for outcome in outcomes if _is_conflict(outcome)]:
            from semantest_recorder.cli.import_session import forget_journals  # noqa: PLC0415

            forget_journals(folder, imported)
            told.outcome = "known"
            # What the shipper says of itself is other each time, so it is refused where all the rest is known.
            if source_name(imported.session_name, SHIPPER_WORKER) not in conflicts[0]:
                say_note(f"the recorder has run {told.run} with other labels or times: give --run-id for another one")


def _is_conflict(outcome: Outcome) -> bool:
    """Whether the recorder has this session, told otherwise (``SEQ_CONFLICT``)."""
    return outcome.outcome == "stopped" and "another event" in outcome.detail


def _configured_url(folder: Path) -> str | None:
    """The recorder that runs go to by the configuration beside the folder."""
    from pytest_semantest.protocol.effective import named, resolve_key  # noqa: PLC0415
    from semantest_recorder.cli.configured import nearest_configuration  # noqa: PLC0415

    try:
        setting = resolve_key(named("url"), os.environ, nearest_configuration(folder.absolute().parent)).setting
    except ValueError as error:
        raise Stop(str(error), EXIT_USAGE) from None
    return str(setting.value) if setting.value else None
