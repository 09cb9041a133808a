"""Whose a source is survives all that a log survives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from semantest_recorder.core.batch import Batch, Committed, RawEvent, Refused, Verdict
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import rebuild

from .ingesting import MAIN, Recorder, begin, event, recording


def rebuilt(path: Path) -> None:
    again = path.with_name("again.db")
    rebuild(path, again)
    assert differences(path, again) == []
    again.replace(path)
    for rest in path.parent.glob(f"{path.name}-*"):
        rest.unlink()


def sent(recorder: Recorder, holder: str, first: int, *events: RawEvent) -> Verdict:
    return recorder.send_all([Batch(MAIN, first, list(events), 1.0, holder=holder)])[0]


@pytest.mark.parametrize("between", [lambda _path: None, rebuilt], ids=["restart", "rebuild"])
def test_after_a_restart_or_a_rebuild(tmp_path: Path, between: Callable[[Path], None]) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        assert isinstance(sent(recorder, "ci", 1, begin()), Committed)
    between(path)
    with recording(path) as recorder:
        refused = sent(recorder, "other", 2, event("run/end", exitCode=0))
        assert isinstance(refused, Refused)
        assert (refused.code, refused.expected) == ("SOURCE_IN_USE", None)
        assert isinstance(sent(recorder, "ci", 2, event("test/log", message="x")), Committed)


def test_after_the_database_was_removed_in_use(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        sent(recorder, "ci", 1, begin())
        path.unlink()
        sent(recorder, "ci", 2, event("test/log", message="x"))
        assert isinstance(sent(recorder, "other", 3, event("run/end", exitCode=0)), Refused)


def test_one_that_only_a_crash_report_named_is_whose_it_turns_out_to_be(tmp_path: Path) -> None:
    worker = f"{MAIN.removesuffix('.main')}.gw0"
    with recording(tmp_path / "semantest.db") as recorder:
        sent(recorder, "ci", 1, begin(), event("worker/crash", worker="gw0"))
        first = Batch(worker, 1, [begin(worker="gw0")], 1.0, holder="ci")
        assert isinstance(recorder.send_all([first])[0], Committed)
        more = Batch(worker, 2, [event("worker/end", exitCode=0)], 1.0, holder="other")
        assert isinstance(recorder.send_all([more])[0], Refused)


def test_a_new_process_of_a_session_is_whose_the_session_is(tmp_path: Path) -> None:
    session, path = MAIN.removesuffix(".main"), tmp_path / "semantest.db"
    with recording(path) as recorder:
        sent(recorder, "ci", 1, begin())
        stolen = Batch(f"{session}.gw7", 1, [begin(worker="gw7")], 1.0, holder="x")
        assert isinstance(recorder.send_all([stolen])[0], Refused)
        assert [source.source for source in Reader(path).sources(session)] == [MAIN]
        for worker in ("gw0", "shipper"):
            batches = [Batch(f"{session}.{worker}", 1, [begin(worker=worker)], 1.0, holder=who) for who in ("x", "ci")]
            refused, taken = recorder.send_all(batches)
            assert isinstance(refused, Refused)
            assert refused.code == "SOURCE_IN_USE"
            assert isinstance(taken, Committed)
        other = [begin(session="other")]  # another session joins the run
        assert isinstance(recorder.send_all([Batch("other.main", 1, other, 1.0, holder="x")])[0], Committed)
