"""Event types, outcomes and states. The payload of each type is described in docs/design/events.md."""

from __future__ import annotations

from typing import Any, Final, Literal, TypedDict

RUN_START: Final = "run/start"
RUN_PLAN: Final = "run/plan"
RUN_CONTEXT: Final = "run/context"
RUN_SELECTION: Final = "run/selection"
RUN_LEFT_OUT: Final = "run/left-out"
RUN_END: Final = "run/end"
RUN_EXPECT: Final = "run/expect"
WORKER_START: Final = "worker/start"
WORKER_END: Final = "worker/end"
WORKER_CRASH: Final = "worker/crash"
#: What the threads of a process were doing when somebody asked.
WORKER_STACK: Final = "worker/stack"
SHIPPER_START: Final = "shipper/start"
COLLECT_ERROR: Final = "collect/error"
TEST_START: Final = "test/start"
TEST_PHASE: Final = "test/phase"
TEST_SUBTEST: Final = "test/subtest"
TEST_WARNING: Final = "test/warning"
TEST_END: Final = "test/end"
RUN_CANCEL: Final = "run/cancel"
JOURNAL_GAP: Final = "journal/gap"
#: What clients say of tests and suites beyond the above.
TEST_PASSED: Final = "test/passed"
TEST_FAILED: Final = "test/failed"
TEST_SKIPPED: Final = "test/skipped"
SUITE_START: Final = "test/suite/start"
SUITE_END: Final = "test/suite/end"
#: Events about a test beyond its start, phases, subtests and end.
TEST_DETAILS: Final = (
    "test/step/start",
    "test/step/end",
    "test/log",
    "test/assertion",
    "test/assert",
    "test/screenshot",
    "test/attachment",
)

#: ``origin`` in the ``run/start`` of a session that was made from another tool's file.
IMPORTED: Final = "import"

Phase = Literal["setup", "call", "teardown"]

#: What one attempt came to. ``crashed`` and ``lost`` are never written by the process that ran the test.
Outcome = Literal[
    "passed", "failed", "error", "skipped", "xfailed", "xpassed", "crashed", "timeout", "interrupted", "lost"
]

#: The final states of a test in a run, in the order in which reports count them.
FINAL_STATES: Final = (
    "passed",
    "failed",
    "error",
    "skipped",
    "xfailed",
    "xpassed",
    "flaky",
    "crashed",
    "timeout",
    "interrupted",
    "not_run",
    "lost",
)

#: Final states with which a run is not green.
BAD_STATES: Final = frozenset({"failed", "error", "crashed", "timeout", "interrupted", "not_run", "lost"})

#: Attempt outcomes that make a later pass ``flaky``.
BAD_OUTCOMES: Final = frozenset({"failed", "error", "crashed", "timeout", "interrupted", "lost"})

#: How outcomes and states show as ``status`` to the original clients (PROTOCOL: pending, running, ...).
WIRE_STATUS: Final[dict[str, str]] = {
    "pending": "pending",
    "running": "running",
    "passed": "passed",
    "xpassed": "passed",
    "flaky": "passed",
    "skipped": "skipped",
    "xfailed": "skipped",
    "not_run": "skipped",
    "failed": "failed",
    "error": "failed",
    "crashed": "failed",
    "timeout": "failed",
    "interrupted": "failed",
    "lost": "failed",
}


class Event(TypedDict):
    """One event as the journal and the wire carry it; timestamp in milliseconds since the epoch."""

    type: str
    timestamp: float
    payload: dict[str, Any]
