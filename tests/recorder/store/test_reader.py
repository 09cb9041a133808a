"""What the reader gives, and how runs are named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from semantest_recorder.store.errors import AmbiguousRun, NoDatabase, RunNotFound
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader

from .ingesting import RUN, attempt, begin, event, passed, recording, whole_run

NAMES = ("20261121-093000-aaaaaa", "20261121-093000-abbbbb", "20261122-100000-cccccc")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        for number, name in enumerate(NAMES):
            tests = [*passed("a.py::t", at=1000.0 * number), *passed("b.py::TestX::t[1]", at=1000.0 * number)]
            recorder.send(f"{name}.main", 1, whole_run(name, tests, at=1000.0 * number))
    return path


def test_runs_come_newest_first(path: Path) -> None:
    assert [run.id for run in Reader(path).runs()] == list(reversed(NAMES))
    assert [run.id for run in Reader(path).runs(1)] == [NAMES[2]]


@pytest.mark.parametrize(
    ("name", "found"), [("last", NAMES[2]), (NAMES[0], NAMES[0]), ("20261122", NAMES[2]), (NAMES[1][:18], NAMES[1])]
)
def test_a_run_has_many_names(path: Path, name: str, found: str) -> None:
    assert Reader(path).run(name).id == found


def test_an_id_that_is_the_start_of_another_is_exact(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(f"{NAMES[2]}-2.main", 1, [begin(f"{NAMES[2]}-2")])
    assert Reader(path).run(NAMES[2]).id == NAMES[2]


def test_names_that_fit_nothing_or_several(path: Path) -> None:
    with pytest.raises(AmbiguousRun, match="start of 2 runs") as several:
        Reader(path).run("20261121")
    assert several.value.matches == [NAMES[1], NAMES[0]]
    with pytest.raises(RunNotFound, match="did you mean 20261122-100000-cccccc") as nothing:
        Reader(path).run("20261122-100000-ccccxc")
    assert nothing.value.nearest[0] == NAMES[2]
    for name in ("", "%", "zzz"):
        with pytest.raises(RunNotFound, match="semantest runs"):
            Reader(path).run(name)


def test_no_run_yet(tmp_path: Path) -> None:
    with recording(tmp_path / "semantest.db"):
        pass
    with pytest.raises(RunNotFound, match="no run was recorded yet"):
        Reader(tmp_path / "semantest.db").run("last")
    (tmp_path / "empty.db").touch()
    with pytest.raises(NoDatabase):
        Reader(tmp_path / "empty.db").runs()


def test_results_come_in_the_order_of_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    planned = ["z.py::t", "a.py::t", "m.py::t"]
    with recording(path) as recorder:
        plan = event("run/plan", tests=planned, offset=0, total=3)
        recorder.send(f"{RUN}.main", 1, [begin(), *passed("extra.py::t"), plan, *passed("a.py::t")])
    assert [row.test_id for row in Reader(path).results(RUN)] == [*planned, "extra.py::t"]


def test_attempts_of_a_test_come_in_order(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        tests = [*attempt("a.py::t", 1, "failed"), *attempt("a.py::t", 2, "error"), *attempt("a.py::t", 3, "passed")]
        tests += attempt("a.py::u", 1, "passed")
        recorder.send(f"{RUN}.main", 1, whole_run(RUN, tests))
    *rows, other = Reader(path).attempts(RUN)
    assert Reader(path).attempts_of(RUN, ["a.py::t"]) == rows
    assert Reader(path).attempts_of(RUN, ["a.py::u", "a.py::unknown"]) == [other]
    assert [(row.attempt, row.outcome, row.detail_seq) for row in rows] == [
        (1, "failed", 3),
        (2, "error", 5),
        (3, "passed", 7),
    ]
    payload = Reader(path).payload(f"{RUN}.main", 5)
    assert payload is not None
    assert payload["outcome"] == "error"
    assert Reader(path).payload(f"{RUN}.main", 99) is None


def test_a_tests_history_comes_newest_first(path: Path) -> None:
    rows = Reader(path).history("a.py::t", 2)
    assert [(row.run_id, row.state, row.duration_ms) for row in rows] == [
        (NAMES[2], "passed", 1.0),
        (NAMES[1], "passed", 1.0),
    ]
    assert Reader(path).history("no.py::t") == []


def test_tests_are_found_by_a_part_of_their_id(path: Path) -> None:
    assert Reader(path).find_tests("::t") == ["a.py::t", "b.py::TestX::t[1]"]
    assert Reader(path).find_tests("TestX") == ["b.py::TestX::t[1]"]
    assert Reader(path).find_tests("%") == []


def test_an_unknown_run_has_no_rows(path: Path) -> None:
    reader = Reader(path)
    for rows in (reader.sources, reader.results, reader.attempts, reader.suites, reader.warnings, reader.crashes):
        assert rows("no run") == []


def test_a_reader_cannot_write(path: Path) -> None:
    connection = connect_read_only(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM runs")
    connection.close()


@pytest.mark.hazard(24)
@pytest.mark.hazard(23)
def test_reading_leaves_no_transaction_behind(path: Path) -> None:
    reader = Reader(path)
    with recording(path) as recorder:
        reader.results(NAMES[0])
        recorder.send("more.main", 1, [begin("more", at=9e6)])
        busy, _pages, _moved = recorder.writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0
        assert reader.run("last").id == "more"
