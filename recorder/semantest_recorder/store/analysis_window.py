"""Which runs an analysis looks at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import msgspec

from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.core.nearest import nearest
from semantest_recorder.store.errors import BranchNotFound
from semantest_recorder.store.queries import statements

_SQL = statements("analysis_window.sql")
#: The largest integer of SQLite: no limit.
_ALL = 2**63 - 1


def window(
    connection: sqlite3.Connection,
    *,
    since_ms: float | None = None,
    until_ms: float | None = None,
    branch: str | None = None,
    most: int | None = None,
    wanted: Callable[[WindowRun], bool] | None = None,
) -> list[WindowRun]:
    """The closed runs, at most the ``most`` newest of those from ``since_ms`` to before ``until_ms`` on ``branch``.

    The oldest first. ``wanted``: only those of which it is true; others are not counted.
    """
    since, until = -1e308 if since_ms is None else since_ms, 1e308 if until_ms is None else until_ms
    of = (branch, pull_request_of(connection, branch))
    rows = connection.execute(_SQL["window"], (since, *of, _ALL if most is None or wanted else most, until))
    return list(islice(filter(wanted, map(_run, rows)) if wanted else map(_run, rows), most))[::-1]


def began(connection: sqlite3.Connection, run_id: str) -> float:
    """When a run that there is started, in milliseconds since the epoch: by what runs are ordered."""
    return float(connection.execute(_SQL["began"], (run_id,)).fetchone()[0])


def closed_runs(connection: sqlite3.Connection, branch: str | None) -> list[int]:
    """The keys of all closed runs, on ``branch`` only unless it is ``None``, the oldest first."""
    return [key for (key,) in connection.execute(_SQL["keys"], (branch, pull_request_of(connection, branch)))]


def pull_request_of(connection: sqlite3.Connection, branch: str | None) -> Any:
    """The pull request whose runs are meant by a branch that is named; ``None``: those that are of none.

    A fork may call its branch as we call ours. So runs of pull requests count only where the branch has no others, and
    of several those of the last one.
    """
    row = None if branch is None else connection.execute(_SQL["pull_request_of"], (branch,)).fetchone()
    return None if row is None else row[0]


def require_branch(connection: sqlite3.Connection, branch: str) -> None:
    """Raises ``BranchNotFound`` for one that no run has, with the nearest that there are."""
    known = [str(name) for (name,) in connection.execute(_SQL["branches"])]
    if branch not in known:
        raise BranchNotFound(branch, nearest(branch, known, 0.4), known=False)


def test_ids(connection: sqlite3.Connection, tests: Iterable[int]) -> dict[int, str]:
    """The ids of tests by their keys."""
    return dict(connection.execute(_SQL["test_ids"], (key_list(tests),)).fetchall())


def test_keys(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[int, str]:
    """The same for the tests with these ids, as far as there are any."""
    return dict(connection.execute(_SQL["test_keys"], (key_list(ids),)).fetchall())


def key_list(keys: Iterable[int | str]) -> str:
    """Keys as ``json_each`` takes them."""
    return msgspec.json.encode(list(keys)).decode()


def _run(row: tuple[Any, ...]) -> WindowRun:
    key, run_id, state, since_ms, started_ms, ended_ms, branch, commit, shards_missing, request, planned = row
    place = (told_text(branch), told_text(commit))
    ci = (shards_missing, told_text(request))
    return WindowRun(key, run_id, state, since_ms, started_ms, ended_ms, *place, *ci, planned)


def told_text(value: object) -> str | None:
    """What a run told of itself, as text: a client may say anything."""
    return None if value is None else str(value)
