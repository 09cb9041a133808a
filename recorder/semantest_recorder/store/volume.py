"""How much a database holds, but for what has to be counted run by run."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from semantest_recorder.store.queries import statements

_SQL = statements("volume.sql")


class Volume(NamedTuple):
    """The states of runs by their ids, and numbers of tests, suites (of all runs) and events."""

    runs: dict[str, str]
    tests: int
    suites: int
    events: int


def read_volume(connection: sqlite3.Connection) -> Volume:
    """How much there is. Raises ``sqlite3.Error``."""
    runs = dict(connection.execute(_SQL["runs"]).fetchall())
    return Volume(runs, *connection.execute(_SQL["totals"]).fetchone())
