"""A history as a test tells it: real events, applied to one run."""

from __future__ import annotations

from typing import Any

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState

from .histories import event

T, U = "a.py::t", "a.py::u"


class Run:
    """A run that is told one event after the other."""

    def __init__(self, *sources: str) -> None:
        self.state = RunState("r")
        self.seqs: dict[str, int] = {}
        self.now = 1000.0
        self.derived: list[RawEvent] = []
        for source in sources:
            self.begin(source)

    def begin(self, source: str) -> None:
        session, _, worker = source.rpartition(".")
        self.tell(source, "worker/start", runId="r", session=session, worker=worker)

    def tell(self, source: str, kind: str, **payload: Any) -> None:
        self.now += 10.0
        seq = self.seqs[source] = self.seqs.get(source, 0) + 1
        self.state.apply(source, seq, event(kind, self.now, **payload))
        self.derived += self.state.settle()

    def plan(self, *tests: str, source: str = "s.main", total: int | None = None) -> None:
        self.tell(source, "run/plan", tests=list(tests), offset=0, total=total or len(tests), deselected=0)

    def attempt(self, source: str, test_id: str, outcome: str | None, number: int = 1, **more: Any) -> None:
        self.tell(source, "test/start", testId=test_id, attempt=number, timeout=more.pop("timeout", None))
        if outcome is not None:
            self.tell(source, "test/end", testId=test_id, attempt=number, outcome=outcome, duration=1.0, **more)

    def end(self, source: str = "s.main", code: int | None = 0, **more: Any) -> None:
        self.tell(source, "run/end" if source.endswith("main") else "worker/end", exitCode=code, **more)

    def states(self) -> dict[str, str]:
        return {test_id: test.result.state for test_id, test in self.state.tests.items()}

    @property
    def of_run(self) -> str:
        return self.state.run.state
