"""``semantest show``: one test with all its attempts and its history."""

from __future__ import annotations

from time import time

import click

from semantest_recorder.cli.completing import complete_run, complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder, sync_option
from semantest_recorder.cli.stop import NothingRecorded


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
    from semantest_recorder.answers.one_test import one_test  # noqa: PLC0415
    from semantest_recorder.artifact_places import place_finder  # noqa: PLC0415
    from semantest_recorder.cli.current import current_run  # noqa: PLC0415
    from semantest_recorder.cli.lookup import reader_of  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import add_details, aggregate, test_ids  # noqa: PLC0415
    from semantest_recorder.reports.details import add_events  # noqa: PLC0415
    from semantest_recorder.reports.story import story_of  # noqa: PLC0415
    from semantest_recorder.store.identity import read_identity  # noqa: PLC0415

    folder = project_folder(directory)
    found = current_run(folder, run_name or "last", sync_timeout, explained_only=True)
    for note in found.notes:
        say_note(note)
    reader = reader_of(folder)
    stored = reader.exists()
    in_run = test_ids(found.rows)
    test_id = one_test(test, in_run, reader if stored and run_name is None else None)
    names = read_identity(reader.path).ids_of(test_id) if stored else [test_id]
    past = reader.history(test_id, max(history, 1), other_names=names[1:]) if stored else []
    if test_id not in in_run:
        if not past:
            raise NothingRecorded(f"no run has the test {test_id} any more")
        test_id = past[0].test_id  # the last run of its life may have another name for it
        found = current_run(folder, past[0].run_id, 0, explained_only=True)
    if stored and all(attempt.test_id != test_id for attempt in found.rows.attempts):  # it is plainly green
        found.rows.attempts = reader.attempts_of(found.rows.run.id, [test_id])
    report = aggregate(found.rows, only=test_id)
    add_details(report, found.payload_of, [test_id])
    add_events(report, found.events_of, found.payload_of, place_finder(folder), [test_id])
    (entry,) = report.tests
    story = story_of(report, entry, past[:history], found.payload_of)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(story)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.story_lines import story_lines  # noqa: PLC0415

        print_lines(story_lines(story, time() * 1000))
