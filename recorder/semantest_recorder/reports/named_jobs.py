"""The jobs of a run in its report: which shard or job of CI each source, attempt and test is of."""

from __future__ import annotations

from collections.abc import Sequence

from semantest_recorder.core.jobs import SessionOrigin, job_names
from semantest_recorder.reports.report import Report
from semantest_recorder.reports.verdict import final_attempt


def name_jobs(report: Report, origins: Sequence[SessionOrigin]) -> None:
    """Fills in the names; of a run of one session there are none, nor of tests whose attempts are not at hand.

    A label that is not the same in all jobs says something of jobs, so the run is left without it.
    """
    names = job_names(origins)
    if not names:
        return
    shared = set.intersection(*(set(origin.labels.items()) for origin in origins))
    report.run.labels = dict(pair for pair in report.run.labels.items() if pair in shared)
    by_source = {}
    for source in report.run.sources:
        source.job = by_source[source.source] = names.get(source.session)
    for test in report.tests:
        for attempt in test.attempts_detail:
            attempt.job = by_source.get(attempt.source)
        final = final_attempt(test)
        test.job = final.job if final is not None else None
