"""The public shape of what a coding agent is told of a run, for clients that take structured content."""

from __future__ import annotations

from semantest_recorder.reports.agent.brief import AgentOptions, agent_rerun
from semantest_recorder.reports.agent.causes import Cause, causes_of
from semantest_recorder.reports.agent.evidence import evidence_of
from semantest_recorder.reports.agent.standing_words import standing_words
from semantest_recorder.reports.agent.traceback_lines import Frame
from semantest_recorder.reports.checkout import branch_and_commit
from semantest_recorder.reports.exporters.exporter import ExportedRun
from semantest_recorder.reports.report import REPORT_SCHEMA, Counts, Public
from semantest_recorder.reports.run_reasons import run_reasons
from semantest_recorder.reports.wording import is_green

#: Causes whose details are read; of more there is no room for them in any budget.
_WITH_DETAILS = 20


class AgentPlace(Public):
    """A line of the project's own code; ``source`` is empty when it is not known."""

    file: str
    line: int
    source: str


class AgentCause(Public):
    """Tests that failed by one cause; ``standing``: how the first of them stands among earlier runs, in words.

    ``kind`` is that in one word: ``new``, ``failing``, ``always failing``, ``flaky``; ``unknown`` where nobody looked.
    ``quarantined``: it does not count. ``places``, ``error`` and ``output`` are those of the first test, outermost
    place first.
    """

    id: str
    message: str
    state: str
    kind: str
    standing: str
    quarantined: bool
    tests: list[str]
    places: list[AgentPlace]
    error: list[str]
    output: list[str]


class AgentReport(Public, kw_only=True):
    """A run for a coding agent; ``green``: it passed and is whole.

    ``rerun`` is a shell line, ``None`` when there is nothing to run again.
    """

    schema: int = REPORT_SCHEMA
    run: str
    state: str
    green: bool
    branch: str | None
    commit: str | None
    reasons: list[str]
    rerun: str | None
    counts: Counts
    causes: list[AgentCause]


def agent_report(run: ExportedRun, options: AgentOptions) -> AgentReport:
    """The shape of a run. Raises what the functions that read it raise."""
    report = run.report
    branch, commit = branch_and_commit(report.run.git, report.run.ci)
    causes = causes_of(report, run.standings)
    return AgentReport(
        run=report.run.id,
        state=report.run.state,
        green=is_green(report.run.state, report.run.shards_missing),
        branch=branch,
        commit=commit,
        reasons=list(run_reasons(report)),
        rerun=agent_rerun(report, options),
        counts=report.counts,
        causes=[_cause(run, cause, detailed=number < _WITH_DETAILS) for number, cause in enumerate(causes)],
    )


def _cause(run: ExportedRun, cause: Cause, *, detailed: bool) -> AgentCause:
    found = evidence_of(run.with_details(cause.tests[0])) if detailed else None
    places = [found.test_place, found.place] if found is not None else []
    return AgentCause(
        id=cause.id,
        message=cause.message,
        state=cause.tests[0].state,
        kind=cause.standing.kind if cause.standing is not None else "unknown",
        standing=standing_words(cause.standing),
        quarantined=cause.forgiven,
        tests=[test.id for test in cause.tests],
        places=[_place(place) for place in places if place is not None],
        error=found.error if found is not None else [],
        output=[f"{stream}: {line}" for stream, line in found.output] if found is not None else [],
    )


def _place(frame: Frame) -> AgentPlace:
    return AgentPlace(frame.file, frame.line, frame.source)
