"""The timeline of a run that goes on."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.run_timeline import run_timeline
from tests.recorder.store.ingesting import begin, event, passed, recording


def recorded(path: Path) -> Path:
    """Two tests are over, and one runs since 500 ms; nothing was heard since."""
    with recording(path) as recorder:
        waits = event("test/start", 1500.0, testId="a.py::test_waits", attempt=1)
        tests = [*passed("a.py::test_one", 1100.0, 90.0), *passed("a.py::test_two", 1300.0, 90.0), waits]
        recorder.send("run-1.main", 1, [begin("run-1", at=1000.0), *tests])
    return path


def test_what_runs_lasts_until_now(tmp_path: Path) -> None:
    found = run_timeline(recorded(tmp_path / "semantest.db"), "run-1", now_ms=61_500.0)
    assert found is not None
    assert found.last_ms == 61_501.0
    (bar,) = (bar for bar in found.bars if bar.outcome is None)
    assert (bar.test_id, bar.started_ms, bar.duration_ms) == ("a.py::test_waits", 1500.0, 60_000.0)
    (total,) = found.totals.values()
    assert (total.attempts, total.busy_ms, total.last_ms) == (3, 60_180.0, 61_500.0)


def test_a_part_behind_its_beginning_has_it_too(tmp_path: Path) -> None:
    found = run_timeline(recorded(tmp_path / "semantest.db"), "run-1", 30_000.0, 40_000.0, now_ms=61_500.0)
    assert found is not None
    assert [bar.test_id for bar in found.bars] == ["a.py::test_waits"]


def test_of_a_run_that_is_over_nothing_lasts(tmp_path: Path) -> None:
    with recording(tmp_path / "semantest.db") as recorder:
        tests = passed("a.py::test_one", 1100.0, 90.0)
        recorder.send("run-1.main", 1, [begin("run-1", at=1000.0), *tests, event("run/end", 2000.0, exitCode=0)])
    found = run_timeline(tmp_path / "semantest.db", "run-1", now_ms=61_500.0)
    assert found is not None
    assert found.last_ms == 2001.0
