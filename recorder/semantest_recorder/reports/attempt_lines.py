"""One attempt at a test as terminal lines: where, what, the end of the traceback, the output."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from pytest_semantest.protocol.identity import MAIN_WORKER
from semantest_recorder.reports.excerpt import excerpt, without_place
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import AttemptInfo, ErrorInfo, TestInfo
from semantest_recorder.reports.verdict import deciding_attempt, is_uncollected
from semantest_recorder.reports.wording import duration, is_open, plural, state_word

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

#: How pytest's message begins when a test with a strict xfail passes.
_STRICT = "[XPASS(strict)]"
#: Longest line that is printed of an output or a traceback, in characters.
_LINE_MAX = 2000


def run_style(state: str, shards_missing: int) -> str:
    """The style of what is said of a run: one that passed so far is as one that goes on."""
    return STYLES.get("running" if is_open(state, shards_missing) else state, "")


def head_line(test: TestInfo) -> Text:
    """The id of a test with where and how long it ran."""
    if is_uncollected(test):
        return _head(test, ["could not be collected"])
    return _head(test, [*_where(test.job, test.worker), duration(test.duration_ms)])


def broken_head_line(test: TestInfo, attempt: AttemptInfo) -> Text:
    """The id of a test that did not end by itself, how far it came and which limit it had."""
    # A process that dies before its shipper looks tells nobody its phase, and maybe not even its time.
    words = [
        *_where(attempt.job, attempt.worker),
        f"in {inert_line(attempt.phase)}" if attempt.phase else "phase unknown",
    ]
    words.append(f"after {duration(attempt.duration_ms)}" if attempt.duration_ms > 0 else "time unknown")
    if attempt.timeout_ms is not None and test.state == "timeout":
        words.append(f"limit {duration(attempt.timeout_ms)}")
    return _head(test, words)


def _head(test: TestInfo, words: list[str]) -> Text:
    return Text().append(inert_line(test.id), "bold").append(f"  ({', '.join(words)})", "dim")


def _where(job: str | None, worker: str | None) -> list[str]:
    jobs = [f"job {inert_line(job)}"] if job is not None else []
    return jobs + ([f"worker {inert_line(worker)}"] if worker not in (None, "main") else [])


def short_place(attempt: AttemptInfo) -> str:
    """``os=linux gw0``: the job, if the run has several, and the worker, if the job has several."""
    if attempt.job is None:
        return inert_line(attempt.worker)
    return inert_line(attempt.job if attempt.worker == MAIN_WORKER else f"{attempt.job} {attempt.worker}")


def attempt_strip(test: TestInfo) -> Iterator[Text]:
    """``attempts: failed 12 ms, passed 9 ms``, with job or worker when they differ; nothing for a single attempt."""
    if len(test.attempts_detail) < 2:
        return
    source = deciding_attempt(test).source  # in another leg of a matrix it may have passed
    before = sum(attempt.source == source for attempt in test.attempts_detail) - 1
    if test.repetitions is not None and test.error is not None and before:
        passed = "once" if before == 1 else f"{before} times"
        told = f"of up to {test.repetitions} times, as a new test, it passed {passed}, then {state_word(test.state)}"
        yield Text(f"  flaky: {told}", "yellow")
    several = len({(attempt.job, attempt.worker) for attempt in test.attempts_detail}) > 1
    line = Text().append("  attempts: ", "dim")
    for index, attempt in enumerate(test.attempts_detail):
        outcome = attempt.outcome or "running"
        line.append(", " if index else "").append(state_word(outcome), STYLES.get(outcome, ""))
        where = f" on {short_place(attempt)}" if several else ""
        line.append(f" {duration(attempt.duration_ms)}{where}", "dim")
    yield line


def error_lines(attempt: AttemptInfo, stack_lines: int) -> Iterator[Text]:
    """Location and message, and about ``stack_lines`` lines of the traceback (0: all of it)."""
    error = attempt.error
    if error is None:
        return
    message = inert(error.message or "").strip("\n")
    if message.startswith(_STRICT):
        reason = message.removeprefix(_STRICT).strip()
        yield Text(
            "  it passed, but it is marked as failing (xfail, strict)" + (f": {reason}" if reason else ""), "red"
        )
        return
    if error.file is not None:
        yield Text(f"  {_location(error)}")
    stack = inert(error.stack or "").rstrip().split("\n") if error.stack else []
    parts = excerpt(without_place(stack, error.file, error.line), stack_lines)
    lines = message.split("\n") if message else []
    if lines and not any(lines[0].strip() in part for part in parts if isinstance(part, str)):
        kept = lines[:stack_lines] if stack_lines else lines
        for line in kept:
            yield Text(f"  {line[:_LINE_MAX]}", "red")
        if len(lines) > len(kept):
            yield Text(f"  ... {plural(len(lines) - len(kept), 'more line')}", "dim")
    for part in parts:
        if isinstance(part, int):
            yield Text(f"  | ... {plural(part, 'line')} left out", "dim")
        else:
            yield Text().append("  | ", "dim").append(part[:_LINE_MAX], "red" if part.startswith("E ") else "")


def subtest_lines(attempt: AttemptInfo) -> Iterator[Text]:
    """How many subtests there were, and which of them failed."""
    counts = attempt.subtests
    if not counts.passed and not counts.failed:
        return
    yield Text(f"  subtests: {counts.passed} passed, {counts.failed} failed")
    for failure in counts.failures:
        message = inert_line((failure.message or "").strip().split("\n", 1)[0])
        yield Text(f"    {inert_line(failure.description)}{message and ': '}{message}"[:_LINE_MAX], "red")
    if counts.failures and counts.failed > len(counts.failures):
        yield Text(f"    ... and {counts.failed - len(counts.failures)} more before these", "dim")


def _location(error: ErrorInfo) -> str:
    where = inert_line(error.file or "") + (f":{error.line}" if error.line is not None else "")
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
        yield Text().append("    | ", "dim").append(line[:_LINE_MAX])


def labelled(label: str, value: str) -> Text:
    """A dim label and its value."""
    return Text().append(f"  {label}  ", "dim").append(value)
