"""``semantest quarantine``: tests whose failures do not fail the run, for a reason, by somebody, until a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.github_step import as_text
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option
from semantest_recorder.cli.quarantine_changes import add, remove
from semantest_recorder.cli.quarantine_options import file_option
from semantest_recorder.cli.quarantine_suggest import suggest

if TYPE_CHECKING:
    from pytest_semantest.protocol.quarantine import Entry
    from semantest_recorder.core.quarantine_standing import Standing
    from semantest_recorder.reports.quarantine_list import QuarantineCheck

_RUNS = 20


@click.group(
    "quarantine",
    short_help="Tests whose failures do not fail the run.",
    epilog=help_end(
        "semantest quarantine list",
        "semantest quarantine check",
        "semantest quarantine add test_total --reason 'the clock jumps' --owner ann --expires 14d",
        exit_codes="0 done, 1 the check found something, 2 wrong usage or a mistake in the file, 3 it is not there",
    ),
)
def command() -> None:
    """The list of tests in quarantine: they run, and their failures do not fail the run, until a day.

    It is the file semantest-quarantine.toml, under version control. pytest heeds it with --semantest-quarantine.
    """


command.add_command(add)
command.add_command(remove)
command.add_command(suggest)


@command.command(
    "list",
    short_help="The entries, until when they hold, and how their tests did.",
    epilog=help_end(
        "semantest quarantine list",
        "semantest quarantine list --json | jq '.entries[] | select(.daysLeft < 7) | .test'",
        exit_codes="0 listed, 2 wrong usage or a mistake in the file, 3 there is no such file",
    ),
)
@file_option
@click.option("--runs", type=Number(min=1), default=_RUNS, show_default=True, help="How many of the last runs count.")
@directory_option
@json_option
def list_(file: str | None, runs: int, directory: str | None, as_json: bool) -> None:
    """List the entries with what became of their tests in the last runs."""
    from semantest_recorder.cli.quarantine_file import checked_entries, quarantine_path, today  # noqa: PLC0415
    from semantest_recorder.reports.quarantine_list import QuarantineListing, entry_lines, listed  # noqa: PLC0415

    path, now = quarantine_path(file, directory), today()
    _data, entries = checked_entries(path)
    run, found = _standings(entries, now, runs, directory)
    shown = [listed(one) for one in found]
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(QuarantineListing(file=str(path), today=now.isoformat(), run=run, entries=shown))
    elif shown:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415

        print_lines(entry_lines(shown))
    else:
        click.echo("No test is in quarantine.")


@command.command(
    "check",
    short_help="Whether the file can be used as it is; for CI.",
    epilog=help_end(
        "semantest quarantine check",
        "semantest quarantine check --warn 7",
        exit_codes="0 nothing is wrong, 1 something is, 2 wrong usage, 3 there is no such file",
    ),
)
@file_option
@click.option(
    "--warn",
    type=Number(min=0),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="Tell what ends within so many days.",
)
@directory_option
@json_option
def check(file: str | None, warn: int, directory: str | None, as_json: bool) -> None:
    """Check the file: mistakes in it, entries that expired or end too late, entries under which no test falls.

    Tests are those of the last recorded run that stands for the whole suite: it ended, and no other of the last runs
    has many more tests. Without one, that is not looked at, and it is told.
    """
    from pytest_semantest.protocol.quarantine import too_far_ahead  # noqa: PLC0415
    from semantest_recorder.cli.quarantine_file import most_days, quarantine_path, read_file, today  # noqa: PLC0415
    from semantest_recorder.reports.quarantine_list import QuarantineCheck  # noqa: PLC0415

    path, now = quarantine_path(file, directory), today()
    _data, entries, problems = read_file(path)
    problems += too_far_ahead(entries, now, most_days(directory))
    run, found = _standings(entries, now, _RUNS, directory)
    notes = (
        [] if run is not None else ["no run of the whole suite is recorded: whether tests fall under them is unknown"]
    )
    for one in found:
        if one.status == "expired":
            problems.append(
                f"{one.entry.place}: {one.entry.test} expired on {one.entry.expires}: mend it, or decide anew"
            )
        elif one.status == "unmatched":
            advice = _what_to_do(one.entry.test, directory)
            problems.append(f"{one.entry.place}: no test of run {run} falls under {one.entry.test}: {advice}")
        elif one.status == "passing":
            notes.append(
                f"{one.entry.place}: {one.entry.test} passed in {one.passed} of {one.passed} results: take it out"
            )
        elif one.days_left <= warn:
            notes.append(f"{one.entry.place}: {one.entry.test} ends on {one.entry.expires} ({one.entry.owner})")
    told = QuarantineCheck(
        file=str(path),
        today=now.isoformat(),
        run=run,
        ok=not problems,
        entries=len(entries),
        problems=problems,
        notes=notes,
    )
    _tell_check(told, as_json=as_json)
    if problems:
        raise click.exceptions.Exit(1)


def _what_to_do(test: str, directory: str | None) -> str:
    """About an entry that no test falls under; pytest, which reads no database, knows a test by its present name."""
    from semantest_recorder.store.identity import read_identity  # noqa: PLC0415

    present = read_identity(_database(directory)).current(test)
    return "remove it" if present == test else f"write {present}, which it is called now"


def _tell_check(told: QuarantineCheck, *, as_json: bool) -> None:
    from semantest_recorder.reports.inert import inert_line  # noqa: PLC0415
    from semantest_recorder.reports.wording import plural  # noqa: PLC0415

    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(told)
        return
    for line in (*told.problems, *told.notes):
        click.echo(as_text(inert_line(line)), err=True)
    if told.ok:
        number = "1 entry" if told.entries == 1 else f"{told.entries} entries"
        click.echo(as_text(inert_line(f"Nothing is wrong: {number} in {told.file}.")))
    else:
        click.echo(as_text(inert_line(f"{plural(len(told.problems), 'problem')} in {told.file}.")), err=True)


def _standings(entries: list[Entry], now: date, runs: int, directory: str | None) -> tuple[str | None, list[Standing]]:
    """The last run of the whole suite, if one is recorded, and how the entries stand."""
    from semantest_recorder.core.quarantine_standing import entry_tests, standings, whole_run  # noqa: PLC0415
    from semantest_recorder.store.errors import NoDatabase  # noqa: PLC0415
    from semantest_recorder.store.quarantine import QuarantineHistory  # noqa: PLC0415

    history = QuarantineHistory(_database(directory))
    try:
        past = history.runs(max(runs, _RUNS))
        whole = whole_run(past)
        tests = entry_tests(entries, history.tests_of(whole)) if whole is not None else None
        ids = [test_id for mine in (tests or {}).values() for test_id in mine]
        states = history.states(past[:runs], ids) if ids else []
    except NoDatabase:
        whole, tests, states = None, None, []
    return whole.run_id if whole is not None else None, standings(entries, now, tests, states)


def _database(directory: str | None) -> Path:
    """The project's database; it need not be there."""
    from pytest_semantest.protocol.layout import DATABASE  # noqa: PLC0415
    from semantest_recorder.cli.place import working_directory  # noqa: PLC0415
    from semantest_recorder.cli.semantest_folder import semantest_folder  # noqa: PLC0415

    here = working_directory(directory)
    return (semantest_folder(directory, here) or here) / DATABASE
