"""The write-ahead log stays small, whoever reads in the database meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from semantest_recorder.core.batch import Committed, RawEvent
from semantest_recorder.store import log_size
from semantest_recorder.store.read_only import connect_read_only

from .ingesting import DEADLINE, MAIN, Recorder, begin, event, recording

pytestmark = pytest.mark.hazard(23)

MIB = 1024 * 1024
LIMIT = 6 * MIB


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database whose log may have 6 MiB."""
    monkeypatch.setattr(log_size, "LIMIT_BYTES", LIMIT)
    return tmp_path / "semantest.db"


def log_bytes(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


class Writing:
    """Sends a MiB at a time; ``largest`` is how large the log was at most."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._seq = 1
        self.largest = 0
        self._send(begin())

    def write(self, mib: int) -> None:
        for _ in range(mib):
            self._send(event("custom/output", 3.0, text="x" * MIB))
            self.largest = max(self.largest, log_bytes(self._recorder.writer.path))

    def _send(self, sent: RawEvent) -> None:
        verdict = self._recorder.send(MAIN, self._seq, [sent])
        assert isinstance(verdict, Committed), verdict
        self._seq += 1


def snapshot(path: Path) -> sqlite3.Connection:
    """Somebody who has begun to read, and is not done."""
    connection = connect_read_only(path)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM runs").fetchall()
    return connection


@contextmanager
def queries(path: Path) -> Iterator[None]:
    """Readers in threads of their own, one query behind the other: there is no moment without any."""
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            with closing(snapshot(path)):
                over.wait(0.05)  # so long does a query take

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(DEADLINE)


def test_queries_that_overlap_do_not_make_it_grow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_size, "_PATIENCE_S", DEADLINE)  # on a busy machine, too
    with recording(path) as recorder:
        writing = Writing(recorder)
        with queries(path):
            writing.write(20)
    assert LIMIT < writing.largest < LIMIT + 4 * MIB


def test_a_reader_that_does_not_end_is_told_once_and_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log_size, "_PATIENCE_S", 0.001)
    with recording(path) as recorder:
        writing = Writing(recorder)
        with closing(snapshot(path)):
            writing.write(20)
        assert writing.largest > 20 * MIB
        assert caplog.text.count("somebody reads in") == 1
        writing.write(2)
        assert log_bytes(path) <= LIMIT
        monkeypatch.setattr(log_size, "_PATIENCE_S", DEADLINE)
        writing.largest = 0
        with queries(path):
            writing.write(10)
        assert writing.largest < LIMIT + 4 * MIB, "as if nothing had been"
