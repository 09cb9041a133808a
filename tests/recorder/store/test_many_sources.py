"""A run of very many sources is settled once per transaction, and told of as ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantest_recorder.core.batch import Batch, Committed
from semantest_recorder.store import ingest
from semantest_recorder.store.comparison import differences

from .ingesting import RUN, begin, event, passed, recording


@pytest.mark.parametrize("many", [1, 10**9])
def test_each_batch_is_told_what_became_of_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(ingest, "MANY_SOURCES", many)
    batches = [
        Batch(f"{RUN}.gw{number}", 1, [begin(worker=f"gw{number}"), *passed(f"a.py::t{number}")], 1.0)
        for number in range(5)
    ]
    end = Batch(f"{RUN}.main", 1, [begin(), event("run/end", 9.0, runId=RUN, exitCode=0)], 1.0)
    ends = [Batch(one.source, 4, [event("worker/end", 9.0, exitCode=0)], 1.0) for one in batches]
    with recording(tmp_path / "semantest.db") as recorder:
        verdicts = recorder.send_all([*batches, *ends, end])
    told = [verdict for verdict in verdicts if isinstance(verdict, Committed)]
    assert len(told) == 11
    assert told[-1].run_state == "passed"
    assert {verdict.run_state for verdict in told} <= {"running", "passed"}
    derived = [one.type for verdict in told for one in verdict.derived]
    assert derived == ["test/suite/start", "test/suite/end"]


def test_when_it_is_settled_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / "one.db", tmp_path / "other.db"]
    for path, many in zip(files, (1, 10**9), strict=True):
        monkeypatch.setattr(ingest, "MANY_SOURCES", many)
        with recording(path) as recorder:
            first = [begin(), *passed("a.py::t"), event("test/start", 3.0, testId="a.py::u", attempt=1)]
            crash = event("worker/crash", 4.0, worker="gw0", testId="a.py::v")
            recorder.send_all([Batch(f"{RUN}.main", 1, first, 1.0), Batch(f"{RUN}.main", 5, [crash], 1.0)])
    assert differences(files[0], files[1]) == []
