"""The stored runs as the choice of what to delete sees them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.core.retention import StoredRun
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("cleanup.sql")
#: What the rows of an event take beside its payload, roughly; only the shares count.
_ROW = 120


class RunFacts(msgspec.Struct):
    """By what runs can be grouped."""

    name: str | None
    branch: str | None
    labels: dict[str, Any]


def survey(database: Path, group_of: Callable[[RunFacts], str]) -> list[StoredRun]:
    """Every run with its share of the file, by the bytes of its events. Raises what ``Reader`` raises."""
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(_SQL["runs"]).fetchall()
        weights = {run: size + count * _ROW for run, count, size in connection.execute(_SQL["weights"])}
        scale = _used_bytes(connection) / (sum(weights.values()) or 1)
    runs = []
    for run_id, name, state, started_ms, ended_ms, labels, branch, heard_ms in rows:
        group = group_of(RunFacts(name, branch, msgspec.json.decode(labels)))
        size = round(weights.get(run_id, 0) * scale)
        runs.append(StoredRun(run_id, name, state, group, started_ms, ended_ms, heard_ms or 0.0, size))
    return runs


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
