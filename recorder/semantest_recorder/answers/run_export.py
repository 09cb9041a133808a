"""A stored run in the form that another program reads."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

from semantest_recorder.artifact_places import place_finder
from semantest_recorder.owed_reading import chain_of
from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.exporter import ExportedRun, ExportOptions
from semantest_recorder.reports.exporters.formats import FORMATS
from semantest_recorder.store.reader import Reader
from semantest_recorder.stored_run import StoredPayloads, stored_rows


def write_export(database: Path, run_id: str, format_name: str, stream: BinaryIO) -> None:
    """Writes what ``semantest export --format`` writes of the run with this id, a test at a time.

    Raises ``KeyError`` for a format that is none, what ``Reader`` raises, and what ``stream`` raises.
    """
    exporter = FORMATS[format_name].exporter()
    reader = Reader(database)
    rows = stored_rows(reader, reader.run_by_id(run_id), explained_only=False)
    rows.chain = chain_of(reader, rows)
    report = aggregate(rows)
    with closing(StoredPayloads(database)) as payload_of:
        events_of = partial(payload_of.test_events, run_id)
        run = ExportedRun(report, payload_of, events_of, place_finder(database.parent))
        exporter([run], stream, ExportOptions())
