"""The public shape of failures by their cause: what ``semantest failures --json`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from semantest_recorder.core.analysis.clustering import Cluster
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.report import REPORT_SCHEMA, ErrorInfo, Public
from semantest_recorder.reports.run_diff import error_info


class SeenRun(Public):
    """A run and when it started."""

    id: str
    started_at: str | None
    started_ms: float | None


class FailureSample(Public):
    """One failure of a cause: the first of the newest run that has it."""

    run: str
    test: str
    error: ErrorInfo


class FailureCluster(Public):
    """Failures of one cause.

    ``message``: what their messages have in common; ``failures``: how many in all runs that were looked at;
    ``flaky_tests``: those that passed in the end, in every one of these runs; ``first_seen``: the first recorded run in
    which one of these tests failed like this.
    """

    id: str
    type: str | None
    message: str
    file: str | None
    failures: int
    tests: list[str]
    flaky_tests: list[str]
    runs: list[str]
    first_seen: SeenRun
    sample: FailureSample


class FailureList(Public, kw_only=True):
    """The failures of ``runs`` (newest first), the cause with the most tests first."""

    schema: int = REPORT_SCHEMA
    runs: list[SeenRun]
    clusters: list[FailureCluster]


def failure_list(
    run_ids: Iterable[str], clusters: Iterable[Cluster], since: Mapping[str, str], started: Mapping[str, float | None]
) -> FailureList:
    """The public shape; ``since``: the first run of each cluster, ``started``: when runs did, in ms."""
    return FailureList(
        runs=[_seen(run_id, started) for run_id in run_ids],
        clusters=[_cluster(cluster, _seen(since[cluster.id], started)) for cluster in clusters],
    )


def _seen(run_id: str, started: Mapping[str, float | None]) -> SeenRun:
    return SeenRun(run_id, iso_time(started.get(run_id)), started.get(run_id))


def _cluster(cluster: Cluster, first: SeenRun) -> FailureCluster:
    newest, broken = cluster.occurrences[0], set(cluster.broken)
    return FailureCluster(
        id=cluster.id,
        type=cluster.type,
        message=cluster.message,
        file=cluster.file,
        failures=len(cluster.occurrences),
        tests=cluster.tests,
        flaky_tests=[test_id for test_id in cluster.tests if test_id not in broken],
        runs=cluster.runs,
        first_seen=first,
        sample=FailureSample(newest.run_id, newest.failure.test_id, error_info(newest.failure)),
    )
