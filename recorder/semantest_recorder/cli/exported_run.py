"""A run that a command has found, as exporters and pages take it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

from semantest_recorder.artifact_places import place_finder
from semantest_recorder.cli.lookup import FoundRun
from semantest_recorder.cli.note import say_note
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, aggregate
from semantest_recorder.reports.exporters.exporter import ExportedRun, Told


def exported_run(folder: Path, find: Callable[[], FoundRun], told: Told | None = None) -> ExportedRun:
    """The run that ``find`` gives (cli/current.py); what should be told of it is told on stderr.

    ``told`` takes how many of its tests are done. Raises what ``find`` raises.
    """
    gc.disable()  # tens of thousands of rows and no garbage among them, as for a report
    try:
        found = find()
        report = aggregate(found.rows)
    finally:
        gc.enable()
    for note in found.notes:
        say_note(note)
    if report.run.state not in CLOSED_RUN_STATES:
        say_note(f"run {report.run.id} is not over: this is what is known of it now")
    return ExportedRun(report, found.payload_of, found.events_of, place_finder(folder), told)
