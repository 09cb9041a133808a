"""The database as questions about several runs need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.store.analysis_runs import AnalysisRuns
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.reader import Reader


class StoredHistory(NamedTuple):
    """What there is to ask, over one connection."""

    reader: Reader
    runs: AnalysisRuns
    identity: Identity


@contextmanager
def stored_history(database: Path) -> Iterator[StoredHistory]:
    """The history in a database, open while the block lasts. Raises what ``Reader`` raises."""
    with closing(AnalysisRuns(database)) as runs:
        yield StoredHistory(Reader(database, runs.connection), runs, read_identity(database))
