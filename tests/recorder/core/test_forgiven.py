"""Which failures of tests in quarantine are forgiven, when several processes have a word."""

from __future__ import annotations

import pytest

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState
from tests.recorder.core.histories import QUARANTINES, event

TEST = "a.py::test_x"
#: An attempt: its outcome, and whether pytest counted its failure.
Told = tuple[str, bool]


def run_of(*sources: list[Told], exit_code: int = 0, quarantined: bool = True) -> RunState:
    """A run in which each source, a job of its own, has these successive attempts at one test."""
    state = RunState("r")
    for number, attempts in enumerate(sources):
        session = f"s{number}"
        events: list[RawEvent] = [event("run/start", 1.0, runId="r", session=session, worker="main")]
        for attempt, (outcome, forgiven) in enumerate(attempts, 1):
            entry = QUARANTINES[0] if quarantined else None
            events.append(event("test/start", 2.0, testId=TEST, attempt=attempt, quarantine=entry))
            told = {"outcome": outcome, "status": "failed", "forgiven": forgiven or None}
            events.append(event("test/end", 3.0, testId=TEST, attempt=attempt, duration=1.0, **told))
        events.append(event("run/end", 4.0, runId="r", exitCode=exit_code, stoppedEarly=False))
        state.apply_all(f"{session}.main", 1, events)
    state.settle()
    return state


@pytest.mark.parametrize(
    ("sources", "forgiven"),
    [
        ([[("failed", True)]], True),
        ([[("failed", False)]], False),
        ([[("failed", True), ("error", True)]], True),
        ([[("failed", False), ("error", True)]], False),
        ([[("failed", True)], [("failed", True)]], True),
        ([[("failed", True)], [("failed", False)]], False),
        ([[("failed", False)], [("failed", True)]], False),
        ([[("timeout", True)], [("passed", False)]], True),
        ([[("interrupted", True)]], False),
        ([[("passed", True)]], False),
    ],
)
def test_a_failure_is_forgiven_where_all_who_told_of_one_agree(sources: list[list[Told]], forgiven: bool) -> None:
    state = run_of(*sources)
    assert state.tests[TEST].result.forgiven is forgiven
    assert state.run.quarantined == forgiven
    good = forgiven or sources == [[("passed", True)]]
    assert state.run.state == ("passed" if good else "failed")


def test_nothing_is_forgiven_outside_of_quarantine_or_against_the_exit_code() -> None:
    assert run_of([("failed", True)], quarantined=False).run.state == "failed"
    failed = run_of([("failed", True)], exit_code=1)
    assert (failed.run.state, failed.run.quarantined) == ("failed", 1)
