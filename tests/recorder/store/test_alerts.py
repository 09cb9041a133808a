"""Alerts and their outbox in a real database, and the facts that rules are judged by."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from semantest_recorder.core.alerts.alert import Sighting
from semantest_recorder.core.alerts.delivery import Answer, after_try
from semantest_recorder.core.alerts.message import Message
from semantest_recorder.core.alerts.settings import AlertSettings, Rule
from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.core.alerts.telling import Looked
from semantest_recorder.store import alerts as stored
from semantest_recorder.store.alert_facts import AlertFacts
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.ingest import Ingest, Removed
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.replay import rebuild
from tests.recorder.cli.recording import START, Recording
from tests.recorder.cli.suite_runs import APART_MS, FAILED, FLAKY, PASSED, record_run, run_id

T = TypeVar("T")
NOW = START + 5 * APART_MS
DAY = 86_400_000.0
RED = Rule(name="red", kind="run-failed", channels=("team", "log"), repeat_ms=DAY)
SETTINGS = AlertSettings(rules=(RED,))
FIRES = Looked(RED, [Sighting(subject="main", firing=True, summary="2 failed", branch="main", run_id="r1")])
IS_OVER = Looked(RED, [Sighting(subject="main", firing=False, summary="passed", branch="main", run_id="r2")])


class Database:
    """Carries out what the writer does between batches."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection, _ = open_for_writing(path, lambda: NOW)
        self._ingest = Ingest(self.connection)

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        results: list[T] = []

        def piece(connection: sqlite3.Connection) -> Removed:
            results.append(work(connection))
            return Removed()

        self._ingest.between(piece)
        return results[0]

    def tell(self, *looked: Looked, at: float = NOW) -> int:
        return self.do(lambda connection: stored.tell(connection, looked, "", at))

    def queued(self) -> list[tuple[str, str, str]]:
        found = stored.deliveries_in(self.connection, "queued")
        return [(one.channel, one.rule, msgspec.json.decode(one.body, type=Message).state) for one in found]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path / "semantest.db")
    yield found
    found.connection.close()


def test_a_change_is_in_the_outbox_of_each_channel_once(database: Database) -> None:
    assert database.tell(FIRES) == 2
    assert database.tell(FIRES, at=NOW + 1) == 0
    assert database.queued() == [("team", "red", "firing"), ("log", "red", "firing")]
    assert database.tell(Looked(RED, []), at=NOW + DAY) == 0, "nobody saw it again"
    assert database.tell(FIRES, at=NOW + DAY + 0.5) == 2, "it still holds"
    assert database.tell(IS_OVER, at=NOW + DAY + 1) == 2
    ids = [one.id for one in stored.deliveries_in(database.connection, "queued")]
    assert len(set(ids)) == 6
    bodies = [
        msgspec.json.decode(one.body, type=Message) for one in stored.deliveries_in(database.connection, "queued")
    ]
    assert [body.id for body in bodies] == ids, "the body names its delivery"


def test_a_decision_and_its_deliveries_are_there_together_or_not_at_all(database: Database) -> None:
    def tell_and_break(connection: sqlite3.Connection) -> None:
        stored.tell(connection, [FIRES], "", NOW)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        database.do(tell_and_break)
    assert stored.alerts_in(database.connection) == []
    assert database.queued() == []
    assert database.tell(FIRES) == 2


def test_a_silence_holds_back_and_its_end_lets_go(database: Database) -> None:
    silence = Silence(id="s1", rule="*", subject="ma*", until_ms=NOW + 10, reason="known", who="ann", made_ms=NOW)
    database.do(lambda connection: stored.add_silence(connection, silence))
    assert database.tell(FIRES) == 0
    assert database.tell(Looked(RED, []), at=NOW + 10) == 2
    assert database.do(lambda connection: stored.end_silence(connection, "s1"))
    assert not database.do(lambda connection: stored.end_silence(connection, "s1"))


