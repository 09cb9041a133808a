"""The writer's verdicts: acknowledged means committed, delivered twice is stored once, a refusal stores nothing."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from semantest_recorder.cli.health.unread_events import unread_events
from semantest_recorder.core.batch import Batch, Committed, RawEvent, Refused
from semantest_recorder.core.handlers import HANDLERS
from semantest_recorder.core.run_state import RunState
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.writer import Writer

from .ingesting import MAIN, RUN, begin, event, passed, recording, whole_run

NO_OBJECT = RawEvent("run/start", 1.0, msgspec.Raw(b"[1]"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_a_commit_tells_run_worker_and_what_was_new(path: Path) -> None:
    events = [begin(), *passed("a.py::t")]
    with recording(path) as recorder:
        verdict = recorder.send(MAIN, 1, events)
    assert isinstance(verdict, Committed)
    assert (verdict.seq, verdict.run_id, verdict.worker) == (3, RUN, "main")
    assert verdict.fresh == events
    assert [derived.type for derived in verdict.derived] == ["test/suite/start"]


def test_the_log_keeps_the_payload_as_it_came(path: Path) -> None:
    odd = RawEvent("custom/x", 3.5, msgspec.Raw('{"b" : 1.50, "a":"\\u00e9é", "u": "\\u0000"}'.encode()))
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), odd])
    assert rows(path, "SELECT type, time_ms, payload FROM events WHERE seq = 2") == [
        ("custom/x", 3.5, '{"b" : 1.50, "a":"\\u00e9é", "u": "\\u0000"}')
    ]


@pytest.mark.hazard(19)
def test_delivered_twice_is_stored_once(path: Path) -> None:
    events = [begin(), *passed("a.py::t"), *passed("a.py::u")]
    with recording(path) as recorder:
        recorder.send(MAIN, 1, events[:3])
        overlapping = recorder.send(MAIN, 2, events[1:])
        again = recorder.send_all([Batch(MAIN, 1, events, 1.0)] * 3)
    assert isinstance(overlapping, Committed)
    assert overlapping.fresh == events[3:]
    assert [(verdict.seq, verdict.fresh) for verdict in again if isinstance(verdict, Committed)] == [(5, [])] * 3
    assert rows(path, "SELECT count(*), max(seq) FROM events") == [(5, 5)]
    assert [row.attempts for row in Reader(path).results(RUN)] == [1, 1]


@pytest.mark.hazard(19)
def test_the_same_batch_twice_in_one_transaction(path: Path) -> None:
    events = [begin(), *passed("a.py::t")]
    with recording(path) as recorder:
        verdicts = recorder.send_all(
            [Batch(MAIN, 1, events, 1.0), Batch(MAIN, 1, events, 1.0), Batch(MAIN, 4, [], 1.0)]
        )
    assert [verdict.seq for verdict in verdicts if isinstance(verdict, Committed)] == [3, 3, 3]


@pytest.mark.hazard(19)
@pytest.mark.parametrize(
    ("source", "first", "events", "code", "expected"),
    [
        pytest.param("new.main", 2, [event("test/start", testId="t")], "SEQ_GAP", 1, id="unknown, not its first"),
        pytest.param(MAIN, 5, [event("x")], "SEQ_GAP", 4, id="hole"),
        pytest.param(MAIN, 2, [event("x")], "SEQ_CONFLICT", None, id="other type"),
        pytest.param(MAIN, 2, [event("test/start", testId="a.py::other")], "SEQ_CONFLICT", None, id="other payload"),
        pytest.param(MAIN, 0, [event("x")], "SEQ_CONFLICT", None, id="seq 0"),
        pytest.param("new.main", 1, [event("test/start", testId="t")], "SOURCE_UNKNOWN", None, id="names no run"),
        pytest.param("new.main", 1, [begin("", "new")], "SOURCE_UNKNOWN", None, id="empty run"),
        pytest.param("new.main", 1, [begin("r" * 201, "new")], "SOURCE_UNKNOWN", None, id="long run"),
        pytest.param("new.main", 1, [begin("other")], "SOURCE_UNKNOWN", None, id="names another source"),
        pytest.param("new.main", 1, [event("journal/gap", reason="x")], "SOURCE_UNKNOWN", None, id="gap, no run"),
        pytest.param("new.main", 1, [NO_OBJECT], "SOURCE_UNKNOWN", None, id="no object"),
    ],
)
def test_a_refused_batch_stores_nothing_and_harms_no_other(
    path: Path, source: str, first: int, events: list[RawEvent], code: str, expected: int | None
) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *passed("a.py::t")])
        before = rows(path, "SELECT * FROM events")
        verdicts = recorder.send_all([Batch(source, first, events, 1.0), Batch("good.main", 1, [begin("good")], 1.0)])
        refused = verdicts[0]
        assert isinstance(refused, Refused)
        assert (refused.code, refused.expected, refused.source) == (code, expected, source)
        assert "\n" not in refused.message
        assert isinstance(verdicts[1], Committed)
        assert len(rows(path, "SELECT * FROM events")) == len(before) + 1
        assert isinstance(recorder.send(MAIN, 4, passed("a.py::u")), Committed)


def test_a_source_that_a_crash_named_belongs_to_that_run(path: Path) -> None:
    crash = event("worker/crash", runId=RUN, worker="gw0", reason="killed", testId="a.py::t")
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), crash])
        other = recorder.send(f"{RUN}.gw0", 1, [begin("another run", RUN, "gw0")])
        own = recorder.send(f"{RUN}.gw0", 1, [begin(RUN, RUN, "gw0"), *passed("a.py::t")])
    assert isinstance(other, Refused)
    assert other.code == "SOURCE_UNKNOWN"
    assert isinstance(own, Committed)
    assert [(row.attempt, row.outcome, row.guessed) for row in Reader(path).attempts(RUN)] == [(1, "passed", False)]


def test_a_gap_that_names_its_run_opens_a_source(path: Path) -> None:
    gap = event("journal/gap", 0.0, reason="unreadable", runId=RUN, session=RUN, worker="main")
    with recording(path) as recorder:
        verdict = recorder.send(MAIN, 1, [gap, *passed("a.py::t"), event("run/end", 9.0, runId=RUN, exitCode=0)])
    assert isinstance(verdict, Committed)
    assert rows(path, "SELECT source, worker, gaps, started_ms FROM sources") == [(MAIN, "main", 1, None)]
    assert rows(path, "SELECT id, gaps FROM runs") == [(RUN, 1)]


def test_an_attempt_that_was_only_guessed_leaves_the_table(path: Path) -> None:
    crash = event("worker/crash", runId=RUN, worker="gw0", testId="a.py::t")
    worker = f"{RUN}.gw0"
    with recording(path) as recorder:
        recorder.send(worker, 1, [begin(RUN, RUN, "gw0")])
        recorder.send(MAIN, 1, [begin(), crash])
        assert [(row.attempt, row.guessed) for row in Reader(path).attempts(RUN)] == [(1, True)]
        recorder.send(worker, 2, [event("test/start", 5.0, testId="a.py::t", attempt=2)])
    assert [(row.attempt, row.guessed) for row in Reader(path).attempts(RUN)] == [(2, False)]


def test_many_sources_and_runs_in_one_transaction(path: Path) -> None:
    names = [f"run{number}" for number in range(40)]
    batches = [Batch(f"{name}.main", 1, whole_run(name, passed("a.py::t")), 1.0) for name in names]
    with recording(path) as recorder:
        verdicts = recorder.send_all(batches)
    assert all(isinstance(verdict, Committed) for verdict in verdicts)
    assert {run.id: run.state for run in Reader(path).runs(100)} == dict.fromkeys(names, "passed")
    assert rows(path, "PRAGMA foreign_key_check") == []
    assert rows(path, "SELECT count(*) FROM tests") == [(1,)]


@pytest.mark.hazard(25)
def test_an_event_whose_application_raises_is_put_aside_and_the_stream_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*arguments: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setitem(HANDLERS, "custom/fault", break_down)
    with recording(path) as recorder:
        verdict = recorder.send(MAIN, 1, [begin(), event("custom/fault"), *passed("a.py::t")])
    assert isinstance(verdict, Committed)
    assert verdict.seq == 4
    assert [row.state for row in Reader(path).results(RUN)] == ["passed"]
    assert Reader(path).run(RUN).gaps == 1
    assert rows(path, "SELECT seq, kind, reason FROM quarantine") == [
        (2, "failed", "ZeroDivisionError: a fault of ours")
    ]
    assert rows(path, "SELECT count(*) FROM events") == [(4,)]


@pytest.mark.hazard(25)
def test_an_event_that_the_database_refuses_takes_no_other_with_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(tables: RunState, source: Any, seq: int, event: RawEvent) -> None:
        source.row.pid = 2**70
        tables.dirty_sources[source.row.source] = source.row

    monkeypatch.setitem(HANDLERS, "custom/overflow", overflow)
    bad = [begin(), *passed("a.py::t"), event("custom/overflow", 7.0), *passed("a.py::u")]
    with recording(path) as recorder:
        verdicts = recorder.send_all(
            [
                Batch("good.main", 1, [begin("good")], 1.0),
                Batch(MAIN, 1, bad, 1.0),
                Batch("good.main", 2, passed("b.py::t"), 1.0),
            ]
        )
        after = recorder.send(MAIN, 7, [event("run/end", 9.0, runId=RUN, exitCode=0)])
    assert [(verdict.seq, len(verdict.fresh)) for verdict in verdicts if isinstance(verdict, Committed)] == [
        (1, 1),
        (6, 6),
        (3, 2),
    ]
    assert isinstance(after, Committed)
    reader = Reader(path)
    assert Counter(row.state for row in reader.results(RUN)) == {"passed": 2}
    assert (reader.run(RUN).state, reader.run(RUN).gaps) == ("failed", 1), "nobody knows what the event said"
    assert rows(path, "SELECT seq, kind FROM quarantine") == [(4, "failed")]


def test_a_run_of_which_an_event_was_refused_at_its_end_is_not_green(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(tables: RunState, source: Any, seq: int, event: RawEvent) -> None:
        source.row.pid = 2**70
        tables.dirty_sources[source.row.source] = source.row

    monkeypatch.setitem(HANDLERS, "custom/overflow", overflow)
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *passed("a.py::t"), event("run/end", 9.0, runId=RUN, exitCode=0)])
        assert Reader(path).run(RUN).state == "passed"
        recorder.send(MAIN, 5, [event("custom/overflow", 10.0)])
    assert (Reader(path).run(RUN).state, Reader(path).run(RUN).gaps) == ("failed", 1)


@pytest.mark.hazard(25)
def test_a_run_of_which_the_result_of_a_test_cannot_be_read_is_not_green(path: Path) -> None:
    failed = RawEvent("test/end", 4.0, msgspec.Raw(b'{"testId":"a.py::t","outcome":"marvellous"}'))
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), failed, event("run/end", 9.0, runId=RUN, exitCode=0)])
    run = Reader(path).run(RUN)
    assert (run.state, run.gaps) == ("failed", 1)
    (told,) = unread_events(path)
    assert (told.status, told.data) == ("warn", {"events": 1, "runs": [RUN]})
    assert f"1 event of 1 run could not be read in full, the last one {MAIN}:2 (test/end): outcome: " in told.detail


def test_a_failure_beside_a_number_that_nobody_can_read_is_a_failure(path: Path) -> None:
    payload = b'{"testId":"a.py::t","outcome":"failed","duration":%b,"error":{"message":"m"}}' % (b"9" * 5000)
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), RawEvent("test/end", 4.0, msgspec.Raw(payload))])
    assert [row.state for row in Reader(path).results(RUN)] == ["failed"]
    assert Reader(path).run(RUN).gaps == 0


@pytest.mark.hazard(25)
def test_a_database_whose_tables_do_not_fit_takes_nothing_and_says_so(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin()])
    alter(path, "ALTER TABLE attempts RENAME COLUMN subtests_passed TO subtests")
    with recording(path) as recorder:
        verdict = recorder.send(MAIN, 2, [*passed("a.py::t"), event("test/phase")])
    assert isinstance(verdict, Refused)
    assert verdict.code == "STORE_ERROR"
    assert "tables are not those of this version" in verdict.message
    assert rows(path, "SELECT count(*) FROM events") == [(1,)]


@pytest.mark.hazard(25)
def test_a_database_that_refuses_event_after_event_is_not_asked_for_each(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin()])
    alter(path, "CREATE TRIGGER no AFTER INSERT ON results BEGIN SELECT RAISE(ABORT, 'not today'); END")
    starts = [event("test/start", testId=f"a.py::t{n}", attempt=1) for n in range(200)]
    with recording(path) as recorder:
        refused = recorder.send(MAIN, 2, starts)
        alter(path, "DROP TRIGGER no")
        after = recorder.send(MAIN, 202, passed("a.py::t"))
    assert [(verdict.seq, len(verdict.fresh)) for verdict in (refused, after) if isinstance(verdict, Committed)] == [
        (201, 200),
        (203, 2),
    ]
    assert rows(path, "SELECT count(*), min(reason) FROM quarantine") == [(200, "IntegrityError: not today")]
    assert {row.test_id: row.state for row in Reader(path).results(RUN)} == {"a.py::t": "passed"}
    assert sum("the database refused event" in message for message in caplog.messages) == 20


def alter(path: Path, statement: str) -> None:
    """Changes the tables behind the recorder's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_payload_of_a_wrong_shape_is_kept_and_counted(path: Path) -> None:
    wrong = [
        event("test/start", testId=["no", "text"]),
        event("test/start", 3.0, testId="a.py::t", attempt="x", line={"no": 1}, file="a.py"),
        RawEvent("test/end", 4.0, msgspec.Raw(b'{"testId":"a.py::\\udc80","outcome":"passed","line":1e400}')),
        event("test/end", 5.0, testId="a.py::t", outcome="passed", duration=-1),
        event("test/end", 5.0, testId="a.py::t", outcome="marvellous"),
        RawEvent("test/end", 5.0, msgspec.Raw(b'"text"')),
    ]
    with recording(path) as recorder:
        assert isinstance(recorder.send(MAIN, 1, [begin(), *wrong]), Committed)
    assert {row.test_id: row.state for row in Reader(path).results(RUN)} == {
        "a.py::t": "passed",
        "a.py::\\udc80": "passed",
    }
    assert rows(path, "SELECT seq FROM quarantine WHERE kind = 'malformed' ORDER BY seq") == [
        (2,),
        (3,),
        (4,),
        (5,),
        (6,),
        (7,),
    ]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("kind", ["worker/crash", "test/phase"])
