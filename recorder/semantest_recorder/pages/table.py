"""A table that can be taken away: as CSV for spreadsheets, as JSON for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from semantest_recorder.reports.spreadsheet import no_formula

Cell = str | int | float | bool | None


class Table(NamedTuple):
    """``name``: of the file, without its ending; ``columns``: the names of what each of the rows has."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def as_csv(table: Table) -> bytes:
    """The table with a line of names, UTF-8; no text is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([*_told(row)] for row in table.rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def as_json(table: Table) -> bytes:
    """A list of objects."""
    return msgspec.json.encode([dict(zip(table.columns, row, strict=True)) for row in table.rows])


def _told(row: Sequence[Cell]) -> Iterator[Cell]:
    for cell in row:
        yield no_formula(cell) if isinstance(cell, str) else cell
