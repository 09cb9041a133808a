"""Which attempt made a test's state, and why the test is not plainly green, in words without any form."""

from __future__ import annotations

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.reports.report import AttemptInfo, ErrorInfo, TestInfo

#: What is said of a test that has no error of its own.
_WORDS = {
    "crashed": "the process died while the test was running",
    "timeout": "the test took longer than it was given",
    "interrupted": "the run was stopped while the test was running",
    "lost": "the process ended normally, but there is no complete record of the test",
    "not_run": "planned, but the run ended before it",
    "pending": "not started yet",
    "running": "still running",
}


def is_uncollected(test: TestInfo) -> bool:
    """Whether the test is a file that could not be imported."""
    return test.state == "error" and bool(test.attempts_detail) and test.attempts_detail[-1].phase == "collect"


def deciding_attempt(test: TestInfo) -> AttemptInfo:
    """The attempt that made the test's state; there must be one. Several sources may have the same attempt number."""
    attempts = test.attempts_detail
    own = [attempt for attempt in attempts if attempt.outcome == test.state]
    bad = [attempt for attempt in attempts if attempt.outcome in BAD_OUTCOMES]
    return (own or bad or attempts)[-1]


def final_attempt(test: TestInfo) -> AttemptInfo | None:
    """The attempt that counts in the end: of a flaky test the one that passed. ``None`` when there is none."""
    if not test.attempts_detail:
        return None
    good = [attempt for attempt in test.attempts_detail if attempt.outcome not in BAD_OUTCOMES]
    return good[-1] if test.state == "flaky" and good else deciding_attempt(test)


def other_attempts(test: TestInfo) -> list[AttemptInfo]:
    """All attempts but the final one, in their order."""
    final = final_attempt(test)
    return [attempt for attempt in test.attempts_detail if attempt is not final]


def bad_attempts(test: TestInfo) -> list[AttemptInfo]:
    """Those of the other attempts that did not end well."""
    return [attempt for attempt in other_attempts(test) if attempt.outcome in BAD_OUTCOMES]


def why(state: str, attempt: AttemptInfo | None, reason: str | None = None) -> str:
    """Why a test or an attempt is in this ``state``: its error's message, its reason, or words for the state.

    ``reason``: what is known when the attempt says nothing. Empty for one that passed.
    """
    error = attempt.error if attempt is not None else None
    told = (error.message if error is not None else None) or (attempt.reason if attempt is not None else None)
    return told or reason or _WORDS.get(state, "")


def full_text(error: ErrorInfo) -> str:
    """The traceback, or the message where there is none, and that of a teardown that failed after it."""
    text = error.stack or error.message or ""
    if error.teardown is None:
        return text
    return f"{text}\n\nThe teardown failed, too:\n\n{full_text(error.teardown)}"
