"""Failures by their cause, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from semantest_recorder.reports.failure_list import FailureCluster, FailureList
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.run_diff_lines import error_line, more_line
from semantest_recorder.reports.wording import moment, plural, shortened

_MESSAGE_MAX = 160
_TESTS = 5


def failure_lines(found: FailureList, limit: int) -> Iterator[Text]:
    """The causes, at most ``limit`` of them (0: all), each with its tests."""
    tests = {test for cluster in found.clusters for test in cluster.tests}
    one = len(found.runs) == 1
    where = f"run {inert_line(found.runs[0].id)}" if one else f"the last {plural(len(found.runs), 'run')}"
    if not found.clusters:
        yield Text(f"Nothing failed in {where}.")
        return
    yield Text(f"{plural(len(tests), 'test')} failed in {where}, of {plural(len(found.clusters), 'cause')}", "bold")
    for cluster in found.clusters[: limit or None]:
        yield Text()
        yield from _cluster(cluster, found, _TESTS if limit else 0)
    yield from more_line(len(found.clusters), limit)


def _cluster(cluster: FailureCluster, found: FailureList, tests: int) -> Iterator[Text]:
    kind, message = inert_line(cluster.type or ""), inert_line(cluster.message)
    title = ": ".join(part for part in (kind, message) if part) if not message.startswith(kind or " ") else message
    yield Text(f"{plural(len(cluster.tests), 'test')}  ", "bold red").append(shortened(title, _MESSAGE_MAX), "bold")
    yield Text(f"  cause {cluster.id}, {_when(cluster, found)}", "dim")
    yield from error_line(cluster.sample.error)
    flaky = set(cluster.flaky_tests)
    for test in cluster.tests[: tests or None]:
        yield Text(f"  {inert_line(test)}").append("  (flaky)" if test in flaky else "", "magenta")
    if tests and len(cluster.tests) > tests:
        yield Text(f"  ... and {plural(len(cluster.tests) - tests, 'more test')} (--limit 0 shows all)", "dim")


def _when(cluster: FailureCluster, found: FailureList) -> str:
    first = cluster.first_seen
    seen = f"first seen in run {inert_line(first.id)}, {moment(first.started_ms)}"
    if len(found.runs) > 1:
        return f"in {len(cluster.runs)} of {len(found.runs)} runs, {seen}, last in run {inert_line(cluster.runs[0])}"
    return "new in this run" if first.id == found.runs[0].id else seen
