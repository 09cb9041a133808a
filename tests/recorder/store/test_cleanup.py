"""Runs that are deleted: nothing of them is left, nothing else is touched, whatever happens meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from queue import Queue

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantest_recorder.core.batch import NEXT_SEQ, Batch, Committed, RawEvent
from semantest_recorder.core.retention import SILENT_MS
from semantest_recorder.store import cleanup
from semantest_recorder.store.cleanup import Cleanup
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.ingest import Ingest, Removed
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import rebuild

from .ingesting import DEADLINE, Recorder, attempt, begin, event, passed, recording, whole_run
from .memory_folder import memory_folder

OLD, NEW = "20261001-080000-aaaaaa", "20261121-080000-bbbbbb"
LONG_AGO = 10 * SILENT_MS
TABLES = ("events", "batches", "quarantine", "marks", "crashes", "results", "attempts", "suites", "warnings")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_ROWS", 3)
    monkeypatch.setattr(cleanup, "_RUNS", 1)
    monkeypatch.setattr(cleanup, "_PAGES", 2)


def delete(recorder: Recorder, *runs: str, now: float = LONG_AGO) -> cleanup.Cleaned:
    done: Queue[Exception | None] = Queue()
    work = Cleanup(runs, now)
    recorder.writer.between(work.step, done.put)
    assert done.get(timeout=DEADLINE) is None
    return work.cleaned


def rich_run(run: str, *tests: str) -> list[tuple[str, list[RawEvent]]]:
    """A run with a row in every table, in its sources."""
    main = [
        begin(run),
        event("run/plan", tests=list(tests), offset=0, total=len(tests)),
        *[one for test in tests for one in attempt(test, 1, "failed")],
        event("test/log", testId=tests[0], attempt=1, message="said"),
        event("test/warning", category="W", message="careful", testId=tests[0]),
        event("test/end", testId=7),
        event("worker/crash", runId=run, worker="gw0", reason="killed", testId=tests[0], attempt=1),
        event("run/end", 100.0, runId=run, exitCode=1),
    ]
    worker = [begin(run, worker="gw0"), *passed(tests[-1])]
    return [(f"{run}.main", [*main]), (f"{run}.gw0", [*worker])]


def send_run(recorder: Recorder, run: str, *tests: str) -> None:
    for source, events in rich_run(run, *tests):
        assert isinstance(recorder.send(source, 1, events), Committed)


def mark(path: Path, run: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        key = connection.execute("SELECT source_key FROM sources WHERE source = ?", (f"{run}.main",)).fetchone()[0]
        connection.execute("INSERT INTO marks VALUES (?, 3, 'suspicious', 'script', NULL)", (key,))
        connection.commit()


def counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


@pytest.mark.usefixtures("small_pieces")
def test_nothing_of_a_deleted_run_is_left(path: Path, tmp_path: Path) -> None:
    with recording(path) as recorder:
        send_run(recorder, OLD, "a.py::shared", "a.py::gone")
        mark(path, OLD)
        before = counts(path)
        assert all(before[table] for table in (*TABLES, "test_events")), before
        send_run(recorder, NEW, "a.py::shared", "a.py::new")
        mark(path, NEW)
        assert delete(recorder, OLD) == cleanup.Cleaned([OLD], [])
    alone = tmp_path / "alone.db"
    with recording(alone) as recorder:
        send_run(recorder, NEW, "a.py::shared", "a.py::new")
        mark(alone, NEW)
    assert differences(path, alone, without=["deleted_sources"]) == []
    assert counts(path) == counts(alone) | {"deleted_sources": 2}
    assert Reader(path).find_tests("gone") == []


def test_a_test_that_was_deleted_comes_again(path: Path) -> None:
    with recording(path) as recorder:
        send_run(recorder, OLD, "a.py::t")
        delete(recorder, OLD)
        send_run(recorder, NEW, "a.py::t")
    assert [row.test_id for row in Reader(path).results(NEW)] == ["a.py::t"]
    assert counts(path)["tests"] == 1


def test_what_is_sent_again_of_a_deleted_run_is_acknowledged_and_dropped(path: Path) -> None:
    source, events = f"{OLD}.main", whole_run(OLD, passed("a.py::t"))
    with recording(path) as recorder:
        recorder.send(source, 1, events)
        delete(recorder, OLD)
        assert recorder.send(source, 1, events) == Committed(source, 4)
        assert recorder.send(source, 3, events[2:]) == Committed(source, 4)
        assert recorder.send(source, 5, [event("custom/late")]) == Committed(source, 5)
    with recording(path) as recorder:
        assert recorder.send(source, 1, events[:1]) == Committed(source, 5), "also after a restart"
        assert recorder.send(source, 5, []) == Committed(source, 5)
    assert Reader(path).runs() == []
    assert counts(path)["events"] == 0


def test_what_was_never_stored_is_taken_also_for_a_deleted_run(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(f"{OLD}.main", 1, whole_run(OLD, passed("a.py::t")))
        delete(recorder, OLD)
        other = "20261121-090000-cccccc"
        again = [begin(OLD, session=other), *passed("a.py::u"), event("run/end", 9.0, runId=OLD, exitCode=0)]
        assert isinstance(recorder.send(f"{other}.main", 1, again), Committed)
    assert [row.test_id for row in Reader(path).results(OLD)] == ["a.py::u"]


def test_a_client_may_begin_a_run_again_that_was_deleted(path: Path) -> None:
    source = "live/checkout.main"
    opening = event("run/start", runId="checkout", session="live/checkout", source=source, worker="main")
    end = event("run/end", 3.0, runId="checkout", exitCode=0)
    with recording(path) as recorder:
        for test in ("first", "second"):
            batch = Batch(source, NEXT_SEQ, [event("test/start", 2.0, testId=test), end], 1.0, opening)
            [verdict] = recorder.send_all([batch])
            assert isinstance(verdict, Committed)
            assert verdict.seq == 3
            if test == "first":
                delete(recorder, "checkout")
    assert [row.test_id for row in Reader(path).results("checkout")] == ["second"]


def test_a_run_that_goes_on_is_kept(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(f"{OLD}.main", 1, [begin(OLD), *passed("a.py::t")])
        assert delete(recorder, OLD, now=SILENT_MS) == cleanup.Cleaned([], [OLD])
        [*_, verdict] = recorder.send_all([Batch(f"{OLD}.main", 4, passed("a.py::u"), 1.0)])
        assert isinstance(verdict, Committed)
        assert delete(recorder, OLD) == cleanup.Cleaned([OLD], []), "nothing was heard of it for a week"
        assert delete(recorder, OLD, "no such run") == cleanup.Cleaned([], [])


@pytest.mark.usefixtures("small_pieces")
def test_recording_goes_on_between_the_pieces(path: Path) -> None:
    """A run that has the same tests grows while the old one is deleted: no test that it needs goes."""
    tests = [f"a.py::t{number}" for number in range(40)]
    done: Queue[Exception | None] = Queue()
    with recording(path) as recorder:
        recorder.send(f"{OLD}.main", 1, whole_run(OLD, [one for test in tests for one in passed(test)]))
        work = Cleanup([OLD], LONG_AGO)
        pieces = 0

        def step(ingest: Ingest) -> bool:
            nonlocal pieces
            pieces += 1
            return work.step(ingest)

        recorder.writer.between(step, done.put)
        recorder.send(f"{NEW}.main", 1, [begin(NEW)])
        for number, test in enumerate(tests):
            assert isinstance(recorder.send(f"{NEW}.main", 2 + 2 * number, passed(test)), Committed)
        assert done.get(timeout=DEADLINE) is None
        end = event("run/end", 500.0, runId=NEW, exitCode=0)
        assert isinstance(recorder.send(f"{NEW}.main", 2 + 2 * len(tests), [end]), Committed)
    assert pieces > 20
    assert {row.test_id for row in Reader(path).results(NEW)} == set(tests)
    assert Reader(path).run(NEW).state == "passed"
    rebuild(path, path.with_name("again.db"))
    assert differences(path, path.with_name("again.db")) == []


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 60))
def test_cut_short_at_any_piece_it_is_finished_later(pieces: int) -> None:
    """The files as they are after so many pieces are what a killed recorder leaves behind."""
    with memory_folder() as folder, pytest.MonkeyPatch.context() as small:
        path, left = folder / "semantest.db", folder / "left.db"
        small.setattr(cleanup, "_ROWS", 3)
        with recording(path) as recorder:
            send_run(recorder, NEW, "a.py::shared", "a.py::new")
            send_run(recorder, OLD, "a.py::shared", "a.py::gone")
            work = Cleanup([OLD], LONG_AGO)
            ended: Queue[Exception | None] = Queue()
            remaining = iter(range(pieces))

            def step(ingest: Ingest) -> bool:
                return next(remaining, None) is not None and work.step(ingest)

            recorder.writer.between(step, ended.put)
            assert ended.get(timeout=DEADLINE) is None
            for suffix in ("", "-wal"):
                shutil.copy(f"{path}{suffix}", f"{left}{suffix}")
        with recording(left) as recorder:
            more = ["20261121-090000-cccccc", "20261121-100000-dddddd"]
            for run in more:  # their keys must not be those of rows that are left
                send_run(recorder, run, "a.py::shared", "a.py::more")
            gone = delete(recorder, *([] if work.cleaned.deleted else [OLD]))
            assert gone.deleted == ([] if work.cleaned.deleted else [OLD])
        assert {row.id for row in Reader(left).runs()} == {NEW, *more}
        assert counts(left)["unswept"] == 0
        again = folder / "again.db"
        rebuild(left, again)
        assert differences(left, again) == []
        assert counts(left) == counts(again), "no row without an owner"


def test_a_file_that_was_made_now_becomes_shorter(path: Path) -> None:
    with recording(path) as recorder:
        tests = [one for number in range(2000) for one in passed(f"a.py::t{number}")]
        recorder.send(f"{OLD}.main", 1, whole_run(OLD, tests))
        recorder.send(f"{NEW}.main", 1, whole_run(NEW, passed("a.py::t")))
        with closing(sqlite3.connect(path)) as connection:
            before = connection.execute("PRAGMA page_count").fetchone()[0]
        delete(recorder, OLD)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA page_count").fetchone()[0] < before / 4
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_work_that_fails_ends_and_the_recorder_goes_on(path: Path) -> None:
    ended: Queue[Exception | None] = Queue()

    def fail(connection: sqlite3.Connection) -> Removed:
        connection.execute("DELETE FROM events")
        raise ZeroDivisionError

    def step(ingest: Ingest) -> bool:
        ingest.between(fail)
        return True

    with recording(path) as recorder:
        recorder.send(f"{NEW}.main", 1, whole_run(NEW, passed("a.py::t")))
        recorder.writer.between(step, ended.put)
        assert isinstance(ended.get(timeout=DEADLINE), ZeroDivisionError)
        assert isinstance(recorder.send(f"{OLD}.main", 1, whole_run(OLD, passed("a.py::t"))), Committed)
    assert counts(path)["events"] == 8


def test_a_writer_that_closes_ends_what_is_left(path: Path) -> None:
    ended: Queue[Exception | None] = Queue()
    with recording(path) as recorder:
        recorder.writer.between(lambda _ingest: True, ended.put)
    assert isinstance(ended.get(timeout=DEADLINE), RuntimeError)
    with pytest.raises(RuntimeError, match="closed"):
        recorder.writer.between(lambda _ingest: False, ended.put)