def test_a_report_on_a_source_of_another_run_is_disregarded(
    path: Path, caplog: pytest.LogCaptureFixture, kind: str, together: bool
) -> None:
    report = event(kind, 2.0, worker="gw0", testId="a.py::t", attempt=1, phase="call", reason="gone")
    batches = [
        Batch("s.gw0", 1, [begin("a", "s", "gw0"), event("test/start", testId="a.py::t", attempt=1)], 1.0),
        Batch("s.shipper", 1, [begin("b", "s", "shipper"), report], 1.0),
        Batch(MAIN, 1, whole_run(RUN, passed("a.py::t")), 1.0),
    ]
    with recording(path) as recorder:
        for sent in [batches] if together else [[batch] for batch in batches]:
            assert {type(verdict) for verdict in recorder.send_all(sent)} == {Committed}
    assert rows(path, "SELECT kind, reason FROM quarantine") == [
        ("malformed", "worker: s.gw0 belongs to another run"),
    ]
    assert rows(path, "SELECT source, gaps, state FROM sources ORDER BY source") == [
        (MAIN, 0, "ended"),
        ("s.gw0", 0, "open"),
        ("s.shipper", 0, "open"),
    ]
    assert [row.state for row in Reader(path).results("a")] == ["running"]
    assert Reader(path).results("b") == []
    assert caplog.messages == []


