"""The database for commands that look at several runs, after what was left over has been taken in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from semantest_recorder.cli.current import take_in_leftovers
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.store.aliases import read_identity
from semantest_recorder.store.analysis_runs import AnalysisRuns
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
    note = take_in_leftovers(folder, sync_seconds)
    for told in session_notes(folder):
        say_note(told)
    if note:
        say_note(f"some sessions are not in the database yet, and are left out: {note}")
    reader = reader_of(folder)
    with closing(AnalysisRuns(reader.path)) as runs:
        yield StoredHistory(reader, runs, read_identity(reader.path))
