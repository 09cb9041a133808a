"""The database for commands that look at several runs, after what was left over has been taken in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from semantest_recorder.cli.leftovers import take_in_and_tell
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.store.analysis_runs import AnalysisRuns
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.reader import Reader


class StoredHistory(NamedTuple):
    """What there is to ask."""

    reader: Reader
    runs: AnalysisRuns
    identity: Identity


@contextmanager
def stored_history(folder: Path, sync_seconds: float) -> Iterator[StoredHistory]:
    """The history of a ``.semantest`` folder. What is not in the database is told, and left out.

    Raises what ``Reader`` raises.
    """
    take_in_and_tell(folder, sync_seconds)
    reader = reader_of(folder)
    with closing(AnalysisRuns(reader.path)) as runs:
        yield StoredHistory(reader, runs, read_identity(reader.path))
