"""The log is the truth: replaying it gives every projection row for row."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantest_recorder.core.batch import Batch, Committed, RawEvent
from semantest_recorder.core.handlers import HANDLERS
from semantest_recorder.core.run_state import RunState
from semantest_recorder.store.cleanup import Cleanup
from semantest_recorder.store.comparison import TABLES, differences
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import CannotReplayError, rebuild
from tests.recorder.core.histories import RUN as RANDOM_RUN
from tests.recorder.core.histories import History, batches_of, histories, rows_of

from .ingesting import MAIN, RUN, begin, event, passed, recording, whole_run
from .memory_folder import memory_folder


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(0, 2**32))
def test_replay_gives_the_rows_that_ingest_made(history: History, seed: int) -> None:
    with memory_folder() as folder:
        path = folder / "semantest.db"
        batches = [Batch(source, first, events, 5.0) for source, first, events in batches_of(history, seed)]
        with recording(path) as recorder:
            for start in range(0, len(batches), 3):
                for verdict in recorder.send_all(batches[start : start + 3]):
                    assert isinstance(verdict, Committed)
        done = rebuild(path, folder / "again.db")
        assert done.events == sum(len(events) for events in history.values())
        assert differences(path, folder / "again.db") == []
        expected, reader = rows_of(history), Reader(path)
        assert reader.run(RANDOM_RUN) == expected.run
        assert {row.source: row for row in reader.sources(RANDOM_RUN)} == expected.sources
        assert {row.test_id: row for row in reader.results(RANDOM_RUN)} == expected.results
        attempts = {(row.test_id, row.source, row.attempt): row for row in reader.attempts(RANDOM_RUN)}
        assert attempts == expected.attempts
        assert {row.suite_id: row for row in reader.suites(RANDOM_RUN)} == expected.suites
        assert {(row.source, row.seq): row for row in reader.warnings(RANDOM_RUN)} == expected.warnings
        assert {(row.reporter, row.seq): row for row in reader.crashes(RANDOM_RUN)} == expected.crashes


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(0, 2**32))
def test_a_restarted_recorder_goes_on_as_if_it_had_not(history: History, seed: int) -> None:
    with memory_folder() as folder:
        path, other = folder / "restarted.db", folder / "whole.db"
        batches = batches_of(history, seed)
        for start in range(0, len(batches), 4):
            with recording(path) as recorder:
                for batch in batches[start : start + 4]:
                    recorder.send(*batch)
        with recording(other) as recorder:
            for source in sorted(history):
                recorder.send(source, 1, history[source])
        assert differences(path, other, without=["batches"]) == []


def test_what_could_not_be_applied_is_not_applied_in_replay_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*arguments: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    path, again = tmp_path / "semantest.db", tmp_path / "again.db"
    with monkeypatch.context() as faulty:
        faulty.setitem(HANDLERS, "test/end", break_down)
        with recording(path) as recorder:
            recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
        rebuild(path, again)
        assert differences(path, again) == []
    mended = tmp_path / "mended.db"
    rebuild(path, mended)
    assert [row.state for row in Reader(mended).results(RUN)] == ["passed"]
    assert differences(path, mended) != []


def test_a_damaged_projection_is_found_and_rebuilt(tmp_path: Path) -> None:
    path, again = tmp_path / "semantest.db", tmp_path / "again.db"
    with recording(path) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE results SET state = 'failed'")
        connection.commit()
    rebuild(path, again)
    assert differences(path, again) == [f"results (run '{RUN}', test 'a.py::t'): state 'failed' -> 'passed'"]
    assert [row.state for row in Reader(again).results(RUN)] == ["passed"]
    with pytest.raises(FileExistsError):
        rebuild(path, again)


def test_events_that_no_batch_names_are_not_left_behind_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO events SELECT source_key, 99, type, time_ms, payload FROM events WHERE seq = 2")
        connection.commit()
    with pytest.raises(CannotReplayError, match=f"{MAIN} has events that no batch names"):
        rebuild(path, tmp_path / "again.db")


def test_a_log_with_a_hole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), event("custom/a")])
        recorder.send(MAIN, 3, [event("custom/b")])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM events WHERE seq = 2")
        connection.commit()
    with pytest.raises(CannotReplayError, match="cannot be replayed"):
        rebuild(path, tmp_path / "again.db")


def test_the_comparison_forgets_no_table(tmp_path: Path) -> None:
    with recording(tmp_path / "semantest.db"):
        pass
    with closing(sqlite3.connect(tmp_path / "semantest.db")) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert tables - {"unswept"} == TABLES, "unswept: what it names is neither copied nor compared"
        for table in TABLES:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            unnamed = [name for name in columns if not name.endswith("_key") and not mentions(table, name)]
            assert not unnamed, f"columns of {table} that are not compared"


def mentions(table: str, column: str) -> bool:
    """Whether the query that compares a table names a column of it."""
    return re.search(rf"\b{column}\b", statements("comparison.sql")[table].partition("FROM")[0]) is not None


@pytest.mark.hazard(25)
def test_what_the_database_refuses_it_refuses_in_replay_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(tables: RunState, source: Any, seq: int, event: RawEvent) -> None:
        source.row.pid = 2**70
        tables.dirty_sources[source.row.source] = source.row

    monkeypatch.setitem(HANDLERS, "custom/overflow", overflow)
    path, again = tmp_path / "semantest.db", tmp_path / "again.db"
    with recording(path) as recorder:
        bad = [begin(), *passed("a.py::t"), event("custom/overflow", 7.0), *passed("a.py::u")]
        good = Batch("good.main", 1, whole_run("good", passed("b.py::t")), 1.0)
        for verdict in recorder.send_all([good, Batch(MAIN, 1, bad, 1.0)]):
            assert isinstance(verdict, Committed)
    rebuild(path, again)
    assert differences(path, again) == []
    assert rows_in(again, "SELECT seq, kind FROM quarantine") == [(4, "failed")]


def test_what_others_put_into_quarantine_is_kept(tmp_path: Path) -> None:
    path, again = tmp_path / "semantest.db", tmp_path / "again.db"
    with recording(path) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO quarantine VALUES (1, 2, 'plugin', 'it did not like it')")
        connection.commit()
    rebuild(path, again)
    assert differences(path, again) == []


def test_keys_of_runs_and_sources_stay(tmp_path: Path) -> None:
    path, again = tmp_path / "semantest.db", tmp_path / "again.db"
    with recording(path) as recorder:
        for number in range(3):
            run = f"run{number}"
            recorder.send(f"{run}.main", 1, whole_run(run, passed("a.py::t")))
    delete_run(path, "run1")
    rebuild(path, again)
    for table, columns in (("runs", "run_key, id"), ("sources", "source_key, source"), ("batches", "*")):
        found = [rows_in(database, f"SELECT {columns} FROM {table} ORDER BY 1") for database in (path, again)]
        assert found[0] == found[1]
        assert len(found[0]) == 2


def delete_run(path: Path, run_id: str) -> None:
    """As the store's cleanup does it."""
    connection, _notices = open_for_writing(path, lambda: 0.0)
    with closing(connection):
        ingest, cleanup = Ingest(connection), Cleanup([run_id], 1.0)
        while cleanup.step(ingest):
            pass


def rows_in(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()
