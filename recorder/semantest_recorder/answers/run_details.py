"""What there is to know of a run besides its tests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.errors import Unanswered
from semantest_recorder.core.rows import CrashRow
from semantest_recorder.reports.aggregate import run_info
from semantest_recorder.reports.named_jobs import name_jobs
from semantest_recorder.reports.report import Counts, Report, RunInfo
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.result_list import run_key_of
from semantest_recorder.store.run_log import LogEvent, WarningCluster, own_events, planned_tests, warning_clusters

__all__ = ["LogEvent", "RunDetails", "WarningCluster", "events_of_run", "run_details"]

#: Warnings that are told.
_WARNINGS = 100


class RunDetails(NamedTuple):
    """The run with all that its processes said of it, reports of those that died, and its warnings, frequent first."""

    run: RunInfo
    crashes: list[CrashRow]
    warnings: list[WarningCluster]


def run_details(database: Path, run_id: str) -> RunDetails:
    """What is known of the run with this id. Raises ``RunNotFound`` and what ``Reader`` raises."""
    reader = Reader(database)
    row, sources = reader.run_by_id(run_id), reader.sources(run_id)
    with snapshot(database) as connection:
        run_key = run_key_of(connection, run_id)
        if run_key is None:
            raise RunNotFound(run_id, [])
        planned = planned_tests(connection, run_key) if row.shard_count else 0  # says how many are in no shard
        warnings = warning_clusters(connection, run_key, _WARNINGS)
    report = Report(run=run_info(row, sources, planned), counts=Counts(), tests=[], suites=[], warnings=[])
    name_jobs(report, reader.origins(run_id))
    return RunDetails(report.run, reader.crashes(run_id), warnings)


def events_of_run(
    database: Path, run_id: str, kind: str, after: tuple[str, int] | None, most: int, characters: int
) -> list[LogEvent]:
    """The events of the run itself by their time, see ``store.run_log.own_events``.

    Raises ``Unanswered`` when ``after`` is no event of it, ``RunNotFound`` and what ``Reader`` raises.
    """
    with snapshot(database) as connection:
        run_key = run_key_of(connection, run_id)
        if run_key is None:
            raise RunNotFound(run_id, [])
        try:
            return own_events(connection, run_key, kind, after, most, characters)
        except LookupError as error:
            raise Unanswered(str(error.args[0])) from None
