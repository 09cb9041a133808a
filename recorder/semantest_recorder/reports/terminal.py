"""A report as lines for a terminal: what is wrong first, and how to go on last.

Everything that came from tests goes through :mod:`inert` and into ``Text`` objects, so rich never reads markup in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from rich.text import Text

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.reports.attempt_lines import (
    STYLES,
    attempt_strip,
    deciding_attempt,
    error_lines,
    head_line,
    labelled,
    last_output_lines,
    output_lines,
)
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import AttemptInfo, Report, RunInfo, TestInfo
from semantest_recorder.reports.rerun import rerun_commands
from semantest_recorder.reports.wording import (
    count_word,
    count_words,
    duration,
    moment,
    nonzero,
    plural,
    state_in_words,
    state_word,
)

_STACK_LINES = 12
_SLOWEST = 5


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
    if not options.failures_only:
        yield from _flaky(report, options)
    yield from _not_run(report)
    if not options.failures_only:
        yield from _slowest(report)
        yield from _warnings(report)
    yield from _rerun(report, options)


def header_lines(report: Report) -> Iterator[Text]:
    """Run, state, when, where, and the counts of all states that are not zero."""
    run = report.run
    title = Text("Run ").append(inert_line(run.id), "bold")
    if run.name:
        title.append(f" ({inert_line(run.name)})")
    yield title.append(": ").append(inert_line(state_in_words(run)), STYLES.get(run.state, ""))
    yield Text("  " + ", ".join(_facts(run)))
    for crashed in (source for source in run.sources if source.state == "crashed"):
        reason = inert_line(crashed.crash_reason or "no end record")
        yield Text("  ").append(f"process {inert_line(crashed.worker)} died: {reason}", "bold red")
    yield _counts(report)
    if run.gaps:
        yield Text()
        yield Text(f"!!! {plural(run.gaps, 'record')} MISSING !!!", "bold white on red")
        yield Text("  The journals cannot be read there. Tests may be missing here, or results: this run is not green.")


def _facts(run: RunInfo) -> Iterator[str]:
    yield f"started {moment(run.started_ms)}"
    if run.duration_ms is not None:
        yield f"took {duration(run.duration_ms)}"
    place = _place(run.git)
    if place:
        yield place
    workers = sorted({source.worker for source in run.sources} - {"main", "shipper"})
    if workers:
        mode = (run.distribution or {}).get("mode")
        yield plural(len(workers), "worker") + (f" ({inert_line(mode)})" if isinstance(mode, str) else "")
    if run.exit_code is not None:
        yield f"exit code {run.exit_code}"
    for key, value in sorted(run.labels.items()):
        yield inert_line(f"{key}={value}")


def _place(git: dict[str, Any] | None) -> str:
    """``branch main @ 1a2b3c4d5e (with changes)``."""
    if not git:
        return ""
    branch, commit = git.get("branch"), git.get("commit")
    words = f"branch {inert_line(branch)}" if isinstance(branch, str) and branch else ""
    if isinstance(commit, str) and commit:
        words += f"{' @ ' if words else 'commit '}{inert_line(commit)[:10]}"
    return words + (" (with changes)" if words and git.get("dirty") is True else "")


def _counts(report: Report) -> Text:
    line = Text("  ").append(count_words(report.counts).partition(":")[0], "bold")
    for index, (state, number) in enumerate(nonzero(report.counts)):
        line.append(": " if index == 0 else ", ").append(count_word(state, number), STYLES.get(state, ""))
    if report.run.deselected:
        line.append(f" ({report.run.deselected} deselected)")
    return line


def _lost(report: Report, options: TerminalOptions) -> Iterator[Text]:
    lost = _in_states(report, "lost")
    if not lost:
        return
    yield Text()
    yield Text(f"!!! {plural(len(lost), 'test')} LOST !!!", "bold white on red")
    yield Text("  Their process ended, but no complete record of them is there. This run proves nothing about them.")
    for test in _shown(lost, options):
        yield Text("  LOST ", "bold red").append_text(head_line(test))
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
    broken = _in_states(report, "crashed", "timeout", "interrupted")
    yield from _title("Died or hung", broken)
    for test in _shown(broken, options):
        yield Text()
        yield Text(f"{state_word(test.state).upper()} ", STYLES[test.state]).append_text(head_line(test))
        if test.attempts_detail:
            attempt = deciding_attempt(test)
            # A process that dies before its shipper looks tells nobody its phase.
            phase = f"in {inert_line(attempt.phase)}" if attempt.phase else "phase unknown"
            when = (
                f"{phase}, after {duration(attempt.duration_ms)}" if attempt.duration_ms else f"{phase}, time unknown"
            )
            yield Text(f"  worker {inert_line(attempt.worker)}, {when}")
            if attempt.reason:
                yield Text(f"  {inert_line(attempt.reason)}")
            yield from error_lines(attempt, _STACK_LINES)
            yield from last_output_lines(attempt)
            yield from _captured(attempt, options)
    yield from _more(broken, options)


def _failed(report: Report, options: TerminalOptions) -> Iterator[Text]:
    failed = _in_states(report, "failed", "error")
    yield from _title("Failures", failed)
    for test in _shown(failed, options):
        yield Text()
        word = "FAILED " if test.state == "failed" else "ERROR "
        yield Text(word, STYLES[test.state]).append_text(head_line(test))
        if len(test.attempts_detail) > 1:
            yield attempt_strip(test)
        if test.attempts_detail:
            attempt = deciding_attempt(test)
            yield from error_lines(attempt, _STACK_LINES)
            yield from _captured(attempt, options)
        elif test.reason:
            yield Text(f"  {inert_line(test.reason)}")
    yield from _more(failed, options)


def _captured(attempt: AttemptInfo, options: TerminalOptions) -> Iterator[Text]:
    if options.output:
        yield from output_lines(attempt)


def _flaky(report: Report, options: TerminalOptions) -> Iterator[Text]:
    flaky = _in_states(report, "flaky")
    yield from _title("Flaky: failed, then passed", flaky)
    for test in _shown(flaky, options):
        yield Text("FLAKY ", STYLES["flaky"]).append_text(head_line(test))
        yield attempt_strip(test)
        for attempt in test.attempts_detail:
            if attempt.outcome not in BAD_OUTCOMES:
                continue
            message = attempt.error.message if attempt.error else attempt.reason
            if message:
                first = inert_line(message.strip().split("\n", 1)[0])
                yield Text(f"    attempt {attempt.attempt}: {first[:300]}", "dim")
    yield from _more(flaky, options)


def _not_run(report: Report) -> Iterator[Text]:
    missed = _in_states(report, "not_run")
    if not missed:
        return
    suites = len({test.suite for test in missed})
    yield Text()
    why = inert_line(report.run.stop_reason or state_in_words(report.run))
    words = f"{plural(len(missed), 'planned test')} in {plural(suites, 'suite')} did not run: {why}"
    yield Text(words, STYLES["not_run"])
    yield Text(f"  the first: {inert_line(missed[0].id)}")


def _slowest(report: Report) -> Iterator[Text]:
    ran = [test for test in report.tests if test.duration_ms > 0]
    slowest = sorted(ran, key=lambda test: -test.duration_ms)[:_SLOWEST]
    if len(ran) < 2:
        return
    yield from _title("Slowest", [])
    for test in slowest:
        yield labelled(f"{duration(test.duration_ms):>10}", inert_line(test.id))


def _warnings(report: Report) -> Iterator[Text]:
    if report.warnings:
        total = sum(warning.count for warning in report.warnings)
        yield Text()
        yield Text(f"{plural(total, 'warning')} ({len(report.warnings)} different)", "yellow")


def _rerun(report: Report, options: TerminalOptions) -> Iterator[Text]:
    commands = rerun_commands(report, options.cwd, options.directory)
    if commands:
        yield Text()
        yield Text("Rerun", "bold")
        for command in commands:
            yield Text(f"  {command}")


def _in_states(report: Report, *states: str) -> list[TestInfo]:
    return [test for test in report.tests if test.state in states]


def _shown(tests: list[TestInfo], options: TerminalOptions) -> list[TestInfo]:
    return tests[: options.limit] if options.limit else tests


def shown_tests(report: Report, options: TerminalOptions) -> list[str]:
    """The ids of the tests whose details :func:`report_lines` will show."""
    groups = [("crashed", "timeout", "interrupted"), ("failed", "error")]
    return [test.id for states in groups for test in _shown(_in_states(report, *states), options)]


def _title(title: str, tests: list[TestInfo]) -> Iterator[Text]:
    if tests or title == "Slowest":
        yield Text()
        yield Text(f"{title} ({len(tests)})" if tests else title, "bold")


def _more(tests: list[TestInfo], options: TerminalOptions) -> Iterator[Text]:
    hidden = len(tests) - len(_shown(tests, options))
    if hidden:
        yield Text(f"  ... and {hidden} more (--limit 0 shows all)", "dim")