def test_dead_letters_are_sent_again_under_their_ids_or_dropped(database: Database) -> None:
    database.tell(FIRES)
    queued = stored.deliveries_in(database.connection, "queued")
    gone = Answer(is_delivered=False, text="410 Gone", is_final=True)
    dead = [after_try(one, gone, NOW, 0.5) for one in queued]
    database.do(lambda connection: stored.note_tried(connection, dead))
    found = stored.deliveries_in(database.connection, "dead")
    assert {(one.id, one.answer, one.tries) for one in found} == {(one.id, "410 Gone", 1) for one in queued}
    assert database.do(lambda connection: stored.retry_dead(connection, [queued[0].id], NOW + 1)) == 1
    (again,) = stored.deliveries_in(database.connection, "queued")
    assert (again.id, again.tries, again.body) == (queued[0].id, 0, queued[0].body)
    assert database.do(lambda connection: stored.drop_dead(connection, ["msg_unknown"])) == 0
    assert database.do(lambda connection: stored.drop_dead(connection, None)) == 1


def test_all_of_it_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_QUEUED", 3)
    monkeypatch.setattr(stored, "MOST_DEAD", 2)
    for number in range(4):
        database.tell(FIRES, at=NOW + 2 * number * DAY)
        database.tell(IS_OVER, at=NOW + (2 * number + 1) * DAY)
    assert len(database.queued()) == 6, "three of each channel"
    dead = stored.deliveries_in(database.connection, "dead")
    assert {one.answer for one in dead} == {"3 messages waited for this channel already"}
    database.do(lambda connection: stored.forget(connection, SETTINGS, NOW + 8 * DAY))
    assert len(stored.deliveries_in(database.connection, "dead")) == 2
    monkeypatch.setattr(stored, "MOST_ALERTS", 1)
    late = Sighting(subject="dev", firing=True, summary="1 failed", branch="dev")
    database.tell(Looked(RED, [late]), at=NOW + 9 * DAY)
    database.do(lambda connection: stored.forget(connection, SETTINGS, NOW + 9 * DAY))
    assert [alert.subject for alert in stored.alerts_in(database.connection)] == ["dev"]
    database.do(lambda connection: stored.forget(connection, SETTINGS, NOW + 60 * DAY))
    assert stored.alerts_in(database.connection) == []
    assert stored.deliveries_in(database.connection, "dead") == []
    assert len(database.queued()) == 6, "what waits is not forgotten"


def test_a_rebuild_keeps_it_all(database: Database) -> None:
    silence = Silence(id="s1", rule="*", subject="x", until_ms=NOW + 10, reason="known", who="ann", made_ms=NOW)
    database.do(lambda connection: stored.begin(connection, SETTINGS, NOW))
    database.do(lambda connection: stored.add_silence(connection, silence))
    database.tell(FIRES)
    again = database.path.with_name("again.db")
    rebuild(database.path, again)
    assert differences(database.path, again) == []
    with closing(sqlite3.connect(again)) as connection:
        assert len(stored.alerts_in(connection)) == 1
        assert len(stored.deliveries_in(connection, "queued")) == 2
        assert stored.silences_in(connection, NOW) == [silence]


def test_a_rule_that_is_gone_is_forgotten_at_the_next_start(database: Database) -> None:
    database.tell(FIRES)
    other = AlertSettings(rules=(Rule(name="other", kind="flaky", channels=("log",)),))
    database.do(lambda connection: stored.begin(connection, other, NOW))
    assert stored.alerts_in(database.connection) == []


# -- facts -----------------------------------------------------------------------------------------------------------


def work(folder: Path, call: Callable[[sqlite3.Connection], None]) -> None:
    database = Database(folder / "semantest.db")
    database.do(call)
    database.connection.close()


