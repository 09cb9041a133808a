"""The story of a test that a command asked for, after what was left over has been taken in."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.one_test import one_test
from semantest_recorder.artifact_places import place_finder
from semantest_recorder.cli.current import current_run
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.cli.stop import NothingRecorded
from semantest_recorder.reports.aggregate import add_details, aggregate, test_ids
from semantest_recorder.reports.details import add_events
from semantest_recorder.reports.story import TestStory, story_of
from semantest_recorder.store.identity import read_identity


def told_story(
    folder: Path, test: str, run_name: str | None, sync_seconds: float, history: int
) -> tuple[TestStory, list[str]]:
    """The story of the test that ``test`` means, and what should be told about it.

    In the run called ``run_name``, ``None``: in the last one that has the test; with ``history`` runs before. Seconds
    are those of :func:`current_run`. Raises what ``current_run`` and ``one_test`` raise, and ``NothingRecorded``.
    """
    found = current_run(folder, run_name or "last", sync_seconds, explained_only=True)
    notes = found.notes
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
    return story_of(report, entry, past[:history], found.payload_of), notes
