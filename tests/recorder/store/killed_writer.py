"""Run as a process that will be killed: sends batches of one source and prints each acknowledged seq."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from semantest_recorder.core.batch import Batch, Committed, RawEvent, Verdict
from semantest_recorder.store.writer import Writer

TESTS = 4000
BATCH = 20


def events_of(run: str) -> list[RawEvent]:
    """A whole run of ``TESTS`` tests."""
    events = [_event("run/start", runId=run, session=run, worker="main")]
    for number in range(TESTS):
        events.append(_event("test/start", testId=f"a.py::t{number}", attempt=1))
        events.append(_event("test/end", testId=f"a.py::t{number}", attempt=1, outcome="passed", duration=1.0))
    return [*events, _event("run/end", runId=run, exitCode=0)]


def _event(kind: str, **payload: object) -> RawEvent:
    return RawEvent(kind, 1.0, msgspec.Raw(msgspec.json.encode(payload)))


def main(path: str, run: str, after: int) -> None:
    """Sends everything behind seq ``after``."""
    events = events_of(run)

    def tell(verdict: Verdict) -> None:
        line = str(verdict.seq) if isinstance(verdict, Committed) else f"refused {verdict.code}: {verdict.message}"
        print(line, flush=True)

    writer = Writer(Path(path))
    for start in range(after, len(events), BATCH):
        writer.submit(Batch(f"{run}.main", start + 1, events[start : start + BATCH], 1.0), tell)
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
