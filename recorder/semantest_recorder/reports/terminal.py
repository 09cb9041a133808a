"""A report as lines for a terminal: what is wrong first, and how to go on last.

Everything that came from tests goes through :mod:`inert` and into ``Text`` objects, so rich never reads markup in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.reports.attempt_lines import (
    STYLES,
    attempt_strip,
    broken_head_line,
    error_lines,
    head_line,
    labelled,
    last_output_lines,
    output_lines,
    subtest_lines,
)
from semantest_recorder.reports.detail_lines import detail_lines
from semantest_recorder.reports.header_lines import header_lines
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import AttemptInfo, Report, RunInfo, TestInfo, is_forgiven
from semantest_recorder.reports.rerun import rerun_command
from semantest_recorder.reports.run_reasons import is_told
from semantest_recorder.reports.verdict import deciding_attempt
from semantest_recorder.reports.wording import duration, plural, shortened, state_word

_STACK_LINES = 12
_DETAIL_LINES = 20
_SLOWEST = 5
#: A test that takes less is not worth naming as slow.
_SLOW_MS = 100.0
_WARNINGS = 5
_WARNING_MAX = 300
_MESSAGE_MAX = 300
#: States of tests that did not end by themselves, and the titles over them.
_BROKEN = {"crashed": "Crashed", "timeout": "Timed out", "interrupted": "Interrupted"}


class TerminalOptions(msgspec.Struct):
    """``limit``: tests per section, 0 for all; ``cwd``, ``now_ms``: where and when the reader looks.

    ``directory``: the ``.semantest`` folder, if the reader had to name it.
    """

    failures_only: bool = False
    limit: int = 20
    output: bool = False
    cwd: str = ""
    directory: str | None = None
    now_ms: float | None = None


def report_lines(report: Report, options: TerminalOptions) -> Iterator[Text]:
    """The whole report, line by line."""
    yield from header_lines(report)
    yield from _lost(report, options)
    yield from _running(report, options)
    yield from _broken(report, options)
    yield from _failed(report, options)
    yield from _quarantined(report, options)
    if not options.failures_only:
        yield from _flaky(report, options)
    yield from _not_run(report)
    if not options.failures_only:
        yield from _slowest(report)
        yield from _warnings(report)
    yield from _rerun(report, options)


def _lost(report: Report, options: TerminalOptions) -> Iterator[Text]:
    lost = _in_states(report, "lost")
    if not lost:
        return
    yield Text()
    yield Text(f"!!! {plural(len(lost), 'test')} LOST !!!", "bold white on red")
    yield Text("  Their process ended, but no complete record of them is there. This run proves nothing about them.")
    for test in _shown(lost, options):
        yield Text().append("  LOST ", "bold red").append_text(head_line(test))
    yield from _more(lost, options)


def _running(report: Report, options: TerminalOptions) -> Iterator[Text]:
    running = _in_states(report, "running")
    yield from _title("Running", running)
    for test in _shown(running, options):
        now = next((attempt for attempt in reversed(test.attempts_detail) if attempt.outcome is None), None)
        line = Text("  ").append(inert_line(test.id), "bold")
        if now is not None:
            line.append(f" on {inert_line(now.worker)}, in {inert_line(now.phase or 'setup')}", "dim")
            if now.started_ms is not None and options.now_ms is not None:
                line.append(f", for {duration(max(0.0, options.now_ms - now.started_ms))}", "dim")
        yield line
    yield from _more(running, options)


def _broken(report: Report, options: TerminalOptions) -> Iterator[Text]:
    """Tests whose process died, hung or was interrupted under them."""
    for state, title in _BROKEN.items():
        broken = _in_states(report, state)
        yield from _title(title, broken)
        for test in _shown(broken, options):
            yield Text()
            head = Text().append(f"{state_word(state).upper()} ", STYLES[state])
            if not test.attempts_detail:
                yield head.append_text(head_line(test))
                continue
            attempt = deciding_attempt(test)
            yield head.append_text(broken_head_line(test, attempt))
            yield from _in_vain(test)
            yield from attempt_strip(test)
            if attempt.reason and not _is_told(report.run, attempt):
                yield Text(f"  {inert_line(attempt.reason)}")
            yield from detail_lines(attempt, _DETAIL_LINES)
            yield from error_lines(attempt, _STACK_LINES)
            yield from last_output_lines(attempt)
            yield from _captured(attempt, options)
        yield from _more(broken, options)


def _is_told(run: RunInfo, attempt: AttemptInfo) -> bool:
    """Whether the head of the report already says why this attempt did not end by itself."""
    dead = next((source for source in run.sources if source.source == attempt.source), None)
    told = dead is not None and dead.crash_reason == attempt.reason and is_told(run, dead)
    return told or attempt.reason == run.stop_reason


def _failed(report: Report, options: TerminalOptions) -> Iterator[Text]:
    failed = _in_states(report, "failed", "error")
    yield from _title("Failures", failed)
    for test in _shown(failed, options):
        yield Text()
        word = "FAILED " if test.state == "failed" else "ERROR "
        yield Text().append(word, STYLES[test.state]).append_text(head_line(test))
        yield from _in_vain(test)
        yield from _failure(test, options)
    yield from _more(failed, options)


def _in_vain(test: TestInfo) -> Iterator[Text]:
    """Why quarantine did not help a test that has it."""
    if test.quarantine is not None:
        why = "what is not its own" if test.state in ("failed", "error") else "what ends a process"
        yield Text(f"  it is in quarantine, which does not cover {why}", "yellow")


def _failure(test: TestInfo, options: TerminalOptions) -> Iterator[Text]:
    """What is known of a failure below its head line."""
    yield from attempt_strip(test)
    if test.attempts_detail:
        attempt = deciding_attempt(test)
        yield from subtest_lines(attempt)
        yield from detail_lines(attempt, _DETAIL_LINES)
        yield from error_lines(attempt, _STACK_LINES)
        yield from _captured(attempt, options)
    elif test.reason:
        yield Text(f"  {inert_line(test.reason)}")


def _quarantined(report: Report, options: TerminalOptions) -> Iterator[Text]:
    """Failures that do not count, each with why, who sees to it, and until when."""
    forgiven = [test for test in report.tests if is_forgiven(test)]
    yield from _title("Failed in quarantine, which does not count", forgiven)
    for test in _shown(forgiven, options):
        yield Text()
        word = f"QUARANTINED ({state_word(test.state)}) "
        yield Text().append(word, "bold yellow").append_text(head_line(test))
        if (told := test.quarantine) is not None:
            issue = f", {told.issue}" if told.issue else ""
            yield Text(inert_line(f"  {told.reason} ({told.owner}, until {told.expires}{issue})"), "yellow")
        yield from _failure(test, options)
    yield from _more(forgiven, options)


def _captured(attempt: AttemptInfo, options: TerminalOptions) -> Iterator[Text]:
    if options.output:
        yield from output_lines(attempt)


def _flaky(report: Report, options: TerminalOptions) -> Iterator[Text]:
    flaky = _in_states(report, "flaky")
    yield from _title("Flaky: failed, then passed", flaky)
    for test in _shown(flaky, options):
        yield Text().append("FLAKY ", STYLES["flaky"]).append_text(head_line(test))
        yield from attempt_strip(test)
        for attempt in test.attempts_detail:
            if attempt.outcome not in BAD_OUTCOMES:
                continue
            message = attempt.error.message if attempt.error else attempt.reason
            if message:
                first = shortened(inert_line(message.strip().split("\n", 1)[0]), _MESSAGE_MAX)
                yield Text(f"    attempt {attempt.attempt}: {first}", "dim")
    yield from _more(flaky, options)


def _not_run(report: Report) -> Iterator[Text]:
    missed = _in_states(report, "not_run")
    if not missed:
        return
    suites = len({test.suite for test in missed})
    yield Text()
    why = inert_line("" if report.run.stop_reason else missed[0].reason or "")
    words = f"{plural(len(missed), 'planned test')} in {plural(suites, 'suite')} did not run{why and ': '}{why}"
    yield Text(words, STYLES["not_run"])
    yield Text(f"  {'the first: ' if len(missed) > 1 else ''}{inert_line(missed[0].id)}")


def _slowest(report: Report) -> Iterator[Text]:
    slow = [test for test in report.tests if test.duration_ms >= _SLOW_MS and test.state not in _BROKEN]
    if slow:
        yield Text()
        yield Text("Slowest", "bold")
    for test in sorted(slow, key=lambda test: -test.duration_ms)[:_SLOWEST]:
        yield labelled(f"{duration(test.duration_ms):>10}", inert_line(test.id))


def _warnings(report: Report) -> Iterator[Text]:
    """The most frequent warnings first; of many the others are only counted."""
    most = sorted(report.warnings, key=lambda warning: -warning.count)
    yield from _title("Warnings", most, sum(warning.count for warning in most))
    for warning in most[:_WARNINGS]:
        where = f"  ({inert_line(warning.file)}:{warning.line})" if warning.file else ""
        times = f"  {warning.count} times" if warning.count > 1 else ""
        words = shortened(inert_line(warning.message), _WARNING_MAX)
        yield Text().append(f"  {inert_line(warning.category)}: {words}", "yellow").append(f"{where}{times}", "dim")
    if len(most) > _WARNINGS:
        yield Text(f"  ... and {len(most) - _WARNINGS} more kinds (semantest report --json has them all)", "dim")


def _rerun(report: Report, options: TerminalOptions) -> Iterator[Text]:
    command = rerun_command(report, options.cwd, options.directory)
    if command is not None:
        yield Text()
        yield Text("Rerun", "bold")
        yield Text(f"  {command}")


def _in_states(report: Report, *states: str) -> list[TestInfo]:
    """The tests in these states, but for those whose failure does not count."""
    return [test for test in report.tests if test.state in states and not is_forgiven(test)]


def _shown(tests: list[TestInfo], options: TerminalOptions) -> list[TestInfo]:
    return tests[: options.limit] if options.limit else tests


def shown_tests(report: Report, options: TerminalOptions) -> list[str]:
    """The ids of the tests whose details :func:`report_lines` will show."""
    groups = [*((state,) for state in _BROKEN), ("failed", "error")]
    found = [_in_states(report, *states) for states in groups]
    found.append([test for test in report.tests if is_forgiven(test)])
    return [test.id for tests in found for test in _shown(tests, options)]


def _title(title: str, entries: Sequence[object], number: int | None = None) -> Iterator[Text]:
    """A title with how many there are, if there are any."""
    if entries:
        yield Text()
        yield Text(f"{title} ({len(entries) if number is None else number})", "bold")


def _more(tests: list[TestInfo], options: TerminalOptions) -> Iterator[Text]:
    hidden = len(tests) - len(_shown(tests, options))
    if hidden:
        yield Text(f"  ... and {hidden} more (--limit 0 shows all)", "dim")
