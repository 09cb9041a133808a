"""Why and how a run ended, as far as its tests do not say so; without any form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pytest_semantest.protocol.events import BAD_OUTCOMES, BAD_STATES
from pytest_semantest.protocol.identity import MAIN_WORKER
from semantest_recorder.reports.report import Report, RunInfo, ShardsInfo, SourceInfo, WarningInfo
from semantest_recorder.reports.wording import nonzero, plural, state_in_words

#: What a format of tests calls the run itself, where no test tells that it is not green.
RUN_ITSELF: Final = "semantest.run"
#: Where pytest's exit code alone says why a run failed.
_EXIT_CODES = {
    3: "pytest had an internal error, see its output",
    4: "pytest could not use its command line or its settings, see its output",
    5: "no test ran",
}
#: So many missing shards are named.
_SHARDS_NAMED = 10
_FAILED, _INTERRUPTED = 1, 2
#: Where pytest's exit code is 1, and no test is bad.
DECIDED_ELSEWHERE = (
    "no test failed: --semantest-strict, --semantest-fail-on, a coverage limit or another plugin decided so, "
    "see pytest's output"
)
_DEATHS = frozenset({"crashed", "timeout"})
_ONLY_DIED = re.compile(r"(?:the process|process \d+) died")


def run_reasons(report: Report) -> Iterator[str]:
    """The reasons, one line each; a run that ended as usual has none."""
    run = report.run
    if run.stop_reason:
        yield "Ctrl-C" if run.stop_reason == "KeyboardInterrupt" else run.stop_reason
    told = {attempt.source for test in report.tests for attempt in test.attempts_detail if attempt.outcome in _DEATHS}
    for source in run.sources:
        if source.state == "crashed" and source.source not in told and not is_told(run, source):
            who = "pytest" if source.worker == MAIN_WORKER else f"worker {source.worker}"
            yield f"{who}: {source.crash_reason or 'died, and nobody told why'}"
    yield from _shard_reasons(run)
    if run.sessions < run.expected_sessions:
        came = f"{run.sessions} of {plural(run.expected_sessions, 'session')} came"
        yield f"{came}: shards or jobs are missing"
    elif run.state == "failed" and not run.stop_reason and not run.gaps and not report_is_bad(report):
        yield from _exit_code_reason(run)


def _shard_reasons(run: RunInfo) -> Iterator[str]:
    """Whether the shards of a run are all there, and whether every test is in one."""
    shards = run.shards
    if shards is None:
        return
    if shards.missing:
        yield f"of {shards.of} shards {len(shards.seen)} came; {_missing_words(shards)}"
    if not shards.alike:
        yield "its shards did not collect the same tests, so nobody can say that all of them ran"
    if shards.lost:
        yield f"{plural(shards.lost, 'test')} in no shard: the shards went by different snapshots of earlier runs"


def _missing_words(shards: ShardsInfo) -> str:
    """``missing: 2, 3``."""
    numbers = ", ".join(map(str, shards.missing[:_SHARDS_NAMED]))
    more = f" and {len(shards.missing) - _SHARDS_NAMED} more" if len(shards.missing) > _SHARDS_NAMED else ""
    return f"missing: {numbers}{more}"


def is_told(run: RunInfo, source: SourceInfo) -> bool:
    """Whether the reason why the run stopped already tells that this process died."""
    told = bool(run.stop_reason) and source.worker == MAIN_WORKER
    return told and _ONLY_DIED.match(source.crash_reason or "") is not None


def report_is_bad(report: Report) -> bool:
    """Whether some test is in a bad state that counts."""
    bad = sum(number for state, number in nonzero(report.counts) if state in BAD_STATES)
    return bad > report.run.quarantined


def hidden_failure(report: Report) -> list[str]:
    """Why the run is not green, line by line, when no test says so; else nothing.

    Who reads a file that holds tests and nothing else would take such a run for green.
    """
    bad = sum(number for state, number in nonzero(report.counts) if state in BAD_OUTCOMES)
    if report.run.state == "passed" or bad > report.run.quarantined:
        return []
    return [f"the run is not green: {state_in_words(report.run, report.counts.total)}", *run_reasons(report)]


def missing_shards(report: Report) -> str:
    """``passed so far: 2 of 3 shards; missing: 3``, of a run that passed without some of its shards; else empty.

    It is no failure, and still not green: who reads a file that holds tests and nothing else is to see it there.
    """
    run = report.run
    if run.state != "passed" or run.shards is None or not run.shards.missing:
        return ""
    return f"{state_in_words(run, report.counts.total)}; {_missing_words(run.shards)}"


def shard_warnings(report: Report) -> list[WarningInfo]:
    """The same as a warning, for formats whose runs have nothing else beside an exit code."""
    told = missing_shards(report)
    return [WarningInfo("semantest.ShardsMissing", told, None, None, None, 1)] if told else []


def told_exit_code(run: RunInfo) -> int | None:
    """The exit code that tells what came of the run: pytest's own, but never 0 of a run that is not green.

    ``None`` when pytest never came to its end.
    """
    if run.exit_code or run.state == "passed":
        return run.exit_code or 0
    if run.state == "failed":
        return _FAILED
    return _INTERRUPTED if run.exit_code == 0 and run.state not in ("pending", "running") else None


def _exit_code_reason(run: RunInfo) -> Iterator[str]:
    """No test is bad, and still pytest's exit code is not 0."""
    if run.exit_code in _EXIT_CODES:
        yield _EXIT_CODES[run.exit_code]
    elif run.exit_code:
        yield DECIDED_ELSEWHERE
