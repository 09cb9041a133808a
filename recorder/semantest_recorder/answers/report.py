"""All of one stored run."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from semantest_recorder.owed_reading import chain_of
from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.details import PlaceOf, explain_bad_tests
from semantest_recorder.reports.report import Report
from semantest_recorder.store.reader import Reader
from semantest_recorder.stored_run import StoredPayloads, stored_rows


def stored_report(database: Path, name: str, place_of: PlaceOf) -> Report:
    """What ``semantest report --json`` prints of the run called ``name`` (id, unique beginning or ``last``).

    Raises what ``Reader`` raises.
    """
    reader = Reader(database)
    rows = stored_rows(reader, reader.run(name), explained_only=False)
    rows.chain = chain_of(reader, rows)
    report = aggregate(rows)
    with closing(StoredPayloads(database)) as payload_of:
        explain_bad_tests(report, payload_of, partial(payload_of.test_events, rows.run.id), place_of)
    return report
