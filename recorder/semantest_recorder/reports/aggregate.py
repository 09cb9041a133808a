"""From the rows of a run to its report. Pure: details of events come through a function argument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from pytest_semantest.protocol.events import BAD_OUTCOMES, FINAL_STATES
from pytest_semantest.protocol.identity import MAIN_WORKER, split_params, suite_of
from semantest_recorder.core.jobs import SessionOrigin
from semantest_recorder.core.payloads import Quarantine
from semantest_recorder.core.rerun_chain import Owed, rerun_of
from semantest_recorder.core.rows import AttemptRow, ResultRow, RunRow, SourceRow, SuiteRow, WarningRow
from semantest_recorder.core.selections import SessionSelection, selections_of, shards_of
from semantest_recorder.reports.named_jobs import name_jobs
from semantest_recorder.reports.report import (
    AttemptInfo,
    ChainInfo,
    Counts,
    ErrorInfo,
    ImportedFrom,
    Output,
    PhaseTimes,
    QuarantineInfo,
    Report,
    RunInfo,
    SelectionInfo,
    ShardsInfo,
    SourceInfo,
    SubtestCounts,
    SubtestFailure,
    SuiteInfo,
    TestInfo,
    WarningInfo,
)

#: ``(source, seq)`` to the payload of that event, ``None`` when there is none.
PayloadOf = Callable[[str, int], Mapping[str, Any] | None]

_EXPLAINED = frozenset({"failed", "error", "flaky", "crashed", "timeout", "interrupted", "lost", "running"})

#: How many failed subtests of an attempt are read, and how many other events may stand among those of its subtests.
_SUBTESTS = 20
_BETWEEN_SUBTESTS = 64

#: Run states after which nothing more is expected.
CLOSED_RUN_STATES = frozenset({"passed", "failed", "cancelled", "interrupted", "timeout"})


class RunRows(msgspec.Struct):
    """All rows of one run; ``chain``: what it owes with its reruns, for one that has to do with reruns."""

    run: RunRow
    sources: list[SourceRow]
    results: list[ResultRow]
    attempts: list[AttemptRow]
    suites: list[SuiteRow]
    warnings: list[WarningRow]
    #: Of a run of several sessions, where it is out of the database.
    origins: list[SessionOrigin] = msgspec.field(default_factory=list)
    chain: Owed | None = None


def aggregate(rows: RunRows, *, explained_only: bool = False, only: str | None = None) -> Report:
    """The report of a run, without tracebacks and captured output (see :func:`add_details`).

    With ``explained_only`` tests that went straight to a good end, most of a large run, come without attempts.
    ``only``: the test with this id is wanted; the others are counted and come not at all.
    """
    attempts: dict[str, list[AttemptRow]] = {result.test_id: [] for result in rows.results if is_explained(result)}
    for attempt in rows.attempts:
        if explained_only and attempt.test_id not in attempts:
            continue
        attempts.setdefault(attempt.test_id, []).append(attempt)
    wanted = [result for result in rows.results if only in (None, result.test_id)]
    tests = [_test(result, attempts.get(result.test_id, ())) for result in sorted(wanted, key=_plan_order)]
    report = Report(
        run=run_info(rows.run, rows.sources, sum(result.position is not None for result in rows.results)),
        counts=count_states((result.state for result in rows.results), closed=rows.run.state in CLOSED_RUN_STATES),
        tests=tests,
        suites=[suite_info(suite) for suite in rows.suites],
        warnings=[
            WarningInfo(row.category, row.message, row.test_id, row.file, row.line, row.count) for row in rows.warnings
        ],
        chain=chain_info(rows.chain) if rows.chain is not None else None,
    )
    name_jobs(report, rows.origins)
    return report


def test_infos(results: Iterable[ResultRow], attempts: Iterable[AttemptRow]) -> list[TestInfo]:
    """The tests as a report has them, in the order of ``results``, with those of ``attempts`` that are theirs."""
    own: dict[str, list[AttemptRow]] = {}
    for attempt in attempts:
        own.setdefault(attempt.test_id, []).append(attempt)
    return [_test(result, own.get(result.test_id, ())) for result in results]


def test_ids(rows: RunRows) -> list[str]:
    """The ids of the tests of a run, in the order of its report."""
    return [result.test_id for result in sorted(rows.results, key=_plan_order)]


def count_states(states: Iterable[str], *, closed: bool) -> Counts:
    """The counts of ``states``, as :func:`counts_of` gives them."""
    return counts_of(Counter(states), closed=closed)


def counts_of(numbers: Mapping[str, int], *, closed: bool) -> Counts:
    """Counts for ``{state: number}``; ``pending`` and ``running`` are left out of a ``closed`` run that has none."""
    counts = Counts(total=sum(numbers.values()), **{state: numbers.get(state, 0) for state in FINAL_STATES})
    if not closed or numbers.get("pending") or numbers.get("running"):
        counts.pending = numbers.get("pending", 0)
        counts.running = numbers.get("running", 0)
    return counts


def add_details(report: Report, payload_of: PayloadOf, test_ids: Iterable[str]) -> None:
    """Fill in tracebacks, captured output and user properties of the attempts of ``test_ids``."""
    wanted = set(test_ids)
    for test in report.tests:
        if test.id in wanted:
            add_test_details(test, payload_of)


def add_test_details(test: TestInfo, payload_of: PayloadOf) -> None:
    """The same for one test."""
    for attempt in test.attempts_detail:
        payload = payload_of(attempt.source, attempt.seq) if attempt.seq is not None else None
        if payload is not None:
            _add_payload(attempt, payload)
        if attempt.subtests.failed:
            attempt.subtests.failures = _failed_subtests(attempt, test.id, payload_of)
    test.error = _last_error(test.attempts_detail)


def _failed_subtests(attempt: AttemptInfo, test_id: str, payload_of: PayloadOf) -> list[SubtestFailure]:
    """The last failed subtests, from their events: those between the start of the attempt and its details."""
    found: list[SubtestFailure] = []
    counts, last = attempt.subtests, attempt.seq or 0
    for seq in range(last - 1, max(0, last - counts.passed - counts.failed - _BETWEEN_SUBTESTS), -1):
        payload = payload_of(attempt.source, seq) or {}
        own = payload.get("testId") == test_id
        if len(found) == min(counts.failed, _SUBTESTS) or (own and "testName" in payload):
            break
        description = _text(payload.get("description"))
        if own and description is not None and payload.get("outcome") in ("failed", "error"):
            error = _mapping(payload.get("error")) or {}
            found.append(SubtestFailure(description, _text(error.get("message"))))
    return found[::-1]


def is_explained(test: ResultRow | TestInfo) -> bool:
    """Whether a reader wants to know more of a test than its state: it did not go straight to a good end."""
    return test.state in _EXPLAINED


def bad_tests(report: Report) -> list[TestInfo]:
    """Tests that started and did not go straight to a good end: what a reader wants explained."""
    return [test for test in report.tests if is_explained(test)]


def iso_time(milliseconds: float | None) -> str | None:
    """``2026-11-21T09:30:00.123Z`` for milliseconds since the epoch; ``None`` for none or one out of range."""
    if milliseconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run_head(run: RunRow) -> dict[str, Any]:
    """The fields of a ``RunHead``."""
    return {
        "id": run.id,
        "name": run.name,
        "state": run.state,
        "exit_code": run.exit_code,
        "started_at": iso_time(run.started_ms),
        "started_ms": run.started_ms,
        "ended_at": iso_time(run.ended_ms),
        "ended_ms": run.ended_ms,
        "duration_ms": _duration(run.started_ms, run.ended_ms),
        "shard_count": run.shard_count,
        "shards_missing": run.shards_missing,
    }


def _duration(started_ms: float | None, ended_ms: float | None) -> float | None:
    return None if started_ms is None or ended_ms is None else max(0.0, ended_ms - started_ms)


def _plan_order(result: ResultRow) -> tuple[bool, int, float]:
    """Planned tests in plan order, then the others as they started."""
    unplanned = result.position is None
    return unplanned, result.position or 0, result.started_ms or 0.0


def run_info(run: RunRow, sources: list[SourceRow], planned: int) -> RunInfo:
    """The run itself; ``planned``: how many of its results have a place in its plan."""
    facts, context = run.facts, run.context
    shards = shards_of(sources, planned)
    return RunInfo(
        **run_head(run),
        stopped_early=run.stopped_early,
        stop_reason=run.stop_reason,
        planned=run.planned,
        deselected=run.deselected,
        gaps=run.gaps,
        labels=run.labels,
        git=_mapping(context.get("git")),
        ci=_mapping(context.get("ci")),
        environment=_mapping(context.get("environment")) or _environment(facts),
        rootdir=_text(facts.get("rootdir")),
        cwd=_text(facts.get("cwd")),
        args=[str(arg) for arg in args] if isinstance(args := facts.get("args"), list) else [],
        distribution=_mapping(facts.get("distribution")),
        sources=[_source(source) for source in sources],
        origin=origin if (origin := facts.get("origin")) in ("client", "import") else "pytest",
        imported_from=_imported_from(facts),
        sessions=sum(source.worker == MAIN_WORKER for source in sources),
        expected_sessions=max((source.expected for source in sources), default=0),
        quarantined=run.quarantined,
        left_out=run.left_out,
        selections=[_selection(found) for found in selections_of(sources)],
        shards=None if shards is None else ShardsInfo(**msgspec.structs.asdict(shards)),
        rerun_of=list(rerun_of(facts)),
        traceparent=_text((_mapping(context.get("trace")) or {}).get("traceparent")),
    )


def chain_info(owed: Owed) -> ChainInfo:
    """What a run owes with its reruns."""
    return ChainInfo(owed.chain, owed.state, len(owed.tests), owed.outstanding, owed.complete, owed.missing)


def _selection(found: SessionSelection) -> SelectionInfo:
    told = msgspec.to_builtins(found.selection)
    return SelectionInfo(
        session=found.session,
        collected=found.selection.collected,
        left_out={"shard": found.selection.left_out.shard, "budget": found.selection.left_out.budget},
        order=found.selection.order,
        **{name: told.get(name) for name in ("shard", "budget", "snapshot", "repeat")},
    )


def _imported_from(facts: Mapping[str, Any]) -> list[ImportedFrom]:
    told = _mapping(facts.get("import")) or {}
    files = told.get("files")
    names = ("name", "format", "tool", "sha256")
    found = [[_text(file.get(name)) or "" for name in names] for file in _objects(files)]
    return [ImportedFrom(*texts) for texts in found]


def _environment(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """What ``run/start`` itself knows, for a run whose shipper never came to say more."""
    known = {"python": facts.get("pythonVersion"), "platform": facts.get("platform")}
    if (version := facts.get("pytestVersion")) is not None:
        known["packages"] = {"pytest": version}
    found = {name: value for name, value in known.items() if value is not None}
    return found or None


def _source(row: SourceRow) -> SourceInfo:
    return SourceInfo(
        source=row.source,
        worker=row.worker,
        session=row.session,
        state=row.state,
        pid=row.pid,
        host=row.host,
        exit_code=row.exit_code,
        started_at=iso_time(row.started_ms),
        started_ms=row.started_ms,
        ended_at=iso_time(row.ended_ms),
        ended_ms=row.ended_ms,
        gaps=row.gaps,
        crash_reason=row.crash_reason,
        crash_test_id=row.crash_test_id,
    )


def _test(result: ResultRow, attempts: Sequence[AttemptRow]) -> TestInfo:
    if len(attempts) > 1:
        attempts = sorted(attempts, key=lambda row: (row.attempt, row.started_ms or 0.0))
    if len(attempts) > 1 and all(row.phase == "collect" for row in attempts):
        attempts = attempts[:1]  # every process collects: it is the same error
    details = [_attempt(row) for row in attempts]
    test_id = result.test_id
    own_suite = suite_of(test_id)
    return TestInfo(
        id=test_id,
        state=result.state,
        attempts=result.attempts,
        duration_ms=result.duration_ms,
        worker=result.worker,
        file=result.file,
        line=result.line,
        suite=result.suite_id or own_suite,
        name=test_id[len(own_suite) + 2 :] or test_id,
        params=(split_params(test_id)[1] or None) if "[" in test_id else None,
        markers=list(result.markers),
        reason=result.reason,
        quarantine=_quarantine(result),
        repetitions=result.repetitions,
        error=_last_error(details),
        attempts_detail=details,
    )


def _quarantine(result: ResultRow) -> QuarantineInfo | None:
    if result.quarantine is None:
        return None
    told = msgspec.json.decode(result.quarantine, type=Quarantine)
    return QuarantineInfo(told.entry, told.reason, told.owner, told.expires, told.issue, result.forgiven)


def _last_error(attempts: list[AttemptInfo]) -> ErrorInfo | None:
    if not attempts:
        return None
    errors = [attempt.error for attempt in attempts if attempt.outcome in BAD_OUTCOMES and attempt.error is not None]
    return errors[-1] if errors else None


def _attempt(row: AttemptRow) -> AttemptInfo:
    error = None
    if row.error_message is not None or row.error_type is not None:
        error = ErrorInfo(message=row.error_message, type=row.error_type, file=row.error_file, line=row.error_line)
    return AttemptInfo(
        attempt=row.attempt,
        source=row.source,
        worker=row.worker,
        outcome=row.outcome,
        phase=row.phase,
        started_at=iso_time(row.started_ms),
        started_ms=row.started_ms,
        duration_ms=row.duration_ms,
        phases=PhaseTimes(row.setup_ms, row.call_ms, row.teardown_ms),
        error=error,
        reason=row.reason,
        subtests=SubtestCounts(row.subtests_passed, row.subtests_failed),
        timeout_ms=row.timeout_ms,
        last_output=row.last_output,
        seq=row.detail_seq,
    )


def suite_info(row: SuiteRow) -> SuiteInfo:
    """The public shape of a suite."""
    return SuiteInfo(
        id=row.suite_id,
        total=row.total,
        done=row.done,
        passed=row.passed,
        failed=row.failed,
        skipped=row.skipped,
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        duration_ms=_duration(row.started_ms, row.ended_ms),
    )


def _add_payload(attempt: AttemptInfo, payload: Mapping[str, Any]) -> None:
    """Take what the event knows beyond the row; a payload of a wrong shape adds nothing."""
    error = _mapping(payload.get("error"))
    if error is not None:
        known = attempt.error
        if known is None:
            known = attempt.error = ErrorInfo(message=_text(error.get("message")), type=_text(error.get("type")))
        known.stack = _text(error.get("stack"))
        known.phase = _text(error.get("phase"))
        teardown = _mapping(error.get("teardown"))
        known.teardown = _told_error(teardown) if teardown is not None else None
    logs = payload.get("logs")
    attempt.output = [log for log in map(_output, logs) if log is not None] if isinstance(logs, list) else []
    properties = payload.get("userProperties")
    if isinstance(properties, list):
        attempt.user_properties = [pair for pair in properties if isinstance(pair, list) and len(pair) == 2]


def _told_error(error: Mapping[str, Any]) -> ErrorInfo:
    """An error that no row holds."""
    line = error.get("line")
    return ErrorInfo(
        message=_text(error.get("message")),
        type=_text(error.get("type")),
        file=_text(error.get("file")),
        line=line if isinstance(line, int) and not isinstance(line, bool) else None,
        phase=_text(error.get("phase")),
        stack=_text(error.get("stack")),
    )


def _output(log: object) -> Output | None:
    if not isinstance(log, Mapping) or not isinstance(log.get("text"), str):
        return None
    dropped = log.get("dropped")
    return Output(
        stream=_text(log.get("stream")) or "stdout",
        text=log["text"],
        phase=_text(log.get("phase")),
        dropped=dropped if isinstance(dropped, int) else 0,
    )


def _mapping(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) and value else None


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
