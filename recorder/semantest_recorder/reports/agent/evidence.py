"""The few lines of a failed test that say what to mend: places in the project's code, the error, the last output."""

from __future__ import annotations

import msgspec

from semantest_recorder.reports.agent.traceback_lines import Frame, traceback_lines
from semantest_recorder.reports.report import AttemptInfo, TestInfo
from semantest_recorder.reports.verdict import deciding_attempt, full_text

_OUTPUT_LINES = 5


class Evidence(msgspec.Struct, frozen=True):
    """``place``: the innermost line of the project's own code, ``test_place``: the outermost, where it is another one.

    ``error``: the lines of the error. ``output``: the last lines of each captured stream, each with its name.
    """

    place: Frame | None
    test_place: Frame | None
    error: list[str]
    output: list[tuple[str, str]]


def evidence_of(test: TestInfo) -> Evidence:
    """What is known of a failed test whose details were read."""
    if not test.attempts_detail:
        return Evidence(None, None, [], [])
    attempt = deciding_attempt(test)
    error = attempt.error
    if error is None:
        return Evidence(None, None, [], _last_output(attempt))
    told = traceback_lines(full_text(error))
    own = told.own
    place = own[-1] if own else _told_place(error.file, error.line)
    lines = told.error or (error.message or "").split("\n")
    return Evidence(place, own[0] if len(own) > 1 else None, lines, _last_output(attempt))


def _told_place(file: str | None, line: int | None) -> Frame | None:
    return Frame(file, line, "") if file and line is not None else None


def _last_output(attempt: AttemptInfo) -> list[tuple[str, str]]:
    texts = [(output.stream, output.text) for output in attempt.output]
    if attempt.last_output:
        texts.append(("last output", attempt.last_output))
    return [
        (name, line)
        for name, text in texts
        for line in [line for line in text.split("\n") if line.strip()][-_OUTPUT_LINES:]
    ]
