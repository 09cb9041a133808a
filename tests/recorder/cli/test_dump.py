"""``semantest dump`` over a database that the real writer made."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.cli.dump import TABLES, USUAL
from semantest_recorder.core.views import VIEWS, kind_of
from semantest_recorder.store.dumping import DumpSource
from tests.recorder.cli.dumped import HOSTILE, LATER, check_dump, dump, history
from tests.recorder.cli.recording import RUN, START, small_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history(tmp_path_factory.mktemp("project") / ".semantest")


def read_csv(file: Path) -> list[dict[str, Any]]:
    kinds: dict[str, Callable[[str], Any]] = {"TEXT": str, "INTEGER": int, "REAL": float}
    return [
        {column: None if cell == "" else kinds[kind_of(column)](cell) for column, cell in row.items()}
        for row in csv.DictReader(io.StringIO(file.read_bytes().decode(), newline=""))
    ]


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize(("form", "read"), [("csv", read_csv), ("jsonl", read_jsonl)])
def test_each_table_holds_the_rows_of_its_view(
    folder: Path, tmp_path: Path, form: str, read: Callable[[Path], list[dict[str, Any]]]
) -> None:
    check_dump(folder, tmp_path / "out", form, read)


def test_only_some_runs(folder: Path, tmp_path: Path) -> None:
    for number, chosen in enumerate((["--runs", "1"], ["--since", "2026-11-21T09:40"])):
        out = tmp_path / str(number)
        assert dump(folder, out, "--format", "jsonl", *chosen).code == 0
        assert {
            row["run"] for table in ("runs", "results", "attempts") for row in read_jsonl(out / f"{table}.jsonl")
        } == {LATER}
        assert {row["test"] for row in read_jsonl(out / "tests.jsonl")} == {"a.py::test_bad", HOSTILE}
        assert {path.name for path in out.iterdir()} == {*(f"{table}.jsonl" for table in USUAL), "dump.json"}
    none = dump(folder, tmp_path / "none", "--format", "jsonl", "--since", "2027-01-01")
    assert (none.code, none.err) == (3, "semantest: no run is that new: give --since an earlier time\n")
    assert not (tmp_path / "none").exists()


def test_files_of_an_earlier_dump_are_replaced_only_when_that_is_wanted(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("mine")
    said = dump(folder, tmp_path, "--format", "csv")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"semantest: {tmp_path / 'results.csv'} is there")
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
    said = dump(folder, tmp_path, "--format", "csv", "--force", "--json")
    assert said.json == json.loads((tmp_path / "dump.json").read_text())
    assert len(read_csv(tmp_path / "results.csv")) == 6


def test_an_unknown_format_or_table_is_told_the_nearest(folder: Path, tmp_path: Path) -> None:
    said = dump(folder, tmp_path, "--format", "cvs")
    assert (said.code, "there is no format 'cvs': did you mean 'csv'? Formats: csv" in said.err) == (2, True)
    said = dump(folder, tmp_path, "--format", "csv", "--table", "resluts")
    assert (said.code, "there is no table 'resluts': did you mean 'results'?" in said.err) == (2, True)


def test_what_cannot_be_written_whole_is_not_there(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "results.csv").mkdir()
    (tmp_path / "dump.json").write_text("{}")
    said = dump(folder, tmp_path, "--format", "csv", "--force")
    assert said.code == 1
    assert said.err == f"semantest: cannot write {tmp_path / 'results.csv'}: Is a directory; what is whole stays\n"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"results.csv", *(f"{table}.csv" for table in USUAL[: USUAL.index("results")])}


def test_without_pyarrow_it_says_how_to_get_it(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    said = dump(folder, tmp_path / "out", "--format", "parquet")
    assert (said.code, said.out) == (2, "")
    assert "pip install 'pytest-semantest[parquet]'" in said.err
    assert not (tmp_path / "out").exists()


def test_a_dump_is_of_one_moment(tmp_path: Path) -> None:
    small_run().store(tmp_path)
    with closing(DumpSource(tmp_path / "semantest.db")) as source:
        before = {table: source.count(f"v_{table}", None) for table in TABLES}
        small_run(LATER, start_ms=START + 900_000).store(tmp_path)
        assert source.runs() == [RUN]
        assert {table: source.count(f"v_{table}", None) for table in TABLES} == before
        assert [len(rows) for rows in source.rows("v_results", None)] == [4]
    assert set(TABLES) == {name.removeprefix("v_") for name in VIEWS}
