"""A run's rows out of the database."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import PayloadOf, RunRows, is_explained
from semantest_recorder.store.reader import Reader


class FoundRun(msgspec.Struct):
    """A run's rows, how to get the payloads of its events, and what the reader should be told about them."""

    rows: RunRows
    payload_of: PayloadOf
    notes: list[str]


def reader_of(folder: Path) -> Reader:
    """The database of a ``.semantest`` folder; its methods raise ``NoDatabase`` when it is not there."""
    return Reader(folder / DATABASE)


def stored_rows(reader: Reader, run: RunRow, *, explained_only: bool) -> RunRows:
    """The rows of a run; with ``explained_only`` without attempts when no test needs to be explained."""
    results = reader.results(run.id)
    wanted = not explained_only or any(is_explained(result) for result in results)
    return RunRows(
        run=run,
        sources=reader.sources(run.id),
        results=results,
        attempts=reader.attempts(run.id) if wanted else [],
        suites=reader.suites(run.id),
        warnings=reader.warnings(run.id),
    )
