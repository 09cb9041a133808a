"""What clients state beyond pytest's journals: verdicts, suites, details of tests, cancellations."""

from __future__ import annotations

from typing import Final

import msgspec

from pytest_semantest.protocol import events as types
from semantest_recorder.core.attempts import ended_itself, ending_attempt, last_attempt, note_end, take_error
from semantest_recorder.core.batch import LIVE, RawEvent
from semantest_recorder.core.facts import Handler, read_payload
from semantest_recorder.core.payloads import Cancel, NotTheirsError, SuiteTold, TestDetail, TestVerdict
from semantest_recorder.core.rows import AttemptRow, SuiteRow, TestEventRow
from semantest_recorder.core.tables import Source, Tables


def _test_verdict(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    """The end of an attempt in one word; a ``test/end`` of the same attempt says more and counts."""
    payload = read_payload(tables, source, seq, event, TestVerdict)
    test = tables.test(payload.test_id)
    outcome = event.type.rpartition("/")[2]
    at = event.timestamp - (payload.duration or 0.0)
    attempt = ending_attempt(tables, source, test, payload.attempt, at, outcome)
    if attempt is None or (ended_itself(attempt) and not _is_worse(outcome, attempt)):
        return
    attempt.outcome = outcome
    attempt.judged = False
    attempt.ended_ms = event.timestamp
    attempt.duration_ms = (
        event.timestamp - (attempt.started_ms or event.timestamp) if payload.duration is None else payload.duration
    )
    attempt.phase = "call"
    attempt.reason = payload.reason
    attempt.detail_seq = seq
    take_error(attempt, payload.error)
    note_end(source, test, attempt)


def _is_worse(outcome: str, attempt: AttemptRow) -> bool:
    """Whether the attempt ended well, and somebody says that it did not."""
    return outcome in types.BAD_OUTCOMES and attempt.outcome not in types.BAD_OUTCOMES


def _test_detail(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    """Of a test that the run may not know: only where the event is."""
    payload = read_payload(tables, source, seq, event, TestDetail)
    number = payload.attempt
    if number is None:
        test = tables.tests.get(payload.test_id)
        last = last_attempt(source, test) if test is not None else None
        number = 1 if last is None else last.attempt
    tables.new_test_events.append(TestEventRow(payload.test_id, source.row.source, seq, number, event.type))


class _Named(msgspec.Struct, rename="camel"):
    test_id: str
    attempt: int | None = None


_NAMED: Final = msgspec.json.Decoder(_Named)


def own_event(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    """An event of somebody's own, which may say the test that it is about; it owes nobody any shape."""
    try:
        named = _NAMED.decode(event.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return
    if named.test_id and (named.attempt is None or 0 < named.attempt < 2**31):
        _test_detail(tables, source, seq, event)


def _suite_told(tables: Tables, source: Source, seq: int, event: RawEvent) -> SuiteRow:
    payload = read_payload(tables, source, seq, event, SuiteTold)
    row = tables.suite(payload.suite_id).row
    if payload.suite_name is not None and (row.name is None or payload.suite_name < row.name):
        row.name = payload.suite_name
    tables.unsettled_suites[row.suite_id] = row
    return row


def _suite_start(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    row = _suite_told(tables, source, seq, event)
    if row.told_started_ms is None or event.timestamp < row.told_started_ms:
        row.told_started_ms = event.timestamp
    if row.started_ms is None or event.timestamp < row.started_ms:
        row.started_ms = event.timestamp


def _suite_end(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    row = _suite_told(tables, source, seq, event)
    if row.told_ended_ms is None or event.timestamp > row.told_ended_ms:
        row.told_ended_ms = event.timestamp


def _run_cancel(tables: Tables, source: Source, seq: int, event: RawEvent) -> None:
    payload = read_payload(tables, source, seq, event, Cancel)
    if not source.row.source.startswith(LIVE):
        raise NotTheirsError("it is the recorder's to say that a run is cancelled")
    if payload.timeout:
        source.row.timed_out = True
    else:
        source.row.cancelled = True
    source.row.stop_reason = source.row.stop_reason or payload.reason
    tables.closings_stale = True


CLIENT_HANDLERS: Final[dict[str, Handler]] = {
    types.RUN_CANCEL: _run_cancel,
    types.TEST_PASSED: _test_verdict,
    types.TEST_FAILED: _test_verdict,
    types.TEST_SKIPPED: _test_verdict,
    types.SUITE_START: _suite_start,
    types.SUITE_END: _suite_end,
    **dict.fromkeys(types.TEST_DETAILS, _test_detail),
    types.WORKER_STACK: own_event,
}
