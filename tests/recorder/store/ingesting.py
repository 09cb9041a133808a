"""A writer whose verdicts can be waited for, and a small run to write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import msgspec

from semantest_recorder.core.batch import Batch, RawEvent, Verdict
from semantest_recorder.store.writer import Writer

DEADLINE = 60.0
RUN = "20261121-093000-a1b2c3"
MAIN = f"{RUN}.main"


class Recorder:
    """Submits batches to a writer and waits for what becomes of them."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def send(self, source: str, first_seq: int, events: Sequence[RawEvent]) -> Verdict:
        return self.send_all([Batch(source, first_seq, list(events), 1.0)])[0]

    def send_all(self, batches: Sequence[Batch]) -> list[Verdict]:
        verdicts: Queue[Verdict] = Queue()
        for batch in batches:
            self.writer.submit(batch, verdicts.put)
        return [verdicts.get(timeout=DEADLINE) for _ in batches]


@contextmanager
def recording(path: Path) -> Iterator[Recorder]:
    """A recorder on the database at ``path``, closed at the end."""
    writer = Writer(path)
    try:
        yield Recorder(writer)
    finally:
        writer.close()


def event(kind: str, timestamp: float = 1.0, /, **payload: Any) -> RawEvent:
    return RawEvent(kind, timestamp, msgspec.Raw(msgspec.json.encode(payload)))


def begin(run: str = RUN, session: str | None = None, worker: str = "main", at: float = 1.0) -> RawEvent:
    session = session or run
    kind = "run/start" if worker == "main" else "worker/start"
    return event(kind, at, runId=run, session=session, source=f"{session}.{worker}", worker=worker)


def passed(test_id: str, at: float = 2.0, duration: float = 1.0) -> list[RawEvent]:
    return attempt(test_id, 1, "passed", at, duration)


def attempt(test_id: str, number: int, outcome: str, at: float = 2.0, duration: float = 1.0) -> list[RawEvent]:
    return [
        event("test/start", at, testId=test_id, testName=test_id, attempt=number, file="a.py", line=1),
        event("test/end", at + duration, testId=test_id, attempt=number, outcome=outcome, duration=duration),
    ]


def whole_run(run: str, tests: Sequence[RawEvent], at: float = 1.0) -> list[RawEvent]:
    return [begin(run, at=at), *tests, event("run/end", at + 100, runId=run, exitCode=0, stoppedEarly=False)]
