"""A store without room refuses, loses nothing and carries on when there is room again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from semantest_recorder.core.batch import Batch, Committed, RawEvent, Refused, Verdict
from semantest_recorder.store.reader import Reader
from tests.recorder.small_disk import small_disk

from .ingesting import MAIN, RUN, Recorder, begin, event, passed, recording


def fifty_tests(number: int) -> list[RawEvent]:
    return [
        one
        for test in range(number * 50, number * 50 + 50)
        for one in [*passed(f"a.py::t{test}"), event("custom/output", 3.0, text="x" * 2000)]
    ]


def fill(recorder: Recorder) -> tuple[int, Refused]:
    """Sends until there is no room: the next seq and the refusal."""
    seq = 2
    for number in range(10_000):
        events = fifty_tests(number)
        verdict = recorder.send(MAIN, seq, events)
        if isinstance(verdict, Refused):
            return seq, verdict
        seq += len(events)
    raise AssertionError("it never became full")


@pytest.mark.hazard(22)
def test_a_full_database_takes_up_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        assert isinstance(recorder.send(MAIN, 1, [begin()]), Committed)
        connection = recorder.writer._connection
        connection.execute("PRAGMA max_page_count = 200")
        seq, refused = fill(recorder)
        assert refused.code == "STORE_FULL"
        also = recorder.send_all([Batch("b.main", 1, [begin("b"), *fifty_tests(0), *fifty_tests(1)], 1.0)])[0]
        assert isinstance(also, Refused)
        assert also.code == "STORE_FULL"
        connection.execute("PRAGMA max_page_count = 1000000")
        number = (seq - 2) // 150
        verdicts: list[Verdict] = [recorder.send(MAIN, seq, fifty_tests(number))]
        verdicts.append(recorder.send(MAIN, seq + 150, [event("run/end", 9.0, runId=RUN, exitCode=0)]))
    assert all(isinstance(verdict, Committed) for verdict in verdicts)
    check_complete(path, seq + 150, (number + 1) * 50)


def check_complete(path: Path, last_seq: int, tests: int) -> None:
    reader = Reader(path)
    assert reader.sources(RUN)[0].last_seq == last_seq
    results = reader.results(RUN)
    assert len(results) == tests
    assert {(row.state, row.attempts) for row in results} == {("passed", 1)}
    assert len(reader.attempts(RUN)) == tests
    assert reader.run(RUN).state == "passed"
    assert [run.id for run in reader.runs()] == [RUN]


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", "4m") as folder:
        yield folder


@pytest.mark.hazard(22)
def test_a_full_disk_takes_up_where_it_stopped(small_disk: Path) -> None:
    path = small_disk / "semantest.db"
    ballast = small_disk / "ballast"
    with recording(path) as recorder:
        assert isinstance(recorder.send(MAIN, 1, [begin()]), Committed)
        ballast.write_bytes(b"x" * 2_000_000)
        seq, refused = fill(recorder)
        assert refused.code in ("STORE_FULL", "STORE_ERROR")
        ballast.unlink()
        number = (seq - 2) // 150
        verdicts: list[Verdict] = [recorder.send(MAIN, seq, fifty_tests(number))]
        verdicts.append(recorder.send(MAIN, seq + 150, [event("run/end", 9.0, runId=RUN, exitCode=0)]))
        assert all(isinstance(verdict, Committed) for verdict in verdicts), verdicts
        check_complete(path, seq + 150, (number + 1) * 50)
