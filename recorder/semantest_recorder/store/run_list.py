"""Runs page by page: filtered, in one of several orders."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from semantest_recorder.core.rows import RunRow
from semantest_recorder.store.queries import statements
from semantest_recorder.store.row_reading import run_row

_SQL = statements("run_list.sql")

RunOrder = Literal["-started", "started", "-duration", "duration"]
_SINCE, _TOOK = "coalesce(r.since_ms, 0.0)", "max(coalesce(r.ended_ms - r.started_ms, 0.0), 0.0)"
_ORDERS: Final[Mapping[RunOrder, str]] = {
    "-started": f"-{_SINCE} AS k, -r.run_key AS t",
    "started": f"{_SINCE} AS k, r.run_key AS t",
    "-duration": f"-{_TOOK} AS k, -r.run_key AS t",
    "duration": f"{_TOOK} AS k, r.run_key AS t",
}
_STATEMENTS: Final = {order: _SQL["chosen"].replace("{order}", _ORDERS[order]) for order in get_args(RunOrder)}


class RunFilter(NamedTuple):
    """Which runs are listed. ``None`` or nothing: whatever it is.

    ``commit`` is the beginning of one, each of ``labels`` has this value (``None``: any), ``text`` is part of id, name,
    branch, commit, its author or subject, whatever the case of letters A to Z. They started from ``since_ms`` on and
    before ``until_ms``.
    """

    states: Sequence[str] = ()
    branch: str | None = None
    commit: str | None = None
    labels: Sequence[tuple[str, str | None]] = ()
    text: str | None = None
    since_ms: float | None = None
    until_ms: float | None = None


class Place(NamedTuple):
    """Where a row is in an order: its key, and what tells rows of one key apart."""

    key: float | str
    tie: int


class NewRun(NamedTuple):
    """A run as those who choose runs know it; ``labels`` as JSON."""

    id: str
    name: str | None
    state: str
    branch: str | None
    labels: str
    gaps: int
    quarantined: int
    left_out: int
    shard_count: int
    shards_missing: int


def newest_runs(connection: sqlite3.Connection, most: int) -> list[NewRun]:
    """The runs that started last, newest first. Raises ``sqlite3.Error``."""
    return [NewRun(*row) for row in connection.execute(_SQL["newest"], (most,))]


def listed_runs(
    connection: sqlite3.Connection, wanted: RunFilter, order: RunOrder, after: Place | None, most: int
) -> list[tuple[RunRow, Place]]:
    """At most ``most`` runs behind the place ``after``. Raises ``sqlite3.Error``."""
    parameters = {
        "states": msgspec.json.encode(list(wanted.states)).decode() if wanted.states else None,
        "branch": wanted.branch,
        "commit": wanted.commit,
        "labels": msgspec.json.encode(wanted.labels).decode() if wanted.labels else None,
        "text": wanted.text or None,
        "since_ms": wanted.since_ms,
        "until_ms": wanted.until_ms,
        "after": after.key if after is not None else None,
        "tie": after.tie if after is not None else None,
        "most": most,
    }
    return [(run_row(row[:-2]), Place(*row[-2:])) for row in connection.execute(_STATEMENTS[order], parameters)]
