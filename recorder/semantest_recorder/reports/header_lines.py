"""The head of a report: which run, what came of it and why, when and where, and the counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from pytest_semantest.protocol.events import BAD_STATES
from pytest_semantest.protocol.identity import CLIENT_WORKER, MAIN_WORKER, SHIPPER_WORKER
from semantest_recorder.reports.attempt_lines import STYLES
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Report, RunInfo, SourceInfo
from semantest_recorder.reports.wording import (
    count_word,
    count_words,
    duration,
    moment,
    nonzero,
    plural,
    state_in_words,
)

#: Where pytest's exit code alone says why a run failed.
_EXIT_CODES = {
    3: "pytest had an internal error, see its output",
    4: "pytest could not use its command line or its settings, see its output",
    5: "no test ran",
}
_DEATHS = frozenset({"crashed", "timeout"})
_ONLY_DIED = re.compile(r"(?:the process|process \d+) died")

_NO_WORKERS = (MAIN_WORKER, SHIPPER_WORKER, CLIENT_WORKER)


def header_lines(report: Report) -> Iterator[Text]:
    """Run, state and reason, when, where, and the counts of all states that are not zero."""
    run = report.run
    title = Text("Run ").append(inert_line(run.id), "bold")
    if run.name:
        title.append(f" ({inert_line(run.name)})")
    yield title.append(": ").append(inert_line(state_in_words(run, report.counts.total)), STYLES.get(run.state, ""))
    for reason in _reasons(report):
        yield Text("  ").append(inert_line(reason), STYLES.get(run.state, ""))
    yield Text("  " + ", ".join(_facts(run)))
    yield _counts(report)
    if run.gaps:
        yield Text()
        yield Text(f"!!! {plural(run.gaps, 'record')} MISSING !!!", "bold white on red")
        yield Text(
            "  They cannot be read (see semantest doctor). Tests or results may be missing: this run is not green."
        )


def _reasons(report: Report) -> Iterator[str]:
    """Why the run ended as it did, as far as its tests do not say so."""
    run = report.run
    if run.stop_reason:
        yield "Ctrl-C" if run.stop_reason == "KeyboardInterrupt" else run.stop_reason
    told = {attempt.source for test in report.tests for attempt in test.attempts_detail if attempt.outcome in _DEATHS}
    for source in run.sources:
        if source.state == "crashed" and source.source not in told and not is_told(run, source):
            who = "pytest" if source.worker == MAIN_WORKER else f"worker {source.worker}"
            yield f"{who}: {source.crash_reason or 'died, and nobody told why'}"
    if run.state == "failed" and not run.stop_reason and not run.gaps and not report_is_bad(report):
        yield from _exit_code_reason(run)


def is_told(run: RunInfo, source: SourceInfo) -> bool:
    """Whether the reason why the run stopped already tells that this process died."""
    told = bool(run.stop_reason) and source.worker == MAIN_WORKER
    return told and _ONLY_DIED.match(source.crash_reason or "") is not None


def report_is_bad(report: Report) -> bool:
    """Whether some test is in a bad state."""
    return any(state in BAD_STATES for state, _ in nonzero(report.counts))


def _exit_code_reason(run: RunInfo) -> Iterator[str]:
    """No test is bad, and still pytest's exit code is not 0."""
    if run.exit_code in _EXIT_CODES:
        yield _EXIT_CODES[run.exit_code]
    elif run.exit_code:
        yield "no test failed: --semantest-strict, a coverage limit or another plugin decided so, see pytest's output"


def _facts(run: RunInfo) -> Iterator[str]:
    yield f"started {moment(run.started_ms)}"
    if run.duration_ms is not None:
        yield f"took {duration(run.duration_ms)}"
    place = _place(run.git)
    if place:
        yield place
    yield from _workers(run)
    if run.exit_code is not None:
        yield f"exit code {run.exit_code}"
    for key, value in sorted(run.labels.items()):
        yield inert_line(f"{key}={value}")


def _workers(run: RunInfo) -> Iterator[str]:
    """How many processes ran tests at a time: xdist replaces a worker that died by one with a new name."""
    workers = [source for source in run.sources if source.worker not in _NO_WORKERS]
    if not workers:
        return
    distribution = run.distribution or {}
    asked, mode = distribution.get("workers"), distribution.get("mode")
    one_session = len({source.session for source in run.sources}) == 1
    number = asked if one_session and isinstance(asked, int) and asked > 0 else len(workers)
    yield plural(number, "worker") + (f" ({inert_line(mode)})" if isinstance(mode, str) else "")


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
