"""Attempts at a test: which one an event is about, how it ends, and what an end may not take back."""

from __future__ import annotations

from typing import Final

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.core.payloads import Error
from semantest_recorder.core.rows import AttemptRow
from semantest_recorder.core.tables import Source, Tables, Test

PHASES: Final = ("setup", "call", "teardown")


def last_attempt(source: Source, test: Test) -> AttemptRow | None:
    """The last attempt that the source itself wrote of; others may have told of more."""
    name = source.row.source
    if test.crowd is not None:
        return test.crowd.last(name)
    own = (attempt for attempt in test.attempts if attempt.source == name and attempt.started_ms is not None)
    return max(own, key=lambda attempt: attempt.attempt, default=None)


def begin(test: Test, attempt: AttemptRow, at: float) -> None:
    """The attempt is one that its source wrote of; the first time counts."""
    attempt.guessed = False
    if attempt.started_ms is None:
        attempt.started_ms = at
        if test.crowd is not None:
            test.crowd.has_started(attempt)


def next_number(source: Source, test: Test) -> int:
    """The attempt of a start that does not number it: the open one of its source, else the next."""
    last = last_attempt(source, test)
    if last is None:
        return 1
    return last.attempt + 1 if ended_itself(last) else last.attempt


def open_attempt(tables: Tables, source: Source, test: Test, number: int | None, at: float) -> AttemptRow:
    """The attempt that an event of its own process is about: without a number, the last one of its source."""
    if number is None:
        last = last_attempt(source, test)
        number = 1 if last is None else last.attempt
    attempt = tables.attempt(source, test, number)
    begin(test, attempt, at)
    return attempt


def ending_attempt(
    tables: Tables, source: Source, test: Test, number: int | None, at: float, outcome: str
) -> AttemptRow | None:
    """The attempt that an event of its own process ends; ``None`` when a good end would take back a bad one.

    Clients run one test in several browsers under one number, and a journal never ends an attempt twice. A good end
    behind an announced retry that nobody numbered or started is the retry's.
    """
    attempt = open_attempt(tables, source, test, number, at)
    if attempt.outcome in BAD_OUTCOMES and outcome not in BAD_OUTCOMES and not attempt.judged:
        if number is not None or not attempt.will_retry:
            return None
        return open_attempt(tables, source, test, attempt.attempt + 1, at)
    return attempt


def note_end(source: Source, test: Test, attempt: AttemptRow) -> None:
    """An attempt has ended: whether its test still depends on how the source is closed."""
    test_id = attempt.test_id
    attempt.last_output = None
    if (len(test.attempts) == 1 and not attempt.will_retry) or _all_ended(source, test):
        source.unended.pop(test_id, None)
    else:
        source.unended[test_id] = test


def _all_ended(source: Source, test: Test) -> bool:
    """Whether no attempt of ``test`` in ``source`` depends on how the source is closed; of many, some may."""
    if test.crowd is not None:
        return False
    name = source.row.source
    return all(ended_itself(attempt) and not attempt.will_retry for attempt in test.attempts if attempt.source == name)


def take_error(attempt: AttemptRow, error: Error | str | None) -> None:
    """What a failure says goes into the attempt; ``None`` takes it back."""
    if error is None or isinstance(error, str):
        attempt.error_message = error
        attempt.error_type = attempt.error_file = attempt.error_line = None
        return
    attempt.error_type, attempt.error_message = error.type, error.message
    attempt.error_file, attempt.error_line = error.file, error.line
    if error.phase in PHASES and ended_itself(attempt) and attempt.phase != "collect":
        attempt.phase = error.phase


def ended_itself(attempt: AttemptRow) -> bool:
    """Whether a ``test/end`` said how the attempt ended."""
    return attempt.outcome is not None and not attempt.judged
