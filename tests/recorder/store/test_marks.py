"""What a guard or a plugin did to an event is stored with it, and the event is recognised when it is sent again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from semantest_recorder.core.batch import NEXT_SEQ, Batch, Committed, EventMark, RawEvent, Refused, Verdict
from semantest_recorder.core.handlers import HANDLERS
from semantest_recorder.core.marking import TOMBSTONE, crc_of, noted, replaced
from semantest_recorder.core.run_state import RunState
from semantest_recorder.core.security import Mark

from .ingesting import MAIN, RUN, Recorder, begin, event, passed, recording

SECRET = event("test/log", testId="a.py::t", message="secret")
MASKED = event("test/log", testId="a.py::t", message="***")
NOISE = event("custom/noise", level=1)
SENT = [begin(), SECRET, NOISE, *passed("a.py::t")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def filtered(first: int = 1, events: list[RawEvent] = SENT) -> Batch:
    """The batch as a plugin leaves it that masks ``SECRET`` and drops ``NOISE``."""
    changes = {index: (MASKED, "by mask") for index, sent in enumerate(events) if sent is SECRET}
    drops = {index: "by quiet" for index, sent in enumerate(events) if sent is NOISE}
    return replaced(Batch(MAIN, first, list(events), 1.0), changes, drops)


def send(recorder: Recorder, batch: Batch) -> Verdict:
    return recorder.send_all([batch])[0]


@pytest.mark.hazard(25)
def test_a_dropped_event_leaves_a_tombstone_with_its_seq_and_a_changed_one_is_marked(path: Path) -> None:
    with recording(path) as recorder:
        verdict = send(recorder, filtered())
    assert isinstance(verdict, Committed)
    assert verdict.seq == len(SENT)
    stored = rows(path, "SELECT seq, type, payload FROM events WHERE seq IN (2, 3)")
    assert stored[0] == (2, "test/log", bytes(MASKED.payload).decode())
    assert stored[1][1] == TOMBSTONE
    assert msgspec.json.decode(stored[1][2]) == {"type": "custom/noise", "reason": "by quiet"}
    assert rows(path, "SELECT seq, kind, reason, sent_crc FROM marks ORDER BY seq") == [
        (2, "changed", "by mask", crc_of(SECRET)),
        (3, "dropped", "by quiet", crc_of(NOISE)),
    ]


@pytest.mark.parametrize("first_time", [True, False], ids=["filtered first", "plain first"])
@pytest.mark.parametrize("second_time", [True, False], ids=["filtered again", "plain again"])
def test_a_resent_batch_is_recognised_whatever_was_and_is_done_to_it(
    path: Path, first_time: bool, second_time: bool
) -> None:
    plain = Batch(MAIN, 1, list(SENT), 1.0)
    with recording(path) as recorder:
        send(recorder, filtered() if first_time else plain)
        before = rows(path, "SELECT * FROM marks"), rows(path, "SELECT * FROM events")
        again = send(recorder, filtered() if second_time else plain)
        assert isinstance(again, Committed), again
        assert (again.seq, again.fresh) == (len(SENT), [])
        assert (rows(path, "SELECT * FROM marks"), rows(path, "SELECT * FROM events")) == before
        overlapping = send(recorder, filtered(2, [*SENT[1:], NOISE]))
        assert isinstance(overlapping, Committed)
        assert [fresh.type for fresh in overlapping.fresh] == [TOMBSTONE]
    assert (6, "dropped") in rows(path, "SELECT seq, kind FROM marks")


@pytest.mark.hazard(19)
@pytest.mark.parametrize("seq", [2, 3])
def test_another_event_in_the_place_of_a_changed_or_dropped_one_is_a_conflict(path: Path, seq: int) -> None:
    with recording(path) as recorder:
        send(recorder, filtered())
        other = event("test/log", testId="a.py::t", message="another secret")
        refused = recorder.send(MAIN, seq, [other])
        masked = send(recorder, replaced(Batch(MAIN, seq, [other], 1.0), {0: (MASKED, "by mask")}, {}))
    if seq == 2:
        assert isinstance(masked, Committed), "what is stored is what would be stored: nothing is lost"
    else:
        assert isinstance(masked, Refused)
    assert isinstance(refused, Refused)
    assert (refused.code, f"seq {seq}" in refused.message) == ("SEQ_CONFLICT", True)


def test_marks_of_an_appended_batch_stand_behind_its_opening(path: Path) -> None:
    batch = Batch(MAIN, NEXT_SEQ, [NOISE, SECRET], 1.0, begin())
    with recording(path) as recorder:
        send(recorder, replaced(batch, {1: (MASKED, "m")}, {0: "d"}))
        send(recorder, replaced(batch, {1: (MASKED, "m")}, {0: "d"}))
    marked = [(2, "dropped"), (3, "changed"), (4, "dropped"), (5, "changed")]
    assert rows(path, "SELECT seq, kind FROM marks ORDER BY seq") == marked


def test_marks_survive_going_event_by_event(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(tables: RunState, source: Any, seq: int, sent: RawEvent) -> None:
        source.row.pid = 2**70
        tables.dirty_sources[source.row.source] = source.row

    monkeypatch.setitem(HANDLERS, "custom/overflow", overflow)
    monkeypatch.setitem(HANDLERS, MASKED.type, overflow)
    batch = Batch(MAIN, 1, [begin(), SECRET, event("custom/overflow"), NOISE], 1.0)
    with recording(path) as recorder:
        verdict = send(recorder, replaced(batch, {1: (MASKED, "m")}, {3: "d"}))
    assert isinstance(verdict, Committed)
    assert rows(path, "SELECT seq FROM quarantine ORDER BY seq") == [(2,), (3,)]
    assert rows(path, "SELECT seq, kind, sent_crc FROM marks ORDER BY seq") == [
        (2, "changed", crc_of(SECRET)),
        (4, "dropped", crc_of(NOISE)),
    ]


def test_a_guards_notes_become_marks_and_stay_beside_those_of_plugins(path: Path) -> None:
    batch = Batch(MAIN, 1, list(SENT), 1.0)
    guarded = noted(batch, [Mark(2, "dropped", "EVENT_TYPE_BLOCKED"), Mark(1, "suspicious", "SUSPICIOUS_CONTENT")])
    both = replaced(guarded, {1: (MASKED, "by mask")}, {})
    with recording(path) as recorder:
        send(recorder, both)
        again = recorder.send(MAIN, 1, SENT)
    assert isinstance(again, Committed)
    assert rows(path, "SELECT seq, kind, sent_crc FROM marks ORDER BY seq, kind") == [
        (2, "changed", crc_of(SECRET)),
        (2, "suspicious", None),
        (3, "dropped", crc_of(NOISE)),
    ]
    assert RUN in rows(path, "SELECT id FROM runs")[0]


def test_marks_come_along_when_the_database_is_removed_in_use(path: Path) -> None:
    with recording(path) as recorder:
        send(recorder, filtered())
        before = rows(path, "SELECT seq, kind, reason, sent_crc FROM marks ORDER BY seq")
        path.unlink()
        assert isinstance(recorder.send(MAIN, len(SENT) + 1, [event("custom/more")]), Committed)
        assert rows(path, "SELECT seq, kind, reason, sent_crc FROM marks ORDER BY seq") == before
        again = recorder.send(MAIN, 1, SENT)
    assert isinstance(again, Committed), again


def test_an_event_that_is_changed_and_then_dropped_has_one_crc_that_of_what_was_sent() -> None:
    batch = Batch(MAIN, 1, [SECRET], 1.0)
    twice = replaced(replaced(batch, {0: (MASKED, "m")}, {}), {}, {0: "d"})
    assert {mark.kind: mark.sent_crc for mark in twice.marks} == {"changed": crc_of(SECRET), "dropped": crc_of(SECRET)}
    assert EventMark(0, "dropped", "d", crc_of(SECRET)) in twice.marks
