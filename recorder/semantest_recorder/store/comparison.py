"""What two databases do not agree on, every table but the keys of deleted rows; names are compared, keys may differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("comparison.sql")
_OF_ALL = ("meta", "tests", "deleted_sources", "aliases", "alerts", "judged_runs", "silences", "deliveries")
_OF_A_RUN = tuple(name for name in _SQL if name not in (*_OF_ALL, "batches", "events"))
#: How many of a table's columns, the first ones, tell which row it is.
_KEYS = dict.fromkeys(("meta", "tests", "deleted_sources", "runs", "judged_runs", "silences", "deliveries"), 1)
_KEYS |= dict.fromkeys(("sources", "quarantine", "results", "suites", "aliases", "alerts"), 2)
_KEYS |= {"marks": 3, "crashes": 3, "warnings": 3, "attempts": 4, "test_events": 4}
#: Tables that are compared.
TABLES = frozenset(_SQL)
_RUNS = "SELECT id FROM runs"
_SOURCES = "SELECT source FROM sources"
_SHOWN = 200

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
    """A line for each row of a table that differs: ``first value -> second value``; in the log for the first such row.

    ``without``: tables that are left out, such as ``batches`` when the same was sent in other batches.
    No more than the rows of one run are held in memory. ``progress`` is called with how many runs have been compared,
    and of how many. Raises what ``Reader`` raises.
    """
    with closing(_Pair(first, second)) as pair:
        return list(_lines(pair, progress or _ignore, without))


def _lines(pair: _Pair, progress: Callable[[int, int], None], without: Collection[str]) -> Iterator[str]:
    for table in _wanted(_OF_ALL, without):
        yield from _other_rows(pair, table)
    for table in _wanted(("batches",), without):
        yield from _first_other(pair, table)
    for source in pair.names_in(_SOURCES):
        yield from _first_other(pair, "events", source)
    runs = pair.names_in(_RUNS)
    for number, run_id in enumerate(runs, 1):
        for table in _wanted(_OF_A_RUN, without):
            yield from _other_rows(pair, table, run_id)
        progress(number, len(runs))


def _wanted(tables: Iterable[str], without: Collection[str]) -> list[str]:
    return [table for table in tables if table not in without]


def _other_rows(pair: _Pair, table: str, *arguments: str) -> Iterator[str]:
    one, other = pair.ask(_SQL[table], *arguments)
    columns, keys = _columns(one), _KEYS[table]
    rows = [set(cursor.fetchall()) for cursor in (one, other)]
    found = _by_key(rows[0] - rows[1], keys), _by_key(rows[1] - rows[0], keys)
    for key in sorted(found[0].keys() | found[1].keys(), key=repr):
        which = f"{table} ({_labelled(columns[:keys], key)})"
        mine, theirs = found[0].get(key, []), found[1].get(key, [])
        if len(mine) == len(theirs) == 1:
            yield f"{which}: {_changed(columns, mine[0], theirs[0])}"
            continue
        for how, several in (("only in", mine), ("missing in", theirs)):
            for row in several:
                yield f"{which} {how} {pair.names[0]}: {_labelled(columns[keys:], row[keys:])}"


def _by_key(rows: Iterable[Row], keys: int) -> dict[Row, list[Row]]:
    found: dict[Row, list[Row]] = {}
    for row in sorted(rows, key=repr):
        found.setdefault(row[:keys], []).append(row)
    return found


def _first_other(pair: _Pair, table: str, *arguments: str) -> Iterator[str]:
    """Rows that have an order of their own, of which there may be very many."""
    cursors = pair.ask(_SQL[table], *arguments)
    columns = _columns(cursors[0])
    for one, other in zip_longest(*cursors):
        if one != other:
            where = f"{table} of {arguments[0]}" if arguments else table
            has = (_labelled(columns, row) if row is not None else "nothing" for row in (one, other))
            yield f"{where}: {pair.names[0]} has {next(has)} where {pair.names[1]} has {next(has)}"
            return


def _columns(cursor: sqlite3.Cursor) -> list[str]:
    return [column[0] for column in cursor.description]


def _changed(columns: Sequence[str], one: Row, other: Row) -> str:
    """Each column that differs: what the first has, and what the second."""
    pairs = zip(columns, one, other, strict=True)
    said = [f"{name} {_shown(old)} -> {_shown(new)}" for name, old, new in pairs if old != new]
    return ", ".join(said)


def _labelled(columns: Sequence[str], row: Row) -> str:
    """The columns with something in them."""
    pairs = zip(columns, row, strict=True)
    return ", ".join(f"{name} {_shown(value)}" for name, value in pairs if value is not None) or "nothing"


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _ignore(_done: int, _total: int) -> None:
    pass
