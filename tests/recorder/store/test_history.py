"""What the next session is told of its tests."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.store.history import read_history, write_history

from .ingesting import attempt, begin, event, passed, recording, whole_run


def retried(test_id: str, duration: float) -> list[RawEvent]:
    return [*attempt(test_id, 1, "failed"), *attempt(test_id, 2, "passed", duration=duration)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        for number in range(60):
            shaky = retried("a.py::shaky", 5.0) if number in (3, 58) else passed("a.py::shaky", duration=number)
            tests = [*shaky, *passed("a.py::t", duration=float(number)), *attempt("a.py::bad", 1, "failed")]
            if number == 0:
                tests += retried("a.py::long_ago", 1.0)
            recorder.send(f"r{number}.main", 1, whole_run(f"r{number}", tests, at=1e6 * number))
        recorder.send("open.main", 1, [begin("open", at=1e9), *retried("a.py::t", 1.0)])
    return path


def test_the_last_fifty_closed_runs_count(path: Path) -> None:
    history = read_history(path)
    assert history["version"] == 1
    assert history["flaky"] == {"a.py::shaky": {"flaky": 1, "runs": 50, "p95": 56.0}}
    assert history["durations"] == {"a.py::t": 57.0, "a.py::shaky": 56.0}


def test_the_file_is_replaced_as_a_whole(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "folder" / "history.json"
    target.parent.mkdir()
    target.write_text("old")
    write_history(path, target)
    assert json.loads(target.read_text()) == read_history(path)
    assert list(target.parent.iterdir()) == [target]


def test_no_runs_no_history(tmp_path: Path) -> None:
    with recording(tmp_path / "semantest.db"):
        pass
    assert read_history(tmp_path / "semantest.db") == {"version": 1, "flaky": {}, "durations": {}, "quarantined": {}}


def test_tests_in_quarantine_are_counted_where_they_were_in_it(tmp_path: Path) -> None:
    path, facts = tmp_path / "semantest.db", {"entry": "a.py", "reason": "r", "owner": "ann", "expires": "2026-12-20"}
    with recording(path) as recorder:
        for number in range(23):
            start, end = passed("a.py::t") if number != 1 else attempt("a.py::t", 1, "failed")
            content = msgspec.json.decode(start.payload) | ({"quarantine": facts} if number else {})
            tests = [event("test/start", 2.0, **content), end]
            recorder.send(f"r{number}.main", 1, whole_run(f"r{number}", tests, at=1e6 * number))
            if number == 2:
                assert read_history(path)["quarantined"] == {"a.py::t": {"runs": 2, "passed": 1}}
    assert read_history(path)["quarantined"] == {"a.py::t": {"runs": 20, "passed": 20}}


def test_a_test_that_failed_where_the_same_commit_passed_is_flaky_and_one_that_fails_since_a_commit_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        for number, (commit, turns, breaks) in enumerate(
            [("one", "passed", "passed"), ("two", "failed", "failed"), ("two", "passed", "failed")]
        ):
            tests = [*attempt("a.py::turns", 1, turns), *attempt("a.py::breaks", 1, breaks)]
            git = event("run/context", 1e6 * number, runId=f"r{number}", git={"commit": commit, "dirty": False})
            run = f"r{number}"
            recorder.send(f"{run}.main", 1, [*whole_run(run, tests, at=1e6 * number), git])
    assert read_history(path)["flaky"] == {"a.py::turns": {"flaky": 1, "runs": 3, "p95": 1.0}}
