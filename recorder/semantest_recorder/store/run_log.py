"""What is in a run besides its tests: warnings by what they say, and the events of the run itself."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from semantest_recorder.store.queries import statements

_SQL = statements("run_log.sql")


class WarningCluster(NamedTuple):
    """Warnings that say the same at the same place: how often, in how many tests, and one of those.

    ``clusters``: how many there are in all.
    """

    category: str
    message: str
    file: str | None
    line: int | None
    times: int
    tests: int
    test_id: str | None
    clusters: int


class LogEvent(NamedTuple):
    """One event; ``payload``: the begin of its text, which has so many ``characters``."""

    source: str
    seq: int
    type: str
    time_ms: float
    payload: str
    characters: int


def planned_tests(connection: sqlite3.Connection, run_key: int) -> int:
    """How many results have a place in the plan of the run. Raises ``sqlite3.Error``."""
    return int(connection.execute(_SQL["planned"], (run_key,)).fetchone()[0])


def warning_clusters(connection: sqlite3.Connection, run_key: int, most: int) -> list[WarningCluster]:
    """The ``most`` frequent ones. Raises ``sqlite3.Error``."""
    return [WarningCluster(*row) for row in connection.execute(_SQL["warnings"], (run_key, most))]


def own_events(
    connection: sqlite3.Connection, run_key: int, kind: str, after: tuple[str, int] | None, most: int, characters: int
) -> list[LogEvent]:
    """At most ``most`` events that are not about tests, by their time; of this type, if ``kind`` is not empty.

    ``after``: source and seq of the event behind which they are. Raises ``sqlite3.Error``, and ``LookupError`` when the
    run has no such event.
    """
    place = (None, None, None)
    if after is not None:
        found = connection.execute(_SQL["place"], (run_key, *after)).fetchone()
        if found is None:
            raise LookupError(f"this run has no event {after[1]} of {after[0]}")
        place = found
    values = {"run_key": run_key, "type": kind, "most": most, "characters": characters}
    values |= dict(zip(("time_ms", "source_key", "seq"), place, strict=True))
    return [LogEvent(*row) for row in connection.execute(_SQL["events"], values)]
