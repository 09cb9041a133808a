"""Rows of a query as a table for people, as JSON, JSON lines or CSV; each comes out as it comes in (pure)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from semantest_recorder.reports.inert import inert_json, inert_line
from semantest_recorder.reports.spreadsheet import no_formula

if TYPE_CHECKING:
    from rich.text import Text

#: Version of ``semantest sql --json``.
SCHEMA: Final = 1
#: A column of the table is at most so broad that others stay in sight; longer texts are not cut, they stand out.
_BROADEST: Final = 80

Value = str | int | float | bytes | None
Portions = Iterable[Sequence[Sequence[Value]]]


def json_parts(columns: Sequence[str], portions: Portions) -> Iterator[bytes]:
    """``{"schema": 1, "columns": [names], "rows": [{name: value}]}``, in parts."""
    names = unique(columns)
    yield b'{"schema":%d,"columns":%s,"rows":[' % (SCHEMA, inert_json(msgspec.json.encode(names)))
    between = b"\n"
    for rows in portions:
        yield between + inert_json(msgspec.json.encode(_objects(names, rows)))[1:-1]
        between = b",\n"
    yield b"]}\n"


def json_lines(columns: Sequence[str], portions: Portions) -> Iterator[bytes]:
    """An object for each row, on a line of its own."""
    names = unique(columns)
    encoder = msgspec.json.Encoder()
    for rows in portions:
        yield inert_json(encoder.encode_lines(_objects(names, rows)))


def csv_parts(columns: Sequence[str], portions: Portions) -> Iterator[bytes]:
    """A head line and the rows (RFC 4180), safe to open in a spreadsheet; NULL is an empty cell, bytes are hex."""
    yield _csv([columns])
    for rows in portions:
        yield _csv([[no_formula(value) if isinstance(value, str) else value for value in row] for row in rows])


def csv_data(columns: Sequence[str], portions: Portions) -> Iterator[bytes]:
    """The same for programs: every text as it is, be it a formula."""
    yield _csv([columns])
    for rows in portions:
        yield _csv(rows)


def unique(columns: Sequence[str]) -> list[str]:
    """The names, each once: the second ``test`` is ``test:1``, as SQLite itself calls it in a subquery."""
    found: dict[str, None] = {}
    for column in columns:
        name, number = column, 0
        while name in found:
            number += 1
            name = f"{column}:{number}"
        found[name] = None
    return list(found)


def table_lines(columns: Sequence[str], portions: Portions, width: int | None = None) -> Iterator[Text]:
    """The head and a line for each row, as broad as the first portion needs it; ``width``: of the terminal.

    Numbers stand at the right, NULL is dim. On a terminal lines are cut at its width.
    """
    from rich.text import Text  # noqa: PLC0415 - JSON and CSV do without rich

    found = iter(portions)
    first = next(found, [])
    right = [
        all(isinstance(row[at], int | float | None) for row in first) and bool(first) for at in range(len(columns))
    ]
    head = [Text(inert_line(column), "bold") for column in columns]
    lines = [[_cell(value) for value in row] for row in first]
    widths = [min(max(cell.cell_len for cell in column), _BROADEST) for column in zip(head, *lines, strict=True)]
    yield _line(head, widths, right, width)
    for row in lines:
        yield _line(row, widths, right, width)
    for rows in found:
        for values in rows:
            yield _line([_cell(value) for value in values], widths, right, width)


def _line(cells: Sequence[Text], widths: Sequence[int], right: Sequence[bool], width: int | None) -> Text:
    from rich.text import Text  # noqa: PLC0415

    line = Text()
    for number, (cell, room, at_right) in enumerate(zip(cells, widths, right, strict=True)):
        padding = " " * (room - cell.cell_len)
        line.append("  " if number else "").append(padding if at_right else "").append_text(cell)
        line.append("" if at_right else padding)
    line.rstrip()
    if width is not None:
        line.truncate(width, overflow="ellipsis")
    return line


def _cell(value: Value) -> Text:
    from rich.text import Text  # noqa: PLC0415

    if value is None:
        return Text("NULL", "dim")
    if isinstance(value, float):
        return Text(f"{value:.15g}")
    return Text(inert_line(value.hex() if isinstance(value, bytes) else str(value)))


def _objects(names: Sequence[str], rows: Sequence[Sequence[Value]]) -> list[dict[str, Value]]:
    return [dict(zip(names, map(_json_value, row), strict=True)) for row in rows]


def _json_value(value: Value) -> str | int | float | None:
    if isinstance(value, bytes):
        return value.hex()
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _csv(rows: Sequence[Sequence[Value]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([value.hex() if isinstance(value, bytes) else value for value in row] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")
