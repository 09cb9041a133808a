"""Whether an answer that was given before still holds: stamps that change with whatever it was made of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from semantest_recorder.store.queries import statements

_SQL = statements("change_stamp.sql")

Stamp = tuple[object, ...]


def run_stamp(connection: sqlite3.Connection, run_id: str) -> Stamp:
    """Changes with every event of the run, its deletion, and with every alias. Raises ``sqlite3.Error``."""
    return (connection.execute(_SQL["run"], (run_id,)).fetchone(), _aliases(connection))


def closed_stamp(connection: sqlite3.Connection) -> Stamp:
    """Changes with every event and deletion of a run that is over, with every one that ends, and with every alias.

    Events of runs that go on leave it as it is. Raises ``sqlite3.Error``.
    """
    found = [connection.execute(_SQL[name]).fetchone() for name in ("closed_runs", "closed_sources")]
    return (*found, _aliases(connection))


def stamps_of(connection: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, Stamp]:
    """What changes with every event of each of the runs. Raises ``sqlite3.Error``."""
    rows = connection.execute(_SQL["runs"], (msgspec.json.encode(list(run_ids)).decode(),))
    return {row[0]: tuple(row[1:]) for row in rows}


def _aliases(connection: sqlite3.Connection) -> Stamp:
    found: Stamp = connection.execute(_SQL["aliases"]).fetchone()
    return found
