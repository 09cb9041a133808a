"""What analysis reads of failures and of the history of a test."""

from __future__ import annotations

from typing import NamedTuple

from semantest_recorder.core.analysis.run_code import Leg, RunCode


class Failure(NamedTuple):
    """A bad attempt of a test whose state in the run is ``state``; type, message and place of its error."""

    test_id: str
    state: str
    outcome: str
    phase: str | None
    type: str | None
    message: str | None
    file: str | None
    line: int | None
    reason: str | None


class PastRun(NamedTuple):
    """A test in one run, under the name ``test_id`` that it had there; ``since_ms``: when the run started.

    ``code`` is what is the same in runs of the same code, ``None`` where that is not known.
    """

    run_id: str
    run_name: str | None
    run_state: str
    since_ms: float | None
    branch: str | None
    commit: str | None
    dirty: int | None
    test_id: str
    state: str
    attempts: int
    duration_ms: float
    worker: str | None
    reason: str | None
    fingerprint: str | None
    leg: Leg = Leg(None, None, None)
    code: RunCode | None = None