def test_runs_are_judged_once_and_again_when_they_changed(tmp_path: Path) -> None:
    record_run(tmp_path, 0, {"a.py::t": PASSED})
    work(tmp_path, lambda connection: stored.begin(connection, SETTINGS, START + APART_MS))
    record_run(tmp_path, 1, {"a.py::t": FAILED, "a.py::u": PASSED}, pull_request="7")
    record_run(tmp_path, 2, {"a.py::t": PASSED}, end=False)
    with closing(AlertFacts(tmp_path / "semantest.db")) as facts:
        ((run,), has_more) = facts.unjudged(NOW)
        assert not has_more
        assert (run.id, run.state, run.branch, run.pull_request) == (run_id(1), "failed", "main", "7")
        assert (run.tests, run.bad) == (2, 1)
        assert run.duration_ms == pytest.approx(70.0)
        work(tmp_path, lambda connection: stored.note_judged(connection, [run], NOW))
        assert facts.unjudged(NOW).runs == []
        other = msgspec.structs.replace(run, state="passed")
        work(tmp_path, lambda connection: stored.note_judged(connection, [other], NOW))
        assert facts.unjudged(NOW).runs == [run]
        assert facts.unjudged(NOW + 2 * DAY).runs == [], "nobody's news any more"


def test_a_run_whose_branch_is_not_known_yet_is_waited_for(tmp_path: Path) -> None:
    work(tmp_path, lambda connection: stored.begin(connection, SETTINGS, START - 1))
    late = Recording(start_ms=START)
    late.start()
    late.end(1)
    late.store(tmp_path)
    with closing(AlertFacts(tmp_path / "semantest.db")) as facts:
        assert facts.unjudged(late.now + 100) == ([], True)
        assert [run.branch for run in facts.unjudged(late.now + 6000).runs] == [None]


def test_what_runs_now_is_timed_by_the_clocks_of_those_who_saw_it(tmp_path: Path) -> None:
    """The machine of the tests is a day behind: that is no reason to say that its tests hang."""
    began = START - DAY
    recording = Recording(start_ms=began)
    recording.start()
    recording.plan("a.py::t", "a.py::u")
    recording.test("a.py::t")
    recording.begin("a.py::u")
    recording.store(tmp_path, received_ms=START)
    with closing(AlertFacts(tmp_path / "semantest.db")) as facts:
        (running,) = facts.running([recording.run_id], START + 90_000.0)
        assert (running.test_id, running.worker) == ("a.py::u", "main")
        assert running.elapsed_ms == pytest.approx(90_000.0)
        (open_run,) = facts.open_runs([recording.run_id], START + 90_000.0)
        assert open_run.state == "running"
        assert open_run.duration_ms == pytest.approx(90_000.0)
        assert facts.running([], START) == []


def test_durations_are_those_of_runs_of_about_as_many_tests(tmp_path: Path) -> None:
    suite = {f"a.py::t{number}": PASSED for number in range(10)}
    record_run(tmp_path, 1, suite)
    record_run(tmp_path, 2, {"a.py::t1": PASSED})
    record_run(tmp_path, 3, suite, branch="other")
    record_run(tmp_path, 4, suite)
    with closing(AlertFacts(tmp_path / "semantest.db")) as facts:
        assert len(facts.earlier_durations(run_id(4))) == 1


def test_flaky_tests_are_those_of_the_branches_of_the_rule(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {"a.py::t": FLAKY})
    record_run(tmp_path, 2, {"a.py::u": FLAKY}, branch="dev")
    with closing(AlertFacts(tmp_path / "semantest.db")) as facts:
        flaky = Rule(name="f", kind="flaky", channels=("log",))
        assert set(facts.flaky(flaky)) == {"a.py::t", "a.py::u"}
        assert set(facts.flaky(msgspec.structs.replace(flaky, branches=("dev",)))) == {"a.py::u"}
        assert facts.states(run_id(1), ["a.py::t", "a.py::u"]) == {"a.py::t": "flaky"}


def test_a_fork_whose_branch_is_called_as_ours_is_none_of_our_branches(tmp_path: Path) -> None:
    for number in range(3):
        record_run(tmp_path, number, {"a.py::ours": FLAKY})
    for number in range(3, 8):
        record_run(tmp_path, number, {"a.py::theirs": FLAKY}, pull_request="7")
    record_run(tmp_path, 8, {"a.py::ours": PASSED}, branch="dev")
    with closing(AlertFacts(tmp_path / "semantest.db")) as facts:
        found = facts.flaky(Rule(name="f", kind="flaky", channels=("log",), branches=("main",), runs=3))
        assert [(test, flaky.runs) for test, flaky in found.items()] == [("a.py::ours", 3)], "its last 3 runs"
