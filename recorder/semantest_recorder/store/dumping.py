"""The public views for a dump: all of one state of the database, or what belongs to some runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from semantest_recorder.core.views import VIEWS
from semantest_recorder.store.asking import Row
from semantest_recorder.store.portions import next_portion
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL: Final = statements("dumping.sql")
_ROWS: Final = 2_000


class DumpSource:
    """One state of the database at ``path``, whatever is recorded meanwhile. Close it.

    Raises what ``connect_read_only`` raises.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connect_read_only(path)
        self._connection.execute("BEGIN")

    def close(self) -> None:
        """Lets go of that state."""
        self._connection.close()

    def runs(self, since_ms: float | None = None, most: int | None = None) -> list[str]:
        """Ids of the runs that started at ``since_ms`` or later, the ``most`` newest of them; the oldest first."""
        rows = self._connection.execute(_SQL["runs"], (since_ms, -1 if most is None else most)).fetchall()
        return [run for (run,) in reversed(rows)]

    def count(self, view: str, runs: Sequence[str] | None) -> int:
        """How many rows there are."""
        sql, parameters = _of_runs(view, "count(*)", runs)
        ((number,),) = self._connection.execute(sql, parameters)
        return int(number)

    def rows(self, view: str, runs: Sequence[str] | None) -> Iterator[list[Row]]:
        """The rows of a view in portions, its columns in the order of ``VIEWS``.

        ``runs``: only what these have; of a view of tests those that one of them has, ``None`` for all. A view that
        has neither runs nor tests is whole.
        """
        columns = ", ".join(f'"{column}"' for column in VIEWS[view].columns)
        cursor = self._connection.execute(*_of_runs(view, columns, runs))
        while portion := next_portion(cursor, _ROWS):
            yield portion


def _of_runs(view: str, what: str, runs: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """The query for a view, which is one of ours."""
    columns = VIEWS[view].columns
    if runs is None or not columns.keys() & {"run", "test"}:
        return f"SELECT {what} FROM {view}", ()  # noqa: S608
    chosen = "run IN (SELECT value FROM json_each(?))"
    if "run" not in columns:
        chosen = f"test IN (SELECT test FROM v_results WHERE {chosen})"  # noqa: S608
    return f"SELECT {what} FROM {view} WHERE {chosen}", (msgspec.json.encode(runs).decode(),)  # noqa: S608
