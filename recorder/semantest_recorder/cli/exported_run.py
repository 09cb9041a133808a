"""A run that a command has found, as exporters and pages take it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.answers.standings import standings
from semantest_recorder.artifact_places import place_finder
from semantest_recorder.cli.lookup import FoundRun
from semantest_recorder.cli.note import say_note
from semantest_recorder.core.analysis.standing import Standing
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, aggregate
from semantest_recorder.reports.checkout import branch_and_commit, pull_request_of
from semantest_recorder.reports.exporters.exporter import ExportedRun, Told
from semantest_recorder.reports.report import Report
from semantest_recorder.store.analysis_runs import RunPlace
from semantest_recorder.store.errors import StoreError


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
    return told_run(folder, found, report, told)


def told_run(folder: Path, found: FoundRun, report: Report, told: Told | None = None) -> ExportedRun:
    """A run that was found, with its ``report``, so that all can be asked of it that renderings ask."""

    def standings_of(test_ids: Sequence[str]) -> Mapping[str, Standing]:
        branch, _commit = branch_and_commit(report.run.git, report.run.ci)
        place = RunPlace(report.run.started_ms, branch, pull_request_of(report.run.ci))
        try:
            return standings(folder / DATABASE, report.run.id, place, test_ids)
        except StoreError:  # who found the run has said what is wrong; without a history there is still the run
            return {}

    return ExportedRun(report, found.payload_of, found.events_of, place_finder(folder), told, standings_of)
