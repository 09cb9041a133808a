"""What each type of event states: one handler per type, which changes facts and marks what depends on them.

A fact is touched by events of its own source only, or merged by a minimum, a maximum or a set: so the order in which
events of different sources arrive cannot matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

from pytest_semantest.protocol import events as types
from pytest_semantest.protocol.identity import CLIENT_WORKER, SHIPPER_WORKER
from semantest_recorder.core.attempts import (
    PHASES,
    begin,
    ended_itself,
    ending_attempt,
    next_number,
    note_end,
    open_attempt,
    take_error,
)
from semantest_recorder.core.batch import LIVE, RawEvent
from semantest_recorder.core.payloads import (
    CollectError,
    End,
    Expect,
    MalformedError,
    NotTheirsError,
    Opening,
    Output,
    Payload,
    Plan,
    Quarantine,
    TestEnd,
    TestPhase,
    TestStart,
    TestSubtest,
    TestWarning,
    WorkerCrash,
    content_of,
    repaired,
)
from semantest_recorder.core.rows import AttemptRow, CrashRow, ResultRow, WarningRow
from semantest_recorder.core.selections import Selection
from semantest_recorder.core.spans import places_in, with_span
from semantest_recorder.core.suites import put_into_suite
from semantest_recorder.core.tables import Source, Tables, Unread

Handler = Callable[[Tables, Source, int, RawEvent], None]
P = TypeVar("P", bound=Payload)
Place = tuple[str | None, int | None, tuple[str, ...], str | None]

_OUTCOMES = frozenset(types.BAD_OUTCOMES | {"passed", "skipped", "xfailed", "xpassed"})
_ENDED = frozenset({"passed", "failed", "skipped"})
#: How often one source may tell that another one died; more would say nothing new.
REPORTS_MAX: Final = 100
#: Of so many workers an end may say what they could not write.
_WORKERS_MAX: Final = 1000
_decode_start = msgspec.json.Decoder(TestStart).decode
_decode_end = msgspec.json.Decoder(TestEnd).decode


def opening_of(event: RawEvent) -> Opening:
    """What the first event of a source says of it. Raises ``MalformedError`` when it does not name its run."""
    return repaired(Opening, bytes(event.payload))[0]


def open_source(tables: Tables, event: RawEvent) -> Source:
    """The source that begins with ``event``, which a crash report may have named before."""
    opening = opening_of(event)
    source = tables.source(opening.session, opening.worker)
    row = source.row
    row.pid, row.host = opening.pid, opening.host
    row.started_ms = event.timestamp or None  # a gap in place of the first record does not know its time
    tables.closings_stale = True
    return source


def read_payload(tables: Tables, source: Source, seq: int, event: RawEvent, kind: type[P]) -> P:
    """The payload; of one with a wrong shape what can be read. Raises ``MalformedError`` when that is not enough."""
    try:
        return msgspec.json.decode(event.payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        payload, unread = repaired(kind, bytes(event.payload))
        tables.unread.append(Unread(source.row.source, seq, unread or "texts that UTF-8 cannot hold were spelled out"))
        return payload


def _run_start(tables: Tables, source: Source, _seq: int, event: RawEvent) -> None:
    run = tables.run
    if not _comes_first(tables, source, run.facts_source):
        return
    content = content_of(bytes(event.payload))
    name, labels = content.get("name"), content.get("labels")
    run.facts, run.facts_source = content, source.row.source
    run.name = name if isinstance(name, str) else None
    run.labels = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
    tables.dirty_run = True


def _run_context(tables: Tables, source: Source, _seq: int, event: RawEvent) -> None:
    if _comes_first(tables, source, tables.run.context_source):
        tables.run.context = content_of(bytes(event.payload))
        tables.run.context_source = source.row.source
        tables.dirty_run = True


def _comes_first(tables: Tables, source: Source, present: str | None) -> bool:
    """Whether ``source`` started before the source ``present``; of one source the first event counts."""
    if present is None:
        return True
    return _order(source) < _order(tables.sources[present])


def _order(source: Source) -> tuple[float, str]:
    started = source.row.started_ms
    return math.inf if started is None else started, source.row.source


def _run_plan(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    plan = read_payload(tables, source, seq, event, Plan)
    row = source.row
    row.planned = max(row.planned, plan.total or 0, plan.offset + len(plan.tests))
    row.plan_spans = with_span(row.plan_spans, plan.offset, plan.offset + len(plan.tests))
    row.plan_known = places_in(row.plan_spans)
    row.deselected = max(row.deselected, plan.deselected or 0)
    tables.closings_stale = True
    tests, unsettled = tables.tests, tables.unsettled
    for position, test_id in enumerate(plan.tests, plan.offset):
        test = tests.get(test_id)
        if test is None:
            tables.add_test(test_id, position)
            continue
        result = test.result
        if result.position is None:
            tables.planned += 1
            result.position = position
        elif position < result.position:
            result.position = position
        unsettled[test_id] = test


def _run_expect(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    source.row.expected = read_payload(tables, source, seq, event, Expect).sessions
    tables.closings_stale = True


def _run_selection(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    if source.row.worker in (CLIENT_WORKER, SHIPPER_WORKER):
        raise NotTheirsError("run/selection: only pytest tells what it selected")
    payload = read_payload(tables, source, seq, event, Selection)
    source.row.selection = msgspec.json.encode(payload).decode()
    tables.closings_stale = True


def _collect_error(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    payload = read_payload(tables, source, seq, event, CollectError)
    test = tables.test(payload.test_id)
    outcome = "skipped" if payload.outcome == "skipped" else "error"
    attempt = ending_attempt(tables, source, test, 1, event.timestamp, outcome)
    if attempt is None:
        return
    attempt.outcome = outcome
    attempt.judged = attempt.guessed = False
    attempt.phase = "collect"
    attempt.started_ms = attempt.ended_ms = event.timestamp
    attempt.reason = payload.reason
    attempt.detail_seq = seq
    take_error(attempt, payload.error)
    note_end(source, test, attempt)


def _test_start(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    try:
        payload = _decode_start(event.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        payload = read_payload(tables, source, seq, event, TestStart)
    test = tables.tests.get(payload.test_id) or tables.add_test(payload.test_id)
    attempt = tables.attempt(source, test, payload.attempt or next_number(source, test))
    begin(test, attempt, event.timestamp)
    attempt.timeout_ms = payload.timeout
    result = test.result
    if payload.suite_id:
        put_into_suite(tables, test, payload.suite_id)
    if payload.quarantine is not None:
        _put_into_quarantine(result, payload.quarantine)
    if payload.repetitions is not None:
        result.repetitions = max(payload.repetitions, result.repetitions or 0)
    place = payload.file, payload.line, payload.markers or (), payload.fingerprint
    if result.file is None and result.line is None and not result.markers:
        result.file, result.line, result.markers, result.fingerprint = place
    else:
        _merge_place(result, place)


def _put_into_quarantine(result: ResultRow, quarantine: Quarantine) -> None:
    """Of entries that sources do not agree on, the smallest is kept."""
    told = msgspec.json.encode(quarantine).decode()
    result.quarantine = told if result.quarantine is None else min(told, result.quarantine)


def _merge_place(result: ResultRow, place: Place) -> None:
    """Of places that sources do not agree on, the smallest is shown."""
    mine = (result.file, result.line, result.markers, result.fingerprint)
    if place != mine:
        result.file, result.line, result.markers, result.fingerprint = max(mine, place, key=_place_order)


def _place_order(place: Place) -> tuple[Any, ...]:
    file, line, markers, fingerprint = place
    return file is not None, file or "", line is not None, line or 0, markers, fingerprint or ""


def _test_phase(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    payload = read_payload(tables, source, seq, event, TestPhase)
    if payload.phase not in PHASES:
        raise MalformedError(f"phase: {payload.phase!r} is none")
    if payload.worker is not None and payload.worker != source.row.worker:
        if payload.attempt is None:
            tables.test(payload.test_id)
            return
        observed = tables.named_source(source.row.session, payload.worker)
        _observe(tables.attempt(observed, tables.test(payload.test_id), payload.attempt), payload.phase)
        return
    test = tables.test(payload.test_id)
    attempt = open_attempt(tables, source, test, payload.attempt, event.timestamp)
    _observe(attempt, payload.phase)
    if not ended_itself(attempt) and payload.error is not None:
        take_error(attempt, payload.error)
        attempt.detail_seq = seq


def _observe(attempt: AttemptRow, phase: str) -> None:
    """An attempt that has not ended is at least in this phase."""
    attempt.guessed = False
    known = PHASES.index(attempt.phase) if attempt.phase in PHASES else -1
    if not ended_itself(attempt) and PHASES.index(phase) > known:
        attempt.phase = phase


def _test_subtest(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    payload = read_payload(tables, source, seq, event, TestSubtest)
    test = tables.test(payload.test_id)
    attempt = open_attempt(tables, source, test, payload.attempt, event.timestamp)
    if payload.outcome in ("failed", "error"):
        attempt.subtests_failed += 1
    elif payload.outcome in ("passed", "xpassed"):
        attempt.subtests_passed += 1


def _test_end(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    try:
        payload = _decode_end(event.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        payload = read_payload(tables, source, seq, event, TestEnd)
    outcome = payload.outcome
    if outcome not in _OUTCOMES:
        outcome = payload.status
        if outcome not in _ENDED:
            raise MalformedError(f"outcome: neither {payload.outcome!r} nor status {outcome!r} is an end")
    test = tables.tests.get(payload.test_id) or tables.add_test(payload.test_id)
    duration = payload.duration
    at = event.timestamp - (duration or 0.0)
    attempt = ending_attempt(tables, source, test, payload.attempt, at, outcome)
    if attempt is None:
        return
    phases = payload.phases
    attempt.outcome = outcome
    attempt.judged = False
    attempt.ended_ms = event.timestamp
    attempt.detail_seq = seq
    attempt.reason = payload.reason
    attempt.will_retry = payload.will_retry is True
    attempt.forgiven = payload.forgiven is True and outcome in types.BAD_OUTCOMES
    phase = "call"
    if phases is not None:
        attempt.setup_ms, attempt.call_ms, attempt.teardown_ms = phases.setup, phases.call, phases.teardown
        phase = "teardown" if phases.teardown is not None else "setup" if phases.call is None else "call"
        if outcome == "interrupted":  # in the phase after the last one that ended
            phase = "teardown" if phases.call is not None else "setup" if phases.setup is None else "call"
    if duration is None:
        duration = sum(part or 0.0 for part in (attempt.setup_ms, attempt.call_ms, attempt.teardown_ms))
    attempt.duration_ms = duration
    attempt.phase = phase
    if payload.error is not None or attempt.error_message is not None:
        take_error(attempt, payload.error)
    note_end(source, test, attempt)


def _test_warning(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    payload = read_payload(tables, source, seq, event, TestWarning)
    tables.new_warnings.append(
        WarningRow(
            source.row.source,
            seq,
            payload.category,
            payload.message,
            payload.test_id,
            payload.file,
            payload.line,
            payload.count or 1,
        )
    )


def _end(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    payload = read_payload(tables, source, seq, event, End)
    row = source.row
    row.state = "ended"
    row.ended_ms = event.timestamp
    row.exit_code = payload.exit_code
    row.stop_reason = payload.stop_reason
    row.stopped_early = bool(payload.stopped_early)
    row.interrupted = (
        payload.interrupted
        if payload.interrupted is not None
        else payload.exit_code == 2 and not (payload.stopped_early and payload.stop_reason)
    )
    row.dropped = payload.dropped or 0
    for worker, dropped in islice((payload.workers_dropped or {}).items(), _WORKERS_MAX):
        with suppress(NotTheirsError):
            target = tables.named_source(row.session, worker).row
            if target.state != "ended":  # else it says so itself
                target.dropped = dropped
                tables.dirty_sources[target.source] = target
    tables.closings_stale = True


def _worker_crash(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    payload = read_payload(tables, source, seq, event, WorkerCrash)
    if payload.worker == SHIPPER_WORKER:
        raise NotTheirsError("worker: the shipper's death closes nothing")
    session = payload.session or source.row.session
    if session != source.row.session and not source.row.source.startswith(LIVE):
        raise NotTheirsError("session: only the recorder tells of crashes in another session")
    target = tables.named_source(session, payload.worker)
    if sum(crash.reporter == source.row.source for crash in target.crashes) >= REPORTS_MAX:
        raise NotTheirsError(f"worker: its death was reported {REPORTS_MAX} times by this source; that is enough")
    crash = CrashRow(
        source.row.source,
        seq,
        target.row.source,
        event.timestamp,
        payload.reason,
        payload.test_id,
        payload.attempt,
        payload.phase,
        payload.elapsed,
        _output(payload.last_output),
    )
    tables.add_crash(crash)
    tables.new_crashes.append(crash)
    tables.closings_stale = True
    if payload.test_id is not None:
        test = tables.unsettled[payload.test_id] = tables.test(payload.test_id)
        if payload.attempt is None:
            return
        attempt = tables.attempt(target, test, payload.attempt)
        attempt.guessed = False
        if payload.phase in PHASES:
            _observe(attempt, payload.phase)


def _output(outputs: list[Output] | None) -> str | None:
    if not outputs:
        return None
    if len(outputs) == 1:
        return outputs[0].text
    return "\n".join(f"--- {output.stream} ---\n{output.text}" for output in outputs)


def _journal_gap(tables: Tables, source: Source, _seq: int, _event: RawEvent) -> None:
    tables.miss(source)


FACTS: Final[dict[str, Handler]] = {
    types.RUN_START: _run_start,
    types.RUN_CONTEXT: _run_context,
    types.RUN_PLAN: _run_plan,
    types.RUN_SELECTION: _run_selection,
    types.RUN_END: _end,
    types.RUN_EXPECT: _run_expect,
    types.WORKER_END: _end,
    types.WORKER_CRASH: _worker_crash,
    types.COLLECT_ERROR: _collect_error,
    types.TEST_START: _test_start,
    types.TEST_PHASE: _test_phase,
    types.TEST_SUBTEST: _test_subtest,
    types.TEST_END: _test_end,
    types.TEST_WARNING: _test_warning,
    types.JOURNAL_GAP: _journal_gap,
}
