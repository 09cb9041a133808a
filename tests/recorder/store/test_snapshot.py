"""What a pytest that selects is told of its tests."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import FINAL_STATES
from pytest_semantest.protocol.snapshot import LETTERS
from semantest_recorder.core.batch import Batch, RawEvent
from semantest_recorder.core.snapshot_runs import AS_LARGE, MOST, NEWEST, RunsThatCount
from semantest_recorder.store.aliases import say_alias
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.snapshot import read_basis, read_snapshot, write_snapshot

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


def say(path: Path, old: str, new: str, at: float = 1.0, state: str = "added") -> None:
    """What a user says of a test's name."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        say_alias(Ingest(connection), old, new, state, at)


def test_a_renamed_test_goes_on_and_its_old_name_keeps_what_it_tells(tmp_path: Path) -> None:
    """Another branch may still have the old name. ``a.py::next`` has not run yet."""
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        send(recorder, "r1", [*attempt("a.py::old[1]", 1, "failed", duration=9.0), *passed("b.py::was")], at=1000.0)
        send(recorder, "r2", fixtures("a.py::old[1]", 1.0, 10.0, "1-1"), at=2000.0)
        send(recorder, "r3", [*passed("a.py::new[1]", duration=30.0), *passed("a.py::other")], at=3000.0)
    say(path, "a.py::old", "a.py::new")
    say(path, "b.py", "c.py")
    assert read_snapshot(path)["tests"] == {
        "a.py::new[1]": (20.0, 1.0, "ppf", "1-1"),
        "a.py::old[1]": (10.0, 1.0, "pf", "1-1"),
        "a.py::other": (1.0, None, "p", None),
        "b.py::was": (1.0, None, "p", None),
        "c.py::was": (1.0, None, "p", None),
    }


def test_of_two_names_in_one_run_the_present_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        tests = [*attempt("a.py::old", 1, "failed"), *attempt("a.py::older", 1, "failed")]
        send(recorder, "r1", tests, at=1000.0)
        send(recorder, "r2", [*tests, *passed("a.py::new")], at=2000.0)
    say(path, "a.py::older", "a.py::old")
    say(path, "a.py::old", "a.py::new", 2.0)
    assert read_snapshot(path)["tests"]["a.py::new"][2] == "pf"


def test_a_snapshot_is_told_to_be_old_when_one_name_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path):
        pass
    say(path, "a.py", "b.py")
    before = read_basis(path)
    say(path, "a.py", "b.py", 2.0, "removed")
    say(path, "a.py", "c.py", 3.0)
    assert read_basis(path) != before


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
