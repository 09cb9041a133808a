"""Runs, results and statistics in the words of the original clients (PROTOCOL, run status), with more beside (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from pytest_semantest.protocol.events import WIRE_STATUS
from semantest_recorder.core.rows import RunRow, SuiteRow

_RUN_STATUS: Final = {
    "pending": "pending",
    "running": "running",
    "passed": "completed",
    "failed": "completed",
    "cancelled": "cancelled",
    "interrupted": "failed",
    "timeout": "failed",
}


def run_status(row: RunRow, counts: Mapping[str, int], suites: tuple[int, int]) -> dict[str, Any]:
    """The status of a run: ``counts`` of tests by state, ``suites`` in all and ended.

    ``status`` is the original's word, ``state`` the exact one.
    """
    wire = _by_status(counts)
    done = wire["passed"] + wire["failed"] + wire["skipped"]
    return {
        "runId": row.id,
        "status": _RUN_STATUS.get(row.state, row.state),
        "state": row.state,
        "name": row.name,
        "origin": "client" if row.facts.get("origin") == "client" else "pytest",
        "startTime": row.started_ms,
        "endTime": row.ended_ms,
        "stopReason": row.stop_reason,
        "totalSuites": suites[0],
        "completedSuites": suites[1],
        "totalTests": sum(counts.values()),
        "completedTests": done,
        "runningTests": wire["running"],
        "passedTests": wire["passed"],
        "failedTests": wire["failed"],
        "skippedTests": wire["skipped"],
        "flakyTests": counts.get("flaky", 0),
        "quarantinedTests": row.quarantined,
        "shardCount": row.shard_count,
        "shardsMissing": row.shards_missing,
    }


def statistics(
    events: int, runs: int, results: int, suites: int, active: Mapping[str, int], database_bytes: int
) -> dict[str, Any]:
    """Totals, with the original's names, and ``testStats`` of the runs that are not over."""
    return {
        "totalEvents": events,
        "totalTestRuns": runs,
        "totalTestResults": results,
        "totalSuiteResults": suites,
        "databaseSize": database_bytes,
        "testStats": test_stats(active),
    }


def test_stats(counts: Mapping[str, int]) -> dict[str, Any]:
    """Of tests by state: total, active, completed, passed, failed, skipped and the pass rate (0 to 1)."""
    wire = _by_status(counts)
    completed = wire["passed"] + wire["failed"] + wire["skipped"]
    judged = wire["passed"] + wire["failed"]
    return {
        "total": sum(counts.values()),
        "active": wire["running"],
        "completed": completed,
        "passed": wire["passed"],
        "failed": wire["failed"],
        "skipped": wire["skipped"],
        "passRate": wire["passed"] / judged if judged else None,
    }


def test_result(
    row: Sequence[Any], error: Sequence[Any] | None, details: Iterable[tuple[str, float, str]], *, cut: bool
) -> dict[str, Any]:
    """A result as the original gives it. ``row`` is one of query ``results_page``, ``error`` of ``error_of_test``.

    ``cut``: there are more ``details`` than these.
    """
    _key, test_id, state, duration_ms, worker, file, line, started, ended, reason, suite, retries = row
    assertions = {"passed": 0, "failed": 0, "total": 0}
    screenshots: list[str] = []
    logs: list[dict[str, Any]] = []
    for kind, at, text in details:
        payload = _object(text)
        if kind in ("test/assertion", "test/assert"):
            assertions["total"] += 1
            assertions["passed" if payload.get("type") == "pass" else "failed"] += 1
        elif kind == "test/screenshot" or (kind == "test/attachment" and payload.get("kind") == "screenshot"):
            screenshots.append(_place_of_picture(payload))
        elif kind == "test/log":
            said: dict[str, Any] = {name: payload[name] for name in ("level", "message", "data") if name in payload}
            logs.append({**said, "timestamp": at})
    return {
        "testId": test_id,
        "suiteId": suite,
        "status": WIRE_STATUS[state],
        "state": state,
        "duration": duration_ms,
        "retries": retries,
        "error": _error(error),
        "worker": worker,
        "file": file,
        "line": line,
        "startTime": started,
        "endTime": ended,
        "reason": reason,
        "assertions": assertions,
        "screenshots": screenshots,
        "logs": logs,
        "detailsCut": cut,
    }


def suite_result(row: SuiteRow) -> dict[str, Any]:
    """A suite as the original gives it; ``duration`` in milliseconds, ``None`` while it runs."""
    ended = row.ended_ms
    return {
        "suiteId": row.suite_id,
        "suiteName": row.name or row.suite_id,
        "startTime": row.started_ms,
        "endTime": ended,
        "duration": None if ended is None or row.started_ms is None else ended - row.started_ms,
        "totalTests": row.total,
        "completedTests": row.done,
        "passedTests": row.passed,
        "failedTests": row.failed,
        "skippedTests": row.skipped,
    }


def _error(row: Sequence[Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    kind, message, file, line, payload = row
    told = _object(payload or "{}").get("error")
    more = {name: told.get(name) for name in ("stack", "code")} if isinstance(told, dict) else {}
    return {"type": kind, "message": message, "file": file, "line": line, "stack": None, "code": None, **more}


def _place_of_picture(payload: Mapping[str, Any]) -> str:
    """The path that a client gave, or the route where a picture that was sent can be fetched."""
    sha256 = payload.get("sha256")
    sent = f"/api/v1/artifacts/{sha256}" if isinstance(sha256, str) else None
    return str(payload.get("path") or sent or payload.get("name") or "")


def _by_status(counts: Mapping[str, int]) -> dict[str, int]:
    found = dict.fromkeys(("pending", "running", "passed", "failed", "skipped"), 0)
    for state, number in counts.items():
        found[WIRE_STATUS[state]] += number
    return found


def _object(text: str) -> dict[str, Any]:
    try:
        payload = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}
