"""The rows of a run: what the pure core computes, the store keeps and every report reads.

Times are milliseconds since the epoch, durations milliseconds. Test and suite ids, sources and run ids are the
names that events carry; the store maps them to integer keys.
"""

from __future__ import annotations

from typing import Any

import msgspec


class RunRow(msgspec.Struct):
    """One run. ``facts`` is the payload of its first ``run/start``, ``context`` of its ``run/context``.

    First is the source that started first (then the smaller name): ``facts_source`` and ``context_source``.
    ``planned`` counts the tests of every plan, those included whose names a gap hides, ``quarantined`` the bad tests
    that do not count, ``left_out`` those that a budget left out. ``shard_count``: of how many shards it is, 0 for a run
    with a session that is none; ``shards_missing`` of them did not come.
    """

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
    quarantined: int = 0
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    facts: dict[str, Any] = msgspec.field(default_factory=dict)
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    facts_source: str | None = None
    context_source: str | None = None
    left_out: int = 0
    shard_count: int = 0
    shards_missing: int = 0


class SourceRow(msgspec.Struct):
    """One process that writes events into a run.

    ``state``: ``open``, ``ended`` (it said so itself), ``closed`` (its session ended without a word of it) or
    ``crashed``. A source that only a crash report named has ``last_seq`` 0. ``planned`` is the size of the plan that
    it announced, ``plan_known`` how many of those tests it named, ``plan_spans`` which places these have (spans.py);
    ``dropped`` counts records that it could not write; ``expected``: how many sessions it says that the run is to have;
    ``selection`` is what its session chose (selections.py).
    """

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
    last_seq: int = 0
    last_ms: float | None = None
    planned: int = 0
    plan_known: int = 0
    deselected: int = 0
    dropped: int = 0
    stopped_early: bool = False
    stop_reason: str | None = None
    interrupted: bool = False
    cancelled: bool = False
    timed_out: bool = False
    plan_spans: str = ""
    expected: int = 0
    selection: str | None = None


class CrashRow(msgspec.Struct):
    """One report (event ``seq`` of ``reporter``) that the process behind ``source`` died."""

    reporter: str
    seq: int
    source: str
    time_ms: float
    reason: str | None = None
    test_id: str | None = None
    attempt: int | None = None
    phase: str | None = None
    elapsed_ms: float | None = None
    last_output: str | None = None


class ResultRow(msgspec.Struct, gc=False):
    """One test in a run. ``state`` is ``pending``, ``running`` or one of ``FINAL_STATES``.

    ``position`` is its place in the plan, ``None`` when it was not planned. ``attempts`` counts distinct attempt
    numbers. ``duration_ms``, ``worker`` and ``reason`` are those of the attempt that decided the state. ``suite_id`` is
    the suite that a client named, ``None`` when it follows from the id. ``fingerprint`` is the checksum of
    its function's lines, ``quarantine`` the JSON text of a ``payloads.Quarantine``. ``repetitions``: how often it was
    to run, ``None`` for once. ``forgiven``: its state is a bad one, and does not count against the run.
    """

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
    suite_id: str | None = None
    fingerprint: str | None = None
    quarantine: str | None = None
    repetitions: int | None = None
    forgiven: bool = False
    markers: tuple[str, ...] = ()


class AttemptRow(msgspec.Struct, gc=False):
    """One attempt at a test; ``outcome`` is ``None`` while it runs.

    ``detail_seq`` is the seq (of ``source``) of the event that holds traceback and output. ``judged``: the outcome
    follows from the end of its process, no ``test/end`` came. ``guessed``: only a crash report names it.
    ``forgiven``: pytest did not count its failure, for its test is in quarantine.
    ``phase`` is the phase that failed, else the last one that is known, ``None`` when nothing says how far it came.
    """

    test_id: str
    source: str
    attempt: int
    worker: str
    outcome: str | None = None
    phase: str | None = None
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
    will_retry: bool = False
    judged: bool = False
    guessed: bool = False
    forgiven: bool = False


class SuiteRow(msgspec.Struct):
    """One suite in a run: a file or class. ``total`` counts its results, ``done`` those with a final state.

    ``passed``, ``failed`` and ``skipped`` are wire statuses and add up to ``done``. ``name``, ``told_started_ms`` and
    ``told_ended_ms`` are what clients said of it.
    """

    suite_id: str
    total: int = 0
    done: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    started_ms: float | None = None
    ended_ms: float | None = None
    name: str | None = None
    told_started_ms: float | None = None
    told_ended_ms: float | None = None


class TestEventRow(msgspec.Struct, gc=False):
    """Where in the log an event about a test is: a step, log, assertion, screenshot or attachment."""

    test_id: str
    source: str
    seq: int
    attempt: int
    type: str


class PictureRow(msgspec.Struct, gc=False):
    """Where in the log an event is that may tell of a picture; ``failed``: whether an attempt of its test did."""

    test_id: str
    source: str
    seq: int
    type: str
    failed: bool


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
