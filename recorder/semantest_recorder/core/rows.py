"""The rows of a run: what the pure core computes, the store keeps and every report reads.

Times are milliseconds since the epoch, durations milliseconds. Test and suite ids, sources and run ids are the
names that events carry; the store maps them to integer keys.
"""

from __future__ import annotations

from typing import Any

import msgspec


class RunRow(msgspec.Struct):
    """One run. ``facts`` is the payload of its first ``run/start``, ``context`` of its ``run/context``."""

    id: str
    name: str | None = None
    state: str = "pending"
    exit_code: int | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    planned: int = 0
    deselected: int = 0
    stopped_early: bool = False
    stop_reason: str | None = None
    gaps: int = 0
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    facts: dict[str, Any] = msgspec.field(default_factory=dict)
    context: dict[str, Any] = msgspec.field(default_factory=dict)


class SourceRow(msgspec.Struct):
    """One process that writes events into a run. ``state``: open, ended (said so itself), crashed."""

    source: str
    run_id: str
    session: str
    worker: str
    state: str = "open"
    pid: int | None = None
    host: str | None = None
    exit_code: int | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    gaps: int = 0
    crash_reason: str | None = None
    crash_test_id: str | None = None


class ResultRow(msgspec.Struct):
    """One test in a run. ``state`` is ``pending``, ``running`` or one of ``FINAL_STATES``."""

    test_id: str
    state: str = "pending"
    position: int | None = None
    attempts: int = 0
    duration_ms: float = 0.0
    worker: str | None = None
    file: str | None = None
    line: int | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    reason: str | None = None
    markers: list[str] = msgspec.field(default_factory=list)


class AttemptRow(msgspec.Struct):
    """One attempt at a test; ``outcome`` is ``None`` while it runs.

    ``detail_seq`` is the seq (of ``source``) of the event that holds traceback and output.
    """

    test_id: str
    source: str
    attempt: int
    worker: str
    outcome: str | None = None
    phase: str = "setup"
    started_ms: float | None = None
    ended_ms: float | None = None
    duration_ms: float = 0.0
    setup_ms: float | None = None
    call_ms: float | None = None
    teardown_ms: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    error_file: str | None = None
    error_line: int | None = None
    reason: str | None = None
    last_output: str | None = None
    subtests_passed: int = 0
    subtests_failed: int = 0
    timeout_ms: float | None = None
    detail_seq: int | None = None


class SuiteRow(msgspec.Struct):
    """One suite in a run: a file or class. ``total`` counts planned tests, ``done`` those with a final state."""

    suite_id: str
    total: int = 0
    done: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    started_ms: float | None = None
    ended_ms: float | None = None


class WarningRow(msgspec.Struct):
    """One warning that pytest recorded; ``source`` and ``seq`` name its event."""

    source: str
    seq: int
    category: str
    message: str
    test_id: str | None = None
    file: str | None = None
    line: int | None = None
    count: int = 1
