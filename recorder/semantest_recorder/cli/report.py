"""``semantest report``: what came of a run."""

from __future__ import annotations

import gc
import sys
from time import time
from typing import TYPE_CHECKING

import click

from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import (
    directory_option,
    limit_option,
    max_tokens_option,
    output_option,
    project_folder,
    sync_option,
)
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

if TYPE_CHECKING:
    from pathlib import Path

    from semantest_recorder.cli.lookup import FoundRun
    from semantest_recorder.core.rerun_chain import Owed
    from semantest_recorder.reports.exporters.exporter import ExportedRun
    from semantest_recorder.reports.report import Report
    from semantest_recorder.reports.terminal import TerminalOptions

_FORMS = ["text", "json", "agent"]


@click.command(
    "report",
    epilog=help_end(
        "semantest report",
        "semantest report --failures-only --output",
        "semantest report 20261121-093000 --json | jq .counts",
        "semantest report --rerun > rerun.txt && pytest --semantest @rerun.txt",
        "semantest report --chain",
        "semantest report --format agent --max-tokens 1000",
        exit_codes="0 the run passed, 1 it is not green, 2 wrong usage, 3 no such run, 4 it still runs, or shards are "
        "missing",
    ),
)
@click.argument("run", default="last", shell_complete=complete_run)
@directory_option
@click.option("--json", "form", flag_value="json", help="Print JSON instead of text.")
@click.option(
    "--format",
    "named_form",
    type=click.Choice(_FORMS),
    help="The same as --json for json; agent: for a coding agent, short.",
)
@max_tokens_option
@click.option(
    "--rerun",
    "form",
    flag_value="rerun",
    help="Print the tests to run again, one per line, for `pytest @FILE`; exit code 0: some, 3: none.",
)
@click.option(
    "--chain",
    "together",
    is_flag=True,
    help="With what it reran and what reran it: the tests still owed, and the exit code of all of them as one.",
)
@sync_option
@click.option("--failures-only", is_flag=True, help="Only the header, the counts and what is not green.")
@limit_option
@output_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    run: str,
    directory: str | None,
    form: str | None,
    named_form: str | None,
    max_tokens: int | None,
    together: bool,
    failures_only: bool,
    limit: int,
    output: bool,
    sync_timeout: float,
) -> None:
    """Report a run: what is wrong first, how to rerun it last.

    RUN is a run's id, a unique beginning of one, or `last` (the default).
    """
    from semantest_recorder.cli.current import current_run  # noqa: PLC0415
    from semantest_recorder.cli.exported_run import told_run  # noqa: PLC0415
    from semantest_recorder.owed_reading import owed_of  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import aggregate  # noqa: PLC0415
    from semantest_recorder.reports.wording import exit_code_of  # noqa: PLC0415

    form = _form(form, named_form, max_tokens)
    folder = project_folder(directory)
    gc.disable()  # tens of thousands of rows and no garbage among them: a fifth of the time
    try:
        found = current_run(folder, run, sync_timeout, explained_only=form != "json")
        report = aggregate(found.rows, explained_only=form != "json")
    finally:
        gc.enable()
    for note in found.notes:
        say_note(note)
    owed = (found.rows.chain or owed_of(None, [found.rows])) if together else None
    if form == "rerun":
        sys.exit(_print_rerun(report))
    if form == "json":
        _print_as_json(folder, found, report)
    elif form == "agent":
        _print_for_agent(told_run(folder, found, report), max_tokens, directory)
    else:
        from semantest_recorder.reports.terminal import TerminalOptions  # noqa: PLC0415

        cwd = str(working_directory(directory))
        options = TerminalOptions(failures_only, limit, output, cwd, directory, time() * 1000)
        _print_as_text(folder, found, report, options, owed)
    alone = owed is None or owed.chain == [report.run.id]
    sys.exit(exit_code_of(report.run.state if owed is None else owed.state, report.run.shards_missing if alone else 0))


def _form(flag: str | None, named: str | None, max_tokens: int | None) -> str:
    """``text``, ``json``, ``agent`` or ``rerun``. Raises ``Stop`` for two at once."""
    if flag is not None and named not in (None, flag):
        raise Stop(f"--{flag} and --format {named} are two forms: give one", EXIT_USAGE)
    form = named or flag or "text"
    if max_tokens is not None and form != "agent":
        raise Stop("--max-tokens is for --format agent", EXIT_USAGE)
    return form


def _print_as_json(folder: Path, found: FoundRun, report: Report) -> None:
    from semantest_recorder.artifact_places import place_finder  # noqa: PLC0415
    from semantest_recorder.cli.console import print_json  # noqa: PLC0415
    from semantest_recorder.reports.details import explain_bad_tests  # noqa: PLC0415

    explain_bad_tests(report, found.payload_of, found.events_of, place_finder(folder))
    print_json(report)


def _print_as_text(folder: Path, found: FoundRun, report: Report, options: TerminalOptions, owed: Owed | None) -> None:
    """``owed``: what the run and its reruns owe together, where that is asked for."""
    from semantest_recorder.artifact_places import place_finder  # noqa: PLC0415
    from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import add_details  # noqa: PLC0415
    from semantest_recorder.reports.details import add_events  # noqa: PLC0415
    from semantest_recorder.reports.owed_lines import chain_lines  # noqa: PLC0415
    from semantest_recorder.reports.terminal import report_lines, shown_tests  # noqa: PLC0415

    shown = shown_tests(report, options)
    add_details(report, found.payload_of, shown)
    add_events(report, found.events_of, found.payload_of, place_finder(folder), shown)
    print_lines(report_lines(report, options))
    if owed is not None:
        print_lines(chain_lines(owed, options.limit))


def _print_for_agent(run: ExportedRun, max_tokens: int | None, directory: str | None) -> None:
    from semantest_recorder.reports.agent.brief import AgentOptions, agent_text  # noqa: PLC0415
    from semantest_recorder.reports.agent.tokens import DEFAULT_TOKENS  # noqa: PLC0415

    options = AgentOptions(max_tokens or DEFAULT_TOKENS, str(working_directory(directory)), directory)
    click.echo(agent_text(run, options))


def _print_rerun(report: Report) -> int:
    from semantest_recorder.reports.rerun import rerun_arguments  # noqa: PLC0415
    from semantest_recorder.reports.wording import EXIT_GREEN, EXIT_NOTHING  # noqa: PLC0415

    arguments = rerun_arguments(report)
    if not arguments:  # not 0: pytest with an empty list would run all tests
        ours = report.run.origin == "pytest"
        say_note(f"nothing to run again: {'no test was bad or missing' if ours else 'pytest did not start this run'}")
        return EXIT_NOTHING
    sys.stdout.buffer.write("".join(f"{argument}\n" for argument in arguments).encode())
    sys.stdout.buffer.flush()
    return EXIT_GREEN
