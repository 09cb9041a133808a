"""SIGKILL in the middle of ingesting, again and again: nothing lost, nothing doubled (HAZARDS 18, 19)."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.recorder.cli_recorder.daemons import Daemon, wait_until

pytestmark = pytest.mark.hazard(18)

BATCH = 50
WINDOW = 8
NOW = 1_763_683_200_000.0


def journal(tests: int) -> list[dict[str, Any]]:
    """The records of one source: event ``n`` has seq ``n + 1``."""
    start = {"runId": "r", "session": "s", "source": "s.main", "worker": "main", "pid": 1, "host": "h"}
    records = [{"type": "run/start", "timestamp": NOW, "payload": start}]
    for number in range(tests):
        name = f"test_{number}"
        begun = {"testId": f"a.py::{name}", "testName": name, "attempt": 1, "file": "a.py", "line": number + 1}
        ended = {"testId": f"a.py::{name}", "attempt": 1, "status": "passed", "outcome": "passed", "duration": 1.0}
        records.append({"type": "test/start", "timestamp": NOW + number, "payload": begun})
        records.append({"type": "test/end", "timestamp": NOW + number + 0.5, "payload": ended})
    return records


class Resender:
    """Go-back-N from the last ack: what a shipper does, without its files."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records = records
        self.acked = 0
        self.ever_sent = 0

    def ship(self, connection: websocket.WebSocket) -> Iterator[int]:
        """Sends until all is acknowledged or the connection breaks; yields each ack."""
        sent = self.acked
        while self.acked < len(self.records):
            while sent < len(self.records) and sent - self.acked < WINDOW * BATCH:
                events = self.records[sent : sent + BATCH]
                message = {"type": "events", "source": "s.main", "firstSeq": sent + 1, "events": events}
                connection.send(json.dumps(message))
                sent += len(events)
                self.ever_sent = max(self.ever_sent, sent)
            yield self.take_ack(connection)
            sent = max(sent, self.acked)  # a batch that came twice is acknowledged with all that is committed

    def take_ack(self, connection: websocket.WebSocket) -> int:
        answer = json.loads(connection.recv())
        assert answer["type"] == "ack", answer
        assert self.acked <= answer["seq"] <= self.ever_sent
        self.acked = answer["seq"]
        return self.acked


def stored(database: Path) -> list[tuple[int, str, str]]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return list(connection.execute("SELECT seq, type, payload FROM events ORDER BY source_key, seq"))
    finally:
        connection.close()


def campaign(serve: Callable[..., Daemon], folder: Path, kills: int, seed: int) -> None:
    records = journal(kills * 200)
    resender, dice = Resender(records), random.Random(seed)
    for round_number in range(kills + 1):
        daemon = serve().ready()
        connection = daemon.connect()
        acks_to_see = dice.randrange(1, 6)
        try:
            for seen, _ack in enumerate(resender.ship(connection), 1):
                if round_number < kills and seen >= acks_to_see:
                    break
        finally:
            connection.close(timeout=0)
        daemon.end(signal.SIGKILL)
        present = stored(folder / "semantest.db")
        assert len(present) >= resender.acked, "acknowledged means committed"
        assert [seq for seq, _type, _payload in present] == list(range(1, len(present) + 1))
    assert resender.acked == len(records)
    final = stored(folder / "semantest.db")
    assert [(kind, json.loads(payload)) for _seq, kind, payload in final] == [
        (r["type"], r["payload"]) for r in records
    ]
    database = sqlite3.connect(folder / "semantest.db")
    counts = database.execute("SELECT count(*), count(DISTINCT test_key) FROM attempts").fetchone()
    database.close()
    assert counts == (kills * 200, kills * 200)


def test_killed_while_ingesting(serve: Callable[..., Daemon], project: Path) -> None:
    campaign(serve, project / ".semantest", kills=4, seed=20261121)


@pytest.mark.slow
def test_killed_forty_times_while_ingesting(serve: Callable[..., Daemon], project: Path) -> None:
    campaign(serve, project / ".semantest", kills=40, seed=7)


@pytest.mark.hazard(19)
def test_killed_between_commit_and_ack_the_batch_is_acknowledged_when_it_comes_again(
    serve: Callable[..., Daemon], project: Path
) -> None:
    records = journal(10)
    message = json.dumps({"type": "events", "source": "s.main", "firstSeq": 1, "events": records})
    daemon = serve().ready()
    connection = daemon.connect()
    connection.send(message)
    database = project / ".semantest" / "semantest.db"
    wait_until(lambda: len(stored(database)) == len(records), "the commit")  # and the client has seen no ack
    daemon.end(signal.SIGKILL)
    connection = serve().ready().connect()
    connection.send(message)
    assert json.loads(connection.recv())["seq"] == len(records)
    assert len(stored(database)) == len(records)


def test_sigterm_in_the_middle_commits_and_acknowledges_what_was_taken(
    serve: Callable[..., Daemon], project: Path
) -> None:
    resender = Resender(journal(3000))
    daemon = serve().ready()
    connection = daemon.connect()
    for _ack in resender.ship(connection):
        daemon.process.send_signal(signal.SIGTERM)
        break
    with suppress(websocket.WebSocketException, ConnectionError):
        while connection.connected:
            opcode, data = connection.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                assert int.from_bytes(data[:2], "big") == 1001
                break
            resender.acked = json.loads(data)["seq"]
    code, _out, err = daemon.end()
    assert code == 0, err
    assert len(stored(project / ".semantest" / "semantest.db")) == resender.acked, "everything taken was acknowledged"
