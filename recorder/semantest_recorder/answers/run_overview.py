"""One run for whoever wants to know what came of it, and why."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

from semantest_recorder.answers.run_causes import Cause, RunCauses, causes_of_run
from semantest_recorder.answers.run_counts import run_counts
from semantest_recorder.answers.stored_history import StoredHistory, stored_history
from semantest_recorder.core.rerun_chain import rerun_of
from semantest_recorder.core.rows import RunRow
from semantest_recorder.owed_reading import chain_of
from semantest_recorder.reports.aggregate import RunRows, add_test_details, chain_info, run_info, test_infos
from semantest_recorder.reports.chain_words import chain_words
from semantest_recorder.reports.named_jobs import name_jobs
from semantest_recorder.reports.report import ChainInfo, Report, RunInfo, TestInfo
from semantest_recorder.reports.run_list import RunSummary, run_summary
from semantest_recorder.reports.run_reasons import run_reasons
from semantest_recorder.stored_run import StoredPayloads

_SLOWEST = 5
#: The usual duration is the median of so many runs, and is not told of fewer than the second number.
_DURATIONS, _DURATIONS_MIN = 20, 3
#: Tests of which processes died, by which the run tells why.
_DEATHS = 200


class RunOverview(NamedTuple):
    """What a person wants to know first.

    ``reasons``: why it ended so as far as its tests do not say it; ``chain`` and its words: of a run that has to do
    with reruns. ``before``: the run before it, of its branch. ``usual_ms``: what the branch's runs took of late.
    """

    run: RunInfo
    reasons: list[str]
    chain: ChainInfo | None
    chain_words: str | None
    causes: RunCauses
    before: RunSummary | None
    usual_ms: float | None
    slowest: list[TestInfo]
    warnings: int


def run_overview(database: Path, run_id: str, tracebacks: int) -> RunOverview:
    """The run with this id; the first causes, so many of them, with tracebacks. Raises what ``Reader`` raises."""
    with stored_history(database) as history:
        run = history.reader.run_by_id(run_id)
        report = _report(database, history, run)
        causes = causes_of_run(history, run_id)
        _add_tracebacks(database, causes.told[:tracebacks])
        before = history.runs.run_before(run_id)
        usual = history.runs.past_durations(run_id, _DURATIONS)
        reader = history.reader
        return RunOverview(
            run=report.run,
            reasons=list(run_reasons(report)),
            chain=report.chain,
            chain_words=chain_words(report),
            causes=causes,
            before=_summary(database, reader.run_by_id(before)) if before is not None else None,
            usual_ms=median(usual) if len(usual) >= _DURATIONS_MIN else None,
            slowest=test_infos(reader.slowest(run_id, _SLOWEST), []),
            warnings=reader.warnings_told(run_id),
        )


def _report(database: Path, history: StoredHistory, run: RunRow) -> Report:
    """The run with its counts and chain; of its tests those of which processes died."""
    reader = history.reader
    sources = reader.sources(run.id)
    died = reader.results_in(run.id, ("crashed", "timeout"), _DEATHS)
    tests = test_infos(died, reader.attempts_of(run.id, [result.test_id for result in died]) if died else [])
    planned = reader.planned(run.id) if run.shard_count else 0  # it says how many tests are in no shard
    report = Report(
        run=run_info(run, sources, planned),
        counts=run_counts(database, [run])[0],
        tests=tests,
        suites=[],
        warnings=[],
    )
    if report.run.sessions > 1:
        name_jobs(report, reader.origins(run.id))
    if rerun_of(run.facts) or any(run.id in named for named in reader.reruns().values()):
        rows = RunRows(run, sources, reader.results(run.id), [], [], [])
        owed = chain_of(reader, rows)
        report.chain = chain_info(owed) if owed is not None else None
    return report


def _add_tracebacks(database: Path, causes: Iterable[Cause]) -> None:
    with closing(StoredPayloads(database)) as payloads:
        for cause in causes:
            add_test_details(cause.test, payloads)


def _summary(database: Path, run: RunRow) -> RunSummary:
    return run_summary(run, run_counts(database, [run])[0])
