"""Results of a run page by page: filtered, in one of several orders."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from semantest_recorder.core.rows import ResultRow
from semantest_recorder.store.known_tests import place_of_test
from semantest_recorder.store.queries import statements
from semantest_recorder.store.row_reading import result_row
from semantest_recorder.store.run_list import Place

_SQL = statements("result_list.sql")

ResultOrder = Literal["position", "id", "duration", "-duration", "started", "-started"]
_ORDERS: Final[Mapping[ResultOrder, str]] = {
    "position": "coalesce(x.position, 9e15)",
    "id": "s.id",
    "duration": "x.duration_ms",
    "-duration": "-x.duration_ms",
    "started": "coalesce(x.started_ms, 0.0)",
    "-started": "-coalesce(x.started_ms, 0.0)",
}
_STATEMENTS: Final = {order: _SQL["chosen"].replace("{order}", _ORDERS[order]) for order in get_args(ResultOrder)}


class ResultFilter(NamedTuple):
    """Which results of a run are listed. ``None`` or nothing: whatever it is; ``text`` is part of the test's id."""

    states: Sequence[str] = ()
    worker: str | None = None
    suite: str | None = None
    text: str | None = None


def run_key_of(connection: sqlite3.Connection, run_id: str) -> int | None:
    """The key of the run with this very id. Raises ``sqlite3.Error``."""
    row = connection.execute(_SQL["run_key"], (run_id,)).fetchone()
    return None if row is None else int(row[0])


def listed_results(
    connection: sqlite3.Connection,
    run_key: int,
    wanted: ResultFilter,
    order: ResultOrder,
    after: Place | None,
    most: int,
) -> list[tuple[ResultRow, Place]]:
    """At most ``most`` results behind the place ``after``. Raises ``sqlite3.Error``."""
    after = place_of_test(connection, after)
    place = {"after": after.key if after else None, "tie": after.tie if after else None, "most": most}
    rows = connection.execute(_STATEMENTS[order], _parameters(run_key, wanted) | place)
    return [(result_row(row[:-2]), Place(*row[-2:])) for row in rows]


def number_of_results(connection: sqlite3.Connection, run_key: int, wanted: ResultFilter) -> int:
    """How many results are listed, on all pages. Raises ``sqlite3.Error``."""
    return int(connection.execute(_SQL["number"], _parameters(run_key, wanted)).fetchone()[0])


def result_of(connection: sqlite3.Connection, run_key: int, test_id: str) -> ResultRow | None:
    """The result of a test in a run. Raises ``sqlite3.Error``."""
    row = connection.execute(_SQL["one"], {"run_key": run_key, "test": test_id}).fetchone()
    return None if row is None else result_row(row)


def tests_in_run(connection: sqlite3.Connection, run_key: int, fragment: str, most: int) -> list[str]:
    """Ids of tests of a run that contain ``fragment``, the shortest first. Raises ``sqlite3.Error``."""
    return [row[0] for row in connection.execute(_SQL["alike"], (run_key, fragment, most))]


def _parameters(run_key: int, wanted: ResultFilter) -> dict[str, Any]:
    return {
        "run_key": run_key,
        "states": msgspec.json.encode(list(wanted.states)).decode() if wanted.states else None,
        "worker": wanted.worker,
        "suite": wanted.suite,
        "text": wanted.text or None,
    }
