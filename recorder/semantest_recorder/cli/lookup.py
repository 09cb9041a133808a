"""A run that a command has found, and the database that it is looked for in."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.reports.aggregate import PayloadOf, RunRows
from semantest_recorder.reports.details import EventsOf
from semantest_recorder.store.errors import CannotOpen, DatabaseTooNew, DatabaseTooOld, NotOurs
from semantest_recorder.store.reader import Reader

#: Why the database that is there cannot be read.
CANNOT_READ = (CannotOpen, DatabaseTooNew, DatabaseTooOld, NotOurs)


class FoundRun(msgspec.Struct):
    """A run's rows, how to get its events and their payloads, and what the reader should be told about them."""

    rows: RunRows
    payload_of: PayloadOf
    notes: list[str]
    events_of: EventsOf


def reader_of(folder: Path) -> Reader:
    """The database of a ``.semantest`` folder; its methods raise ``NoDatabase`` when it is not there."""
    return Reader(folder / DATABASE)
