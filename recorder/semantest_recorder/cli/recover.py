"""``semantest recover``: the report of a dead run, straight from its journals."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.layout import has_journal, session_folders
from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.completing import complete_session
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, json_option, limit_option, output_option, project_folder
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.rereading import reread_when_shipped
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.cli.stop import NothingRecorded, Stop
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import EXIT_NOT_GREEN, EXIT_RUNNING, EXIT_USAGE, exit_code_of

if TYPE_CHECKING:
    from semantest_recorder.cli.recovery import Recovered, SessionHead
    from semantest_recorder.reports.report import Report


@click.command(
    "recover",
    short_help="Report a dead run straight from its journals.",
    epilog=help_end(
        "semantest recover",
        "semantest recover --all --json",
        "semantest recover ./artifacts/20261121-093000-a1b2c3",
        exit_codes="0 the run passed, 1 it is not green, 2 wrong usage, 3 nothing to recover, "
        "4 it still runs, or shards are missing",
    ),
)
@click.argument("session", required=False, shell_complete=complete_session)
@directory_option
@json_option
@click.option("--all", "every", is_flag=True, help="Every session that has not been taken in.")
@limit_option
@output_option
def command(session: str | None, directory: str | None, as_json: bool, every: bool, limit: int, output: bool) -> None:
    """Read the journals of a dead run and report it; no recorder is needed, and nothing is changed.

    SESSION is a session's name, the beginning of one, or a folder with journals (copied from another machine, say);
    the newest session that was not taken in by default. Damage in the journals is told with its offset.
    """
    if every and session is not None:
        raise Stop("name a session or give --all, not both.", EXIT_USAGE)
    if session is None:
        for note in session_notes(project_folder(directory)):
            say_note(note)
    recovered = reread_when_shipped(lambda: _recovered(_folders(session, every, directory)))
    if as_json:
        _print_json(recovered)
    else:
        _print_text(recovered, limit, output, working_directory(directory or session))
    runs = [entry.found.rows.run for entry in recovered]
    codes = {exit_code_of(run.state, run.shards_missing) for run in runs}
    sys.exit(next((code for code in (EXIT_NOT_GREEN, EXIT_RUNNING) if code in codes), 0))


def _recovered(folders: list[Path]) -> list[Recovered]:
    from semantest_recorder.cli.recovery import recover, session_head  # noqa: PLC0415

    runs: dict[str, list[SessionHead]] = {}
    for folder in folders:
        head = session_head(folder)
        runs.setdefault(head.run_id, []).append(head)
    return [recover(heads) for heads in runs.values()]


def _folders(session: str | None, every: bool, directory: str | None) -> list[Path]:
    """The session folders that are meant. Raises ``NothingRecorded`` or ``Stop``."""
    if session is not None and Path(session).is_dir():
        named = Path(session)
        if has_journal(named):
            return [named]
        found = session_folders(named)
        if not found:
            raise NothingRecorded(f"no journal in {named}: name the folder of a session, it holds main.journal.")
        return found
    if session is not None and os.sep in session:
        raise NothingRecorded(f"no folder {session}: name a session, or a folder with journals.")
    folder = project_folder(directory)
    sessions = session_folders(folder)
    if session is not None:
        return [_named(session, sessions, folder)]
    if not sessions:
        raise NothingRecorded(f"nothing to recover: {_all_taken_in(folder)}")
    return sessions if every else [max(sessions, key=lambda path: path.name)]


def _named(session: str, sessions: list[Path], folder: Path) -> Path:
    """The one session whose name begins like that. Raises ``NothingRecorded`` or ``Stop``."""
    matches = [path for path in sessions if path.name.startswith(session)]
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(inert_line(path.name) for path in (matches or sessions)[:5])
    if matches:
        raise Stop(f"{session!r} is the start of several sessions ({names}): give more of it.", EXIT_USAGE)
    left = f"there are {names}." if sessions else _all_taken_in(folder)
    raise NothingRecorded(f"no session {session!r} is left to recover: {left}")


def _all_taken_in(folder: Path) -> str:
    return f"every session of {folder} was taken in. `{command_line('report', folder)}` shows the last run."


def _add_details(entry: Recovered, report: Report, test_ids: list[str]) -> None:
    from semantest_recorder.artifact_places import place_finder  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import add_details  # noqa: PLC0415
    from semantest_recorder.reports.details import add_events  # noqa: PLC0415

    found = entry.found
    places = place_finder(entry.folders[0].absolute().parent.parent, entry.folders)
    add_details(report, found.payload_of, test_ids)
    add_events(report, found.events_of, found.payload_of, places, test_ids)


def _print_json(recovered: list[Recovered]) -> None:
    from semantest_recorder.cli.console import print_json  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import aggregate, bad_tests  # noqa: PLC0415
    from semantest_recorder.reports.report import REPORT_SCHEMA  # noqa: PLC0415

    runs = []
    for entry in recovered:
        report = aggregate(entry.found.rows)
        _add_details(entry, report, [test.id for test in bad_tests(report)])
        runs.append({"run": report.run.id, "damage": entry.damage, "unread": entry.unread, "report": report})
    print_json({"schema": REPORT_SCHEMA, "recovered": runs})


def _print_text(recovered: list[Recovered], limit: int, output: bool, cwd: Path) -> None:
    from rich.text import Text  # noqa: PLC0415

    from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import aggregate  # noqa: PLC0415
    from semantest_recorder.reports.terminal import TerminalOptions, report_lines, shown_tests  # noqa: PLC0415

    options = TerminalOptions(limit=limit, output=output, cwd=str(cwd), now_ms=time() * 1000)
    for number, entry in enumerate(recovered):
        report = aggregate(entry.found.rows)
        _add_details(entry, report, shown_tests(report, options))
        if number:
            print_lines([Text(), Text("-" * 79), Text()])
        print_lines(report_lines(report, options))
        told = [f"{found.file}: bytes {found.start} to {found.end}: {found.reason}" for found in entry.damage]
        told += entry.unread
        if told:
            print_lines([Text(), Text("Damage in the journals (nothing was changed)", "bold")])
            print_lines(Text(f"  {inert_line(line)}") for line in told)
