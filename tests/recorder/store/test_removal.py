"""The database is removed or replaced while the recorder has it open: nothing is acknowledged into the void."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.core.batch import NEXT_SEQ, Batch, Committed, Refused
from semantest_recorder.store.reader import Reader

from .ingesting import MAIN, RUN, begin, event, passed, recording, whole_run

OTHER = "20261121-103000-d4e5f6"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


def remove(path: Path) -> None:
    for part in path.parent.glob("semantest.db*"):
        part.unlink()


def runs(path: Path) -> list[tuple[str, str]]:
    return sorted((row.id, row.state) for row in Reader(path).runs())


def check(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def test_what_is_refused_since_the_file_is_gone_is_stored_nowhere(path: Path) -> None:
    """What the recorder itself numbers has no seq by which a second time would be recognised."""

    def said(source: str) -> Batch:
        return Batch(source, NEXT_SEQ, [event("custom/x", runId=RUN)], 1.0, begin(session="live/r"))

    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *passed("a.py::t")])
        remove(path)
        path.mkdir()
        assert isinstance(recorder.send_all([said("live/r.main")])[0], Refused)
        path.rmdir()
        assert isinstance(recorder.send_all([said("live/r.main")])[0], Committed)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM events WHERE type = 'custom/x'").fetchone() == (1,)


def test_what_comes_after_a_removal_is_in_a_new_database(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
        remove(path)
        verdict = recorder.send(f"{OTHER}.main", 1, whole_run(OTHER, passed("a.py::u")))
        assert isinstance(verdict, Committed)
        assert len(verdict.fresh) == 4, "live readers see it"
        assert runs(path) == [(OTHER, "passed")], "a run that was over is gone with its file"
        [notice] = recorder.writer.notices
        assert str(path) in notice
    assert [row.test_id for row in Reader(path).results(OTHER)] == ["a.py::u"]
    assert check(path) == "ok"


def test_a_run_that_goes_on_takes_with_it_what_was_acknowledged_before(path: Path) -> None:
    worker = [begin(worker="gw0"), *passed("a.py::from_worker"), event("worker/end", 9.0, worker="gw0", exitCode=0)]
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *passed("a.py::t")])
        recorder.send(f"{RUN}.gw0", 1, worker)
        remove(path)
        verdict = recorder.send(MAIN, 4, [*passed("a.py::u"), event("run/end", 99.0, runId=RUN, exitCode=0)])
        assert isinstance(verdict, Committed), "nobody has to send again what was acknowledged"
        assert verdict.seq == 6
        assert runs(path) == [(RUN, "passed")]
    found = sorted(row.test_id for row in Reader(path).results(RUN))
    assert found == ["a.py::from_worker", "a.py::t", "a.py::u"]


def test_another_run_that_is_not_over_comes_along(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *passed("a.py::t")])
        remove(path)
        recorder.send(f"{OTHER}.main", 1, whole_run(OTHER, passed("a.py::u")))
        assert [run for run, _state in runs(path)] == [RUN, OTHER]
        assert isinstance(recorder.send(MAIN, 4, passed("a.py::v")), Committed)
    assert sorted(row.test_id for row in Reader(path).results(RUN)) == ["a.py::t", "a.py::v"]


def test_a_database_that_was_moved_away_is_whole_and_gets_nothing_more(path: Path) -> None:
    away = path.with_name("kept.db")
    with recording(path) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
        path.rename(away)  # without -wal and -shm, which stay behind
        for number in range(3):
            run = f"{OTHER}{number}"
            assert isinstance(recorder.send(f"{run}.main", 1, whole_run(run, passed("a.py::u"))), Committed)
        assert [run for run, _state in runs(path)] == [f"{OTHER}{number}" for number in range(3)]
    assert (RUN, "passed") in runs(away)
    assert check(away) == check(path) == "ok"


def test_a_database_that_was_put_in_its_place_is_gone_on_with(path: Path, tmp_path: Path) -> None:
    spare = tmp_path / "spare" / "semantest.db"
    spare.parent.mkdir()
    with recording(spare) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
    with recording(path) as recorder:
        recorder.send("x.main", 1, whole_run("x", passed("a.py::x")))
        spare.replace(path)
        assert isinstance(recorder.send(f"{OTHER}.main", 1, whole_run(OTHER, passed("a.py::u"))), Committed)
    assert runs(path) == [(RUN, "passed"), (OTHER, "passed")]
    assert check(path) == "ok"


def test_while_no_database_can_be_made_nothing_is_acknowledged(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *passed("a.py::t")])
        remove(path)
        path.mkdir()
        for _ in range(2):
            refused = recorder.send(MAIN, 4, passed("a.py::u"))
            assert isinstance(refused, Refused)
            assert refused.code == "STORE_ERROR"
            assert str(path) in refused.message
        path.rmdir()
        assert isinstance(recorder.send(MAIN, 4, passed("a.py::u")), Committed)
    assert sorted(row.test_id for row in Reader(path).results(RUN)) == ["a.py::t", "a.py::u"]


def test_it_may_be_removed_again_and_again(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin()])
        for number in range(5):
            remove(path)
            assert isinstance(recorder.send(MAIN, 2 + 2 * number, passed(f"a.py::t{number}")), Committed)
    assert len(Reader(path).results(RUN)) == 5
