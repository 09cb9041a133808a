"""Runs that are not over, however many: what a recorder that starts again is told of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from semantest_recorder.archive import Archive
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.batch import Batch, RawEvent
from semantest_recorder.core.run_config import RunConfig
from tests.recorder.store.ingesting import recording

_MANY = 30
_NOW = 1_763_683_200_000.0


def event(kind: str, **payload: Any) -> RawEvent:
    return RawEvent(kind, _NOW, msgspec.Raw(msgspec.json.encode(payload)))


@pytest.mark.hazard(28)
def test_all_are_read_over_one_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, runs = tmp_path / "r.db", ActiveRuns(lambda _run_id: False)
    batches = [runs.start(RunConfig(f"r{n}"), _NOW, client="c", holder="ci") for n in range(_MANY)]
    failed = event("test/end", testId="a.py::t", status="failed", duration=1)
    batches.append(runs.write(failed, {"testId": "a.py::t", "status": "failed"}, "r7", "c", _NOW).batch)
    opening = event(
        "run/start", runId="p", session="p", source="p.main", worker="main", origin="client", clientName="x"
    )
    others = [
        Batch("p.gw0", 1, [event("worker/start", runId="p", session="p", source="p.gw0", worker="gw0")], _NOW),
        Batch("q.shipper", 1, [event("shipper/start", runId="p", session="q", worker="shipper")], _NOW),
    ]
    with recording(path) as recorder:
        recorder.send_all([*batches, Batch("p.main", 1, [opening], _NOW), *others])
    opened, connect = list[object](), sqlite3.connect

    def counted(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(arguments)
        connection: sqlite3.Connection = connect(*arguments, **options)
        return connection

    monkeypatch.setattr(sqlite3, "connect", counted)
    archive, again = Archive(path), ActiveRuns(lambda _run_id: False)
    archive.load_open_runs(again, _NOW)
    assert len(opened) == 1
    found = archive.find_now("activeRuns")
    assert len(opened) == 2
    assert len(found) == _MANY + 1
    assert {run["runId"]: run["failedTests"] for run in found if run["failedTests"]} == {"r7": 1}
    loaded = {run.run_id: run for run in again}
    assert len(loaded) == _MANY + 1
    assert (loaded["r7"].holder, loaded["r7"].is_clients, loaded["r7"].processes) == ("ci", True, set())
    assert loaded["r7"].attempts != loaded["r8"].attempts
    assert (loaded["p"].holder, loaded["p"].is_clients) == ("", False), "a shipper said it"
    assert loaded["p"].processes == {("p", "main"), ("p", "gw0"), ("q", "main")}


@pytest.mark.hazard(6)
def test_a_session_whose_main_process_ended_has_none_that_lives(tmp_path: Path) -> None:
    def begin(session: str, worker: str) -> Batch:
        opening = event(f"{worker}/start", runId="p", session=session, source=f"{session}.{worker}", worker=worker)
        return Batch(f"{session}.{worker}", 1, [opening], _NOW)

    path, runs = tmp_path / "r.db", ActiveRuns(lambda _run_id: False)
    with recording(path) as recorder:
        recorder.send_all([begin(session, worker) for session in "ab" for worker in ("main", "gw0", "shipper")])
        recorder.send("a.main", 2, [event("run/end", runId="p", exitCode=0)])
    Archive(path).load_open_runs(runs, _NOW)
    (run,) = runs
    assert run.processes == {("b", "main"), ("b", "gw0")}