def test_a_run_closes_once_and_is_told(path: Path) -> None:
    closed: list[str] = []
    writer = Writer(path, run_closed=closed.append)
    writer.submit(Batch("a.main", 1, whole_run("a", passed("a.py::t")), 1.0), lambda verdict: None)
    writer.submit(Batch("b.main", 1, [begin("b")], 1.0), lambda verdict: None)
    writer.close()
    assert closed == ["a"]


def test_close_answers_everything_and_ends_submission(path: Path) -> None:
    verdicts: list[object] = []
    writer = Writer(path)
    for number in range(200):
        writer.submit(Batch(f"r{number}.main", 1, [begin(f"r{number}")], 1.0), verdicts.append)
    writer.close()
    assert len(verdicts) == 200
    assert writer.pending_events == 0
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(Batch("x.main", 1, [begin("x")], 1.0), verdicts.append)


def test_a_receiver_that_raises_does_not_stop_the_writer(path: Path) -> None:
    def fail(verdict: object) -> None:
        raise OSError("the connection is gone")

    with recording(path) as recorder:
        recorder.writer.submit(Batch("a.main", 1, [begin("a")], 1.0), fail)
        assert isinstance(recorder.send("b.main", 1, [begin("b")]), Committed)


def test_the_database_is_opened_as_the_design_says(path: Path) -> None:
    with recording(path) as recorder:
        connection = recorder.writer._connection
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    strict = rows(path, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict")
    assert [name for (name,) in strict if not name.startswith("sqlite_")] == []


def test_a_test_whose_name_holds_a_nul_is_the_same_in_the_next_run(path: Path) -> None:
    """For SQLite's JSON a text ends there: it seemed to be new, and was refused with all of its run."""
    test = "a.py::t[\0]"
    with recording(path) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed(test)))
    with recording(path) as recorder:
        verdict = recorder.send("later.main", 1, whole_run("later", passed(test)))
    assert isinstance(verdict, Committed), verdict
    assert rows(path, "SELECT count(*) FROM tests") == [(1,)]
    assert [result.test_id for result in Reader(path).results("later")] == [test]
