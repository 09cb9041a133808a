"""One attempt at a test as terminal lines: where, what, the end of the traceback, the output."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import AttemptInfo, ErrorInfo, TestInfo
from semantest_recorder.reports.wording import duration, state_word

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "error": "bold red",
    "skipped": "yellow",
    "xfailed": "yellow",
    "xpassed": "yellow",
    "flaky": "bold magenta",
    "crashed": "bold red",
    "timeout": "bold red",
    "interrupted": "bold red",
    "not_run": "bold yellow",
    "lost": "bold white on red",
    "running": "cyan",
    "pending": "dim",
    "cancelled": "bold yellow",
}

#: Longest line that is printed of an output or a traceback, in characters.
_LINE_MAX = 2000


def head_line(test: TestInfo) -> Text:
    """The id of a test with where and how long it ran."""
    where = f"{inert_line(test.worker)}, " if test.worker not in (None, "main") else ""
    return Text(inert_line(test.id), "bold").append(f"  ({where}{duration(test.duration_ms)})", "dim")


def deciding_attempt(test: TestInfo) -> AttemptInfo:
    """The attempt that made the test's state; there must be one. Several sources may have the same attempt number."""
    attempts = test.attempts_detail
    own = [attempt for attempt in attempts if attempt.outcome == test.state]
    bad = [attempt for attempt in attempts if attempt.outcome in BAD_OUTCOMES]
    return (own or bad or attempts)[-1]


def attempt_strip(test: TestInfo) -> Text:
    """``attempts: failed 12 ms, passed 9 ms``, with the worker when there are several."""
    several = len({attempt.worker for attempt in test.attempts_detail}) > 1
    line = Text("  attempts: ", "dim")
    for index, attempt in enumerate(test.attempts_detail):
        outcome = attempt.outcome or "running"
        line.append(", " if index else "").append(state_word(outcome), STYLES.get(outcome, ""))
        where = f" on {inert_line(attempt.worker)}" if several else ""
        line.append(f" {duration(attempt.duration_ms)}{where}", "dim")
    return line


def error_lines(attempt: AttemptInfo, stack_lines: int) -> Iterator[Text]:
    """Location and message, and the last ``stack_lines`` lines of the traceback (0: all of it)."""
    error = attempt.error
    if error is None:
        return
    yield Text(f"  {_location(error)}")
    message = inert(error.message or "").strip("\n")
    stack = inert(error.stack or "").rstrip("\n").split("\n") if error.stack else []
    tail = stack[-stack_lines:] if stack_lines else stack
    shown = "\n".join(tail)
    lines = message.split("\n") if message else []
    if lines and lines[0].strip() not in shown:
        kept = lines[:stack_lines] if stack_lines else lines
        for line in kept:
            yield Text(f"  {line[:_LINE_MAX]}", "red")
        if len(lines) > len(kept):
            yield Text(f"  ... {len(lines) - len(kept)} more lines", "dim")
    if len(stack) > len(tail):
        yield Text(f"  | ... {len(stack) - len(tail)} lines above", "dim")
    for line in tail:
        yield Text("  | ", "dim").append(line[:_LINE_MAX], "red" if line.startswith("E ") else "")


def _location(error: ErrorInfo) -> str:
    where = inert_line(error.file or "unknown place") + (f":{error.line}" if error.line is not None else "")
    kind = f": {inert_line(error.type)}" if error.type else ""
    return f"{where}{kind}{f' in {inert_line(error.phase)}' if error.phase not in (None, 'call') else ''}"


def last_output_lines(attempt: AttemptInfo) -> Iterator[Text]:
    """What a process wrote last before it died."""
    if attempt.last_output:
        yield Text("  last output:")
        yield from _block(attempt.last_output)


def output_lines(attempt: AttemptInfo) -> Iterator[Text]:
    """Captured output, section by section."""
    for output in attempt.output:
        phase = f" in {inert_line(output.phase)}" if output.phase else ""
        yield Text(f"  {inert_line(output.stream)}{phase}:")
        yield from _block(output.text)
        if output.dropped:
            yield Text(f"    ({output.dropped} characters were left out)", "dim")


def _block(text: str) -> Iterator[Text]:
    for line in inert(text).rstrip("\n").split("\n"):
        yield Text("    | ", "dim").append(line[:_LINE_MAX])


def labelled(label: str, value: str) -> Text:
    """A dim label and its value."""
    return Text(f"  {label}  ", "dim").append(value)
