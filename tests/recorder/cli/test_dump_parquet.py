"""``semantest dump --format parquet``, read back with pyarrow."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.missing import skip_or_fail
from tests.recorder.cli.dumped import check_dump, dump, history
from tests.recorder.cli.recording import Recording


@pytest.fixture(autouse=True)
def _pyarrow_is_here() -> None:
    if find_spec("pyarrow") is None:
        skip_or_fail("MISSING: pyarrow (the group `test` has it)")


def read_parquet(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = import_module("pyarrow.parquet").read_table(file).to_pylist()
    return found


def test_each_table_holds_the_rows_of_its_view(tmp_path: Path) -> None:
    check_dump(history(tmp_path / ".semantest"), tmp_path / "out", "parquet", read_parquet)


def test_a_value_of_another_kind_costs_parquet_that_value_alone(tmp_path: Path) -> None:
    """A client may call the size of a file anything."""
    told = Recording()
    told.start()
    told.begin("a.py::test_a")
    for size in (12, "large", {"a": 1}, 1e300):
        file = {"testId": "a.py::test_a", "attempt": 1, "name": "x", "mediaType": 7, "kind": "attachment", "size": size}
        told.add("main", "test/attachment", file)
    told.end()
    told.store(tmp_path / ".semantest")
    assert dump(tmp_path / ".semantest", tmp_path / "out", "--format", "parquet").code == 0
    rows = read_parquet(tmp_path / "out" / "attachments.parquet")
    assert [(row["bytes"], row["media_type"]) for row in rows] == [(12, "7"), (None, "7"), (None, "7"), (None, "7")]
