"""What two databases do not agree on, every table but the keys of deleted rows; names are compared, keys may differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import connect_read_only

_SQL = statements("comparison.sql")
_OF_ALL = ("meta", "tests", "deleted_sources")
_OF_A_RUN = tuple(name for name in _SQL if name not in (*_OF_ALL, "batches", "events"))
#: Tables that are compared.
TABLES = frozenset(_SQL)
_RUNS = "SELECT id FROM runs"
_SOURCES = "SELECT source FROM sources"
_SHOWN = 400

Row = tuple[Any, ...]


class _Pair:
    """Two open databases and how each is called."""

    def __init__(self, first: Path, second: Path) -> None:
        self.names = (first.name, second.name)
        one = connect_read_only(first)
        try:
            self.connections = (one, connect_read_only(second))
        except BaseException:
            one.close()
            raise

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def ask(self, sql: str, *arguments: str) -> tuple[sqlite3.Cursor, sqlite3.Cursor]:
        one, other = self.connections
        return one.execute(sql, arguments), other.execute(sql, arguments)

    def names_in(self, sql: str) -> list[str]:
        """The first column of both together."""
        return sorted({row[0] for row in chain(*self.ask(sql))})


def differences(
    first: Path, second: Path, progress: Callable[[int, int], None] | None = None, *, without: Collection[str] = ()
) -> list[str]:
    """One line for each row of a table that only one database has; in the log one for the first such row.

    ``without``: tables that are left out, such as ``batches`` when the same was sent in other batches.
    No more than the rows of one run are held in memory. ``progress`` is called with how many runs have been compared,
    and of how many. Raises what ``Reader`` raises.
    """
    with closing(_Pair(first, second)) as pair:
        return list(_lines(pair, progress or _ignore, without))


def _lines(pair: _Pair, progress: Callable[[int, int], None], without: Collection[str]) -> Iterator[str]:
    for table in _wanted(_OF_ALL, without):
        yield from _in_one_only(pair, table)
    for table in _wanted(("batches",), without):
        yield from _first_other(pair, table)
    for source in pair.names_in(_SOURCES):
        yield from _first_other(pair, "events", source)
    runs = pair.names_in(_RUNS)
    for number, run_id in enumerate(runs, 1):
        for table in _wanted(_OF_A_RUN, without):
            yield from _in_one_only(pair, table, run_id)
        progress(number, len(runs))


def _wanted(tables: Iterable[str], without: Collection[str]) -> list[str]:
    return [table for table in tables if table not in without]


def _in_one_only(pair: _Pair, table: str, *arguments: str) -> Iterator[str]:
    one, other = (set(cursor.fetchall()) for cursor in pair.ask(_SQL[table], *arguments))
    for name, rows in zip(pair.names, (one - other, other - one), strict=True):
        for row in sorted(rows, key=repr):
            yield f"{table}: only in {name}: {_shown(row)}"


def _first_other(pair: _Pair, table: str, *arguments: str) -> Iterator[str]:
    """Rows that have an order of their own, of which there may be very many."""
    for one, other in zip_longest(*pair.ask(_SQL[table], *arguments)):
        if one != other:
            where = f"{table} of {arguments[0]}" if arguments else table
            yield f"{where}: {pair.names[0]} has {_shown(one)} where {pair.names[1]} has {_shown(other)}"
            return


def _shown(row: Row | None) -> str:
    text = "nothing" if row is None else repr(row)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _ignore(_done: int, _total: int) -> None:
    pass
