"""Rows of queries in every form say what the rows say, and nothing that a terminal or a spreadsheet would act on."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.row_forms import csv_parts, json_lines, json_parts, table_lines, unique

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=5)
COLUMNS = ["test", "state"]


def portions(rows: list[tuple[object, ...]], size: int = 2) -> list[list[tuple[object, ...]]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@settings(max_examples=50)
@given(ROWS)
def test_json_in_both_forms_is_read_back(rows: list[tuple[object, ...]]) -> None:
    wanted = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    whole = json.loads(b"".join(json_parts(COLUMNS, portions(rows))))  # type: ignore[arg-type]
    assert whole == {"schema": 1, "columns": COLUMNS, "rows": wanted}
    lines = b"".join(json_lines(COLUMNS, portions(rows)))  # type: ignore[arg-type]
    assert [json.loads(line) for line in lines.split(b"\n") if line] == wanted
    assert lines.count(b"\n") == len(rows)


@settings(max_examples=50)
@given(ROWS)
def test_csv_is_read_back_but_for_formulas(rows: list[tuple[object, ...]]) -> None:
    text = b"".join(csv_parts(COLUMNS, portions(rows))).decode()  # type: ignore[arg-type]
    head, *read = csv.reader(io.StringIO(text, newline=""))
    assert head == COLUMNS
    for row, cells in zip(rows, read, strict=True):
        for value, cell in zip(row, cells, strict=True):
            assert not (isinstance(value, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")))
            assert (cell.removeprefix("'") if isinstance(value, str) else cell) == ("" if value is None else str(value))


@settings(max_examples=50)
@given(ROWS)
def test_a_table_has_a_line_for_each_row_and_only_harmless_text(rows: list[tuple[object, ...]]) -> None:
    lines = [line.plain for line in table_lines(COLUMNS, portions(rows))]  # type: ignore[arg-type]
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        assert line == inert_line(line)
        for value in row:
            if isinstance(value, str):
                assert inert_line(value).rstrip() in line


def test_a_table_is_as_broad_as_it_must_be_and_cut_at_the_terminal() -> None:
    rows = [("a.py::test_a", 7), ("b.py::test_longer", None)]
    lines = [line.plain for line in table_lines(["test", "runs"], [rows])]
    assert lines == ["test               runs", "a.py::test_a          7", "b.py::test_longer  NULL"]
    assert [line.plain for line in table_lines(["test", "runs"], [rows], 8)] == ["test   …", "a.py::t…", "b.py::t…"]


def test_columns_of_one_name_all_stay() -> None:
    assert unique(["a", "b", "a", "a", "a:1"]) == ["a", "b", "a:1", "a:2", "a:1:1"]
    assert json.loads(b"".join(json_lines(["a", "a"], [[(1, 2)]]))) == {"a": 1, "a:1": 2}


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), b"\x00\xff"])
def test_what_json_has_no_word_for_is_text(value: float | bytes) -> None:
    assert json.loads(b"".join(json_lines(["a"], [[(value,)]])))["a"] in ("inf", "-inf", "00ff")
