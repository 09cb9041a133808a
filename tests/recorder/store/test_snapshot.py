"""What a pytest that selects is told of its tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import FINAL_STATES
from pytest_semantest.protocol.snapshot import LETTERS
from semantest_recorder.core.batch import Batch, RawEvent
from semantest_recorder.core.snapshot_runs import AS_LARGE, MOST, NEWEST, RunsThatCount
from semantest_recorder.store.snapshot import read_snapshot, write_snapshot

from .ingesting import Recorder, attempt, begin, event, passed, recording, whole_run


def test_every_state_is_a_verdict_or_says_nothing() -> None:
    assert set(FINAL_STATES) - set(LETTERS) == {"interrupted", "not_run", "lost"}


def fixtures(test_id: str, setup: float, duration: float, code: str) -> list[RawEvent]:
    phases = {"setup": setup, "call": duration - setup}
    return [
        event("test/start", 2.0, testId=test_id, attempt=1, file="a.py", line=1, fingerprint=code),
        event("test/end", 3.0, testId=test_id, attempt=1, outcome="passed", duration=duration, phases=phases),
    ]


def send(recorder: Recorder, run: str, tests: list[RawEvent], at: float) -> None:
    """A whole run that came when it was over."""
    recorder.send_all([Batch(f"{run}.main", 1, whole_run(run, tests, at=at), at + 200)])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two complete runs, then 30 of one file; one goes on."""
    path = tmp_path_factory.mktemp("store") / "semantest.db"
    with recording(path) as recorder:
        for number in range(2):
            code = f"{number}-1"
            tests = [*fixtures("b.py::t", 4.0, 10.0 + number, code), *attempt("b.py::bad", 1, "failed", duration=7.0)]
            send(recorder, f"full{number}", tests, at=1000.0 * number)
        for number in range(30):
            bad = number % 10 == 0
            tests = attempt("a.py::t", 1, "failed", duration=99.0) if bad else passed("a.py::t", duration=float(number))
            send(recorder, f"r{number}", tests, at=1e6 + 1000.0 * number)
        recorder.send("open.main", 1, [begin("open", at=1e9), *passed("a.py::t")])
    return path


def test_tests_of_older_and_larger_runs_are_still_known(path: Path) -> None:
    found = read_snapshot(path)
    assert found["version"] == 1
    assert found["runs"] == 22
    assert found["untilMs"] == 1e6 + 29_000
    assert found["tests"] == {
        "a.py::t": (27.0, None, "pppppppppfpppppppppf", None),
        "b.py::t": (10.5, None, "pp", "1-1"),
        "b.py::bad": (7.0, None, "ff", None),
    }


def test_what_fixtures_took(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        for number in range(3):
            tests = fixtures("b.py::t", 4.0 + number, 10.0, f"{number}-1")
            send(recorder, f"r{number}", tests, at=1000.0 * number)
    assert read_snapshot(path)["tests"] == {"b.py::t": (10.0, 5.0, "ppp", "2-1")}


def test_the_file_holds_it(path: Path, tmp_path: Path) -> None:
    write_snapshot(path, tmp_path / "test-snapshot.json")
    found = json.loads((tmp_path / "test-snapshot.json").read_text())
    assert found["tests"]["b.py::t"] == [10.5, None, "pp", "1-1"]


def test_no_runs_no_tests(tmp_path: Path) -> None:
    with recording(tmp_path / "semantest.db"):
        pass
    assert read_snapshot(tmp_path / "semantest.db") == {"version": 1, "runs": 0, "untilMs": 0.0, "tests": {}}


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=120))
def test_which_runs_count(history: list[tuple[int, bool]]) -> None:
    """Those that were stopped early tell half of what they planned."""
    runs, taken = RunsThatCount(), list[int]()
    for number, (planned, stopped) in enumerate(history):
        counts = runs.counts(planned)
        newer = sum(size >= planned for size in taken)
        assert counts == (len(taken) < MOST and (number < NEWEST or newer < AS_LARGE))
        if counts:
            taken.append(planned // 2 if stopped else planned)
            runs.take(taken[-1])
