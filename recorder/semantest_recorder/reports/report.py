"""The public shape of a run: what ``semantest report --json`` prints and every other rendering reads.

Fields are only added within one ``REPORT_SCHEMA``. Times in ``...Ms`` are milliseconds since the epoch, durations
milliseconds, ``...At`` the same moment as ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType, field

REPORT_SCHEMA: Final = 1


class Public(msgspec.Struct, rename="camel"):
    """Base of what is printed as JSON: camelCase names."""


class SourceInfo(Public):
    """One process that wrote into the run; ``state``: open, ended, crashed.

    ``job``: its shard or job of CI, where the run has several sessions.
    """

    source: str
    worker: str
    session: str
    state: str
    pid: int | None = None
    host: str | None = None
    exit_code: int | None = None
    started_at: str | None = None
    started_ms: float | None = None
    ended_at: str | None = None
    ended_ms: float | None = None
    gaps: int = 0
    crash_reason: str | None = None
    crash_test_id: str | None = None
    job: str | None = None


class ImportedFrom(Public):
    """A file that was imported; ``format`` as in ``semantest import --format``, ``tool``: who wrote it."""

    name: str
    format: str
    tool: str
    sha256: str


class ShardsInfo(Public):
    """The shards of a run: of how many, the numbers of those that came and of those that did not.

    ``alike``: all collected the same tests. ``lost`` counts tests that are in no shard although all came, ``doubled``
    how often a test is in one more than needed.
    """

    of: int
    seen: list[int]
    missing: list[int]
    alike: bool
    lost: int
    doubled: int


class SelectionInfo(Public):
    """What one session chose of the tests that it collected, and by what.

    ``order`` is a policy, ``None`` for the order of collection; ``shard``: ``index`` (from 1) and ``of``; ``budget``:
    ``limitMs``, ``expectedMs``, ``workers``, ``always`` (tests that run whatever the budget is); ``leftOut``: how many
    for ``shard`` and ``budget``; ``snapshot``: ``checksum``, ``runs``, ``untilMs`` of what was known of earlier runs;
    ``repeat``: how many ``tests`` had never passed and were to run so many ``times``.
    """

    session: str
    collected: int
    left_out: dict[str, int]
    order: str | None = None
    shard: dict[str, int] | None = None
    budget: dict[str, float] | None = None
    snapshot: dict[str, Any] | None = None
    repeat: dict[str, int] | None = None


class RunHead(Public):
    """What every rendering says of a run first.

    ``shard_count``: of how many shards the run is, 0 when it is not of shards; ``shards_missing`` of them did not come.
    A run that ``passed`` without them passed so far.
    """

    id: str
    name: str | None
    state: str
    exit_code: int | None
    started_at: str | None
    started_ms: float | None
    ended_at: str | None
    ended_ms: float | None
    duration_ms: float | None
    shard_count: int
    shards_missing: int


class RunInfo(RunHead):
    """The run itself. ``gaps`` counts records that cannot be read or were never written: such a run never passed.

    ``origin``: ``pytest``, ``client`` for a run that another program started, or ``import``; ``imported_from`` are the
    files of that. ``sessions`` counts those that came, ``expected_sessions`` is 0 when nobody says how many there are.
    ``quarantined``: how many tests are in a bad state that does not count.
    ``left_out``: tests that a budget left out; ``selections``: of the sessions that chose or ordered tests; ``shards``:
    where all sessions are shards; ``rerun_of``: the runs of which it ran what they owed; ``traceparent``: the span
    in which pytest was started (W3C Trace Context).
    """

    stopped_early: bool
    stop_reason: str | None
    planned: int
    deselected: int
    gaps: int
    labels: dict[str, str] = field(default_factory=dict)
    git: dict[str, Any] | None = None
    ci: dict[str, Any] | None = None
    environment: dict[str, Any] | None = None
    rootdir: str | None = None
    cwd: str | None = None
    args: list[str] = field(default_factory=list)
    distribution: dict[str, Any] | None = None
    sources: list[SourceInfo] = field(default_factory=list)
    origin: str = "pytest"
    imported_from: list[ImportedFrom] = field(default_factory=list)
    sessions: int = 0
    expected_sessions: int = 0
    quarantined: int = 0
    left_out: int = 0
    selections: list[SelectionInfo] = field(default_factory=list)
    shards: ShardsInfo | None = None
    rerun_of: list[str] = field(default_factory=list)
    traceparent: str | None = None


class Counts(msgspec.Struct):
    """How many tests are in each state; all but ``total`` add up to ``total``.

    ``pending`` and ``running`` are there only while the run is not closed.
    """

    total: int = 0
    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    flaky: int = 0
    crashed: int = 0
    timeout: int = 0
    interrupted: int = 0
    not_run: int = 0
    lost: int = 0
    pending: int | UnsetType = UNSET
    running: int | UnsetType = UNSET


class ErrorInfo(Public):
    """Why an attempt is bad. ``stack`` is there when the event with the details was read.

    So is ``teardown``: the error of a teardown that failed after the test had failed already.
    """

    message: str | None = None
    type: str | None = None
    file: str | None = None
    line: int | None = None
    phase: str | None = None
    stack: str | None = None
    teardown: ErrorInfo | None = None


class Output(Public):
    """Captured text; ``dropped`` counts characters that were left out of it."""

    stream: str
    text: str
    phase: str | None = None
    dropped: int = 0


class PhaseTimes(Public):
    """Milliseconds in each phase, ``None`` for one that did not end."""

    setup: float | None = None
    call: float | None = None
    teardown: float | None = None


class SubtestFailure(Public):
    """One subtest that failed."""

    description: str
    message: str | None = None


class SubtestCounts(Public):
    """Subtests of an attempt. ``failures`` are there when the events with the details were read."""

    passed: int = 0
    failed: int = 0
    failures: list[SubtestFailure] = field(default_factory=list)


class StepInfo(Public):
    """A step that a test told of. ``status``: passed, failed, skipped, ``open`` for one whose end is not there."""

    step_id: str | None
    name: str
    status: str
    seq: int
    duration_ms: float | None = None
    error: ErrorInfo | None = None
    steps: list[StepInfo] = field(default_factory=list)


class LogInfo(Public):
    """A line that a test told; ``step_id``: in this step.

    ``level``: ``debug info warn warning error``, or ``event`` for one of its own, whose type is the message.
    """

    level: str
    message: str
    data: Any
    step_id: str | None
    seq: int


class AttachmentInfo(Public):
    """A file that belongs to an attempt; ``kind``: attachment or screenshot. ``place``: where it is on this machine.

    ``omitted`` says why it is not kept; there is no ``sha256`` then.
    """

    name: str
    kind: str
    media_type: str | None
    size: int | None
    sha256: str | None
    place: str | None
    omitted: str | None
    step_id: str | None
    seq: int


class AttemptInfo(Public):
    """One attempt. ``phase`` is the one it reached last, ``None`` when nobody saw it.

    ``seq`` (of ``source``) is the event with its details. ``steps``, ``logs`` and ``attachments`` are there when the
    events with the details were read; ``events_left_out`` counts those beyond what is read of one test.
    """

    attempt: int
    source: str
    worker: str
    outcome: str | None
    phase: str | None
    started_at: str | None
    started_ms: float | None
    duration_ms: float
    phases: PhaseTimes
    error: ErrorInfo | None = None
    reason: str | None = None
    subtests: SubtestCounts = field(default_factory=SubtestCounts)
    timeout_ms: float | None = None
    last_output: str | None = None
    output: list[Output] = field(default_factory=list)
    user_properties: list[list[Any]] = field(default_factory=list)
    steps: list[StepInfo] = field(default_factory=list)
    logs: list[LogInfo] = field(default_factory=list)
    attachments: list[AttachmentInfo] = field(default_factory=list)
    events_left_out: int = 0
    seq: int | None = None
    job: str | None = None


class QuarantineInfo(Public):
    """Why a test is in quarantine; ``entry`` is what the list calls it, ``expires`` the last day on which that holds.

    ``forgiven``: the test is in a bad state, which does not count against the run.
    """

    entry: str
    reason: str
    owner: str
    expires: str
    issue: str | None
    forgiven: bool


class TestInfo(Public):
    """One test of the run. ``params`` is the part of the id in brackets; ``error`` that of its last bad attempt.

    ``job``: which shard or job of CI decided its state, where the run has several and its attempts are at hand.
    ``repetitions``: how often it was to run at most, as a test that had never passed; its attempts are no retries then.
    """

    __test__ = False

    id: str
    state: str
    attempts: int
    duration_ms: float
    worker: str | None
    file: str | None
    line: int | None
    suite: str
    name: str
    params: str | None
    markers: list[str]
    reason: str | None
    quarantine: QuarantineInfo | None = None
    error: ErrorInfo | None = None
    attempts_detail: list[AttemptInfo] = field(default_factory=list)
    job: str | None = None
    repetitions: int | None = None


def is_forgiven(test: TestInfo) -> bool:
    """Whether the test is in a bad state that does not count: it was in quarantine."""
    return test.quarantine is not None and test.quarantine.forgiven


class SuiteInfo(Public):
    """One file or class. ``total`` counts planned tests, ``done`` those with a final state."""

    id: str
    total: int
    done: int
    passed: int
    failed: int
    skipped: int
    started_ms: float | None
    ended_ms: float | None
    duration_ms: float | None


class WarningInfo(Public):
    """One warning that pytest recorded, ``count`` times."""

    category: str
    message: str
    test_id: str | None
    file: str | None
    line: int | None
    count: int


class ChainInfo(Public):
    """A run together with those that it reran and those that reran it; ``runs``: their ids, the oldest first.

    ``state``: ``passed``, ``failed`` or ``running``, of all of them as one. ``tests`` counts those that they name,
    ``outstanding`` those that failed or never ran, and did not pass since. ``complete``: no test is unknown by name.
    ``missing``: runs that belong to them and are not there any more.
    """

    runs: list[str]
    state: str
    tests: int
    outstanding: int
    complete: bool
    missing: list[str] = field(default_factory=list)


class Report(msgspec.Struct, kw_only=True):
    """A run with everything in it; tests in the order of the plan. ``chain``: of one that has to do with reruns."""

    schema: int = REPORT_SCHEMA
    run: RunInfo
    counts: Counts
    tests: list[TestInfo]
    suites: list[SuiteInfo]
    warnings: list[WarningInfo]
    chain: ChainInfo | None = None
