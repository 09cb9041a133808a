"""``semantest show``: one test with all its attempts and its history."""

from __future__ import annotations

from time import time

import click

from semantest_recorder.cli.completing import complete_run, complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option


@click.command(
    "show",
    short_help="Show one test: every attempt, and its history.",
    epilog=help_end(
        "semantest show tests/test_cart.py::test_total",
        "semantest show test_total --run 20261121-093000",
        exit_codes="0 shown, 2 several tests match, 3 no such test or run",
    ),
)
@click.argument("test", shell_complete=complete_test)
@directory_option
@json_option
@sync_option
@click.option(
    "--run",
    "run_name",
    metavar="RUN",
    shell_complete=complete_run,
    help="In this run.  [default: the last one that has the test]",
)
@click.option("--history", type=Number(min=0), default=30, show_default=True, help="How many runs of history.")
def command(
    test: str,
    directory: str | None,
    as_json: bool,
    sync_timeout: float,
    run_name: str | None,
    history: int,
) -> None:
    """Show one test: every attempt with phases, steps, attachments, error, traceback and output, and its history.

    TEST is a test's id or its name; or a part of an id that only one test has.
    """
    from semantest_recorder.cli.story_lookup import told_story  # noqa: PLC0415

    story, notes = told_story(project_folder(directory), test, run_name, sync_timeout, history)
    for note in notes:
        say_note(note)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(story)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.story_lines import story_lines  # noqa: PLC0415

        print_lines(story_lines(story, time() * 1000))
