"""A history to dump, and what a dump must hold."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from semantest_recorder.cli.dump import TABLES
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import RUN, START, Recording, small_run

LATER = "20261121-094500-ffffff"
HOSTILE = 'c.py::test_new[=1+1,\n"x"]'


def history(folder: Path) -> Path:
    """Two runs; a test of the second has a name that no format may stumble over."""
    small_run().store(folder)
    later = Recording(LATER, start_ms=START + 900_000)
    later.start(labels={"team": "core"})
    later.plan("a.py::test_bad", HOSTILE)
    later.test("a.py::test_bad")
    later.test(HOSTILE)
    later.end(0)
    later.store(folder)
    return folder


def dump(folder: Path, *arguments: str | Path) -> Said:
    return semantest("dump", *arguments, "--directory", folder)


def rows_of(folder: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "semantest.db")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM v_{table}")]


def check_dump(folder: Path, out: Path, form: str, read: Callable[[Path], list[dict[str, Any]]]) -> None:
    """Dumps all of the history to ``out``: each file, as ``read`` reads it, has the rows of its view."""
    said = dump(folder, out, "--format", form, *(f"--table={table}" for table in TABLES))
    assert (said.code, said.err) == (0, "")
    manifest = json.loads((out / "dump.json").read_text())
    assert (manifest["runs"], manifest["firstRun"], manifest["lastRun"]) == (2, RUN, LATER)
    for table in TABLES:
        file = out / f"{table}.{form}"
        rows = read(file)
        wanted = rows_of(folder, table)
        if form == "csv":  # which has no word for NULL
            wanted = [{name: None if value == "" else value for name, value in row.items()} for row in wanted]
        assert rows == wanted, table
        assert manifest["tables"][table] == {"file": file.name, "rows": len(rows), "bytes": file.stat().st_size}
        assert f"{len(rows)} row" in next(line for line in said.out.splitlines() if f" {file.name} " in line)
    assert any(row["test"] == HOSTILE for row in read(out / f"results.{form}"))
