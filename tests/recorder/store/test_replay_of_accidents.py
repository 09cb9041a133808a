"""Replay gives the rows that ingest made, whatever happened to the recorder and on the way to it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantest_recorder.core.batch import Batch, Committed, EventMark
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.replay import rebuild
from semantest_recorder.store.writer import Writer
from tests.recorder.core.histories import History, batches_of, histories

from . import ingesting
from .accidents import OTHER, Accidents
from .ingesting import Recorder
from .memory_folder import memory_folder


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(0, 2**32))
def test_replay_gives_the_rows_after_any_accidents(history: History, seed: int) -> None:
    with memory_folder() as folder:
        life = Accidents(folder, seed)
        sent: list[Batch] = []
        other = [life.batch(f"{OTHER}.main", 1, ingesting.whole_run(OTHER, ingesting.passed("a.py::t0")))]
        waiting = [*other, *(life.batch(*batch) for batch in batches_of(history, seed))]
        while waiting:
            size = life.chance.randint(1, 4)
            group, waiting = waiting[:size], waiting[size:]
            for verdict in life.send(group):
                assert isinstance(verdict, Committed), verdict
            sent += group
            life.befall(sent)
        life.recorder.writer.close()
        again = folder / "again.db"
        done = rebuild(life.path, again)
        assert done.events == sum(map(len, history.values())) + 4 + life.said + bool(life.said)
        assert differences(life.path, again) == []
        twice = folder / "twice.db"
        rebuild(again, twice)
        assert differences(again, twice) == []


def test_what_is_compared_is_what_was_sent(tmp_path: Path) -> None:
    """A comparison that finds nothing in anything would let all of this pass."""
    life = Accidents(tmp_path, 1)
    source, events = f"{OTHER}.main", ingesting.whole_run(OTHER, ingesting.passed("a.py::t0"))
    life.send([Batch(source, 1, events, 1.0, marks=(EventMark(1, "suspicious", "script"),))])
    life.recorder.writer.close()
    for name, batch in {
        "time": Batch(source, 1, events, 2.0, marks=(EventMark(1, "suspicious", "script"),)),
        "mark": Batch(source, 1, events, 1.0),
        "event": Batch(source, 1, [*events[:1], *ingesting.passed("a.py::t9"), *events[3:]], 1.0),
    }.items():
        recorder = Recorder(Writer(tmp_path / f"{name}.db"))
        recorder.send_all([msgspec.structs.replace(batch)])
        recorder.writer.close()
        assert differences(life.path, tmp_path / f"{name}.db") != [], name
