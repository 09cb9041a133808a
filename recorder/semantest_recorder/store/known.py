"""What a database knows by name: sources that it has or had, ids and suites of tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from semantest_recorder.store.queries import statements

_SQL = statements("known.sql")
_AT_ONCE = 5000
_SHARDS_MAX = 10_000


def run_of_source(connection: sqlite3.Connection, source: str) -> str | None:
    """The run that a source of which events are stored belongs to."""
    row = connection.execute(_SQL["run_of_source"], (source,)).fetchone()
    return str(row[0]) if row is not None else None


def deleted_source(connection: sqlite3.Connection, source: str) -> bool:
    """Whether a source was deleted with its run: what is sent of it is not stored again."""
    return connection.execute(_SQL["deleted_source"], (source,)).fetchone() is not None


def announced_shards(connection: sqlite3.Connection, run_id: str) -> int:
    """Of how many shards the sessions of a run say that it is; 0 when none says so."""
    (number,) = connection.execute(_SQL["announced_shards"], (run_id,)).fetchone()
    return number if isinstance(number, int) and 0 < number <= _SHARDS_MAX else 0


def known_names(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[set[str], set[str]]:
    """Which of these ids are those of tests, and all suites that tests have; nothing for no ids."""
    if not ids:
        return set(), set()
    found: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        part = msgspec.json.encode(ids[start : start + _AT_ONCE]).decode()
        found.update(str(row[0]) for row in connection.execute(_SQL["tests"], (part,)))
    return found, {str(row[0]) for row in connection.execute(_SQL["suites"])}
