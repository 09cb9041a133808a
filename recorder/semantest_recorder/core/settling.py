"""What follows from the facts of a run: how sources are closed, the state of each test, suites, the run itself.

Everything here is a function of facts alone, computed for what changed; so it does not matter how often or when it
is computed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from pytest_semantest.protocol.events import BAD_STATES
from pytest_semantest.protocol.identity import CLIENT_WORKER, MAIN_WORKER, SHIPPER_WORKER
from semantest_recorder.core.attempts import ended_itself
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.ledger import (
    is_forgiven,
    outcome_without_end,
    rank,
    state_of_run,
    state_of_successive,
    state_without_start,
)
from semantest_recorder.core.rows import AttemptRow, CrashRow, ResultRow, SourceRow, SuiteRow
from semantest_recorder.core.selections import left_out_of, shards_of
from semantest_recorder.core.suites import count_in_suite, recount_left, settle_end, suite_end, suite_start
from semantest_recorder.core.tables import Closing, RunClosing, Source, Tables

#: Workers that decide nothing about the end of a run.
_BESIDE = (SHIPPER_WORKER, CLIENT_WORKER)


def settle(tables: Tables) -> list[RawEvent]:
    """Brings every derived row up to date; gives the suite events that follow, in the order of the suites."""
    stale = tables.closings_stale
    if stale:
        tables.closings_stale = False
        _judge_sources(tables)
        _judge_closing(tables)
    if tables.died_in:
        _guess_attempts(tables)
    if tables.left_suites:
        recount_left(tables)
    if not (stale or tables.unsettled or tables.unsettled_suites):
        return []
    touched, tables.unsettled_suites = tables.unsettled_suites, {}
    started: list[SuiteRow] = []
    closing, counts = tables.closing, tables.counts
    for test in tables.unsettled.values():
        result, suite = test.result, test.suite
        touched[suite.suite_id] = suite
        before, forgiven = result.state, result.forgiven
        state = _settle_test(tables, result, test.attempts) if test.attempts else _settle_unstarted(closing, result)
        if state != before:
            result.state = state
            counts[before] -= 1
            counts[state] += 1
            count_in_suite(suite, before, state)
        tables.forgiven += result.forgiven - forgiven
        at = result.started_ms
        if at is not None and (suite.started_ms is None or at < suite.started_ms):
            if suite.started_ms is None:
                started.append(suite)
            suite.started_ms = at
    tables.dirty_tests.update(tables.unsettled)
    tables.unsettled = {}
    may_end = tables.closing.closed or _plan_is_complete(tables)
    if may_end != tables.suites_may_end:
        tables.suites_may_end = may_end
        touched = {suite_id: suite.row for suite_id, suite in tables.suites.items()}
    derived = [suite_start(tables.run.id, row) for row in started if row.told_started_ms is None]
    ended = [row for row in touched.values() if settle_end(tables, tables.suites[row.suite_id])]
    derived += [suite_end(tables.run.id, row) for row in ended if row.told_ended_ms is None]
    _settle_run(tables)
    return derived


def judge_loaded(tables: Tables) -> None:
    """Recalls, for rows that were just loaded, what they were last judged by."""
    _judge_sources(tables)
    tables.closing = _run_closing(tables)
    tables.suites_may_end = tables.closing.closed or _plan_is_complete(tables)
    tables.unsettled = {}
    tables.dirty_sources = {}


def _judge_sources(tables: Tables) -> None:
    """How each source is closed now; tests that depend on a change are unsettled."""
    sessions: dict[str, dict[str, Source]] = defaultdict(dict)
    mains, clients = list[Source](), list[Source]()
    for source in tables.sources.values():
        if source.row.worker == CLIENT_WORKER:
            clients.append(source)
            continue
        sessions[source.row.session][source.row.worker] = source
        if source.row.worker == MAIN_WORKER:
            mains.append(source)
    for members in sessions.values():
        main, shipper = members.get(MAIN_WORKER), members.get(SHIPPER_WORKER)
        told = shipper is not None and shipper.row.state == "ended"
        broken = main is not None and main.row.state != "ended" and (told or bool(main.crashes))
        ended = told or (main is not None and main.row.state == "ended")
        interrupted = broken or (main is not None and main.row.interrupted)
        for source in members.values():
            if source is not shipper:
                crashed = bool(source.crashes) or (source is main and broken)
                _close(tables, source, source.crashes, crashed=crashed, ended=ended, interrupted=interrupted)
    # What clients say beside a run's own sources is over when those are.
    closings = [main.closing for main in mains if main.closing is not None]
    over = bool(mains) and len(closings) == len(mains)
    for source in clients:
        interrupted = any(closing.interrupted for closing in closings)
        _close(tables, source, [], crashed=False, ended=over, interrupted=interrupted)


def _close(
    tables: Tables, source: Source, crashes: list[CrashRow], *, crashed: bool, ended: bool, interrupted: bool
) -> None:
    """Sets how one source is closed. ``crashed``: it died; ``ended``: its session ended."""
    row = source.row
    before = (row.state, row.ended_ms, row.crash_reason, row.crash_test_id)
    own = row.state == "ended"
    gap = row.gaps > 0 or row.dropped > 0
    closing = None
    if own:
        row.crash_reason = row.crash_test_id = None
        closing = Closing(True, False, gap, interrupted, row.ended_ms or 0.0)
    elif crashed:
        row.state = "crashed"
        row.ended_ms = max(min((crash.time_ms for crash in crashes), default=0.0), row.last_ms or 0.0)
        row.crash_reason = next((crash.reason for crash in crashes if crash.reason), None)
        row.crash_test_id = next((crash.test_id for crash in crashes if crash.test_id), None)
        told = next((crash for crash in crashes if crash.test_id), None)
        closing = Closing(
            False,
            True,
            gap,
            interrupted,
            row.ended_ms,
            row.crash_reason,
            row.crash_test_id,
            told.elapsed_ms if told else None,
            next((crash.last_output for crash in crashes if crash.last_output), None),
        )
    else:
        row.state = "closed" if ended else "open"
        row.ended_ms = row.last_ms if ended else None
        row.crash_reason = row.crash_test_id = None
        closing = Closing(False, False, gap, interrupted, row.ended_ms or 0.0) if ended else None
    if closing != source.closing:
        source.closing = closing
        tables.unsettled.update(source.unended)
    if before != (row.state, row.ended_ms, row.crash_reason, row.crash_test_id):
        tables.dirty_sources[row.source] = row


def _judge_closing(tables: Tables) -> None:
    """How the run is closed now; if that changed, tests that never started are unsettled."""
    closing = _run_closing(tables)
    if closing != tables.closing:
        tables.closing = closing
        for test_id, test in tables.tests.items():
            if not test.attempts:
                tables.unsettled[test_id] = test


def _run_closing(tables: Tables) -> RunClosing:
    working = [source for source in tables.sources.values() if source.row.worker not in _BESIDE]
    mains = [source for source in working if source.row.worker == MAIN_WORKER]
    with_main = {source.row.session for source in mains}
    closed = bool(mains) and all(source.closing is not None and source.row.session in with_main for source in working)
    if not closed:
        return RunClosing()
    rows = [source.row for source in tables.sources.values()]
    gap = any(row.gaps or row.dropped for row in rows)
    stopped = any(row.cancelled for row in rows) or any(
        source.row.stopped_early or source.row.interrupted or source.row.state == "crashed" for source in mains
    )
    stopped = stopped or any(_workers_are_gone(working, session) for session in with_main)
    reasons = [reason for row in rows for reason in (row.stop_reason, _main_crash(row)) if reason]
    return RunClosing(True, gap, stopped, min(reasons, default=None))


def _main_crash(row: SourceRow) -> str | None:
    return row.crash_reason if row.worker == MAIN_WORKER else None


def _workers_are_gone(working: list[Source], session: str) -> bool:
    workers = [source for source in working if source.row.session == session and source.row.worker != MAIN_WORKER]
    return bool(workers) and all(source.row.state == "crashed" for source in workers)


def _plan_is_complete(tables: Tables) -> bool:
    """Whether every plan that was announced is known in full, and there is one."""
    rows = [source.row for source in tables.sources.values() if source.row.planned]
    return bool(rows) and all(row.plan_known >= row.planned for row in rows)


def _guess_attempts(tables: Tables) -> None:
    """An attempt for each crash report without attempt number, as long as its source has none at that test."""
    died_in, unsettled = tables.died_in, tables.unsettled
    few, others = (unsettled, died_in) if len(unsettled) < len(died_in) else (died_in, unsettled)
    for test_id in [test_id for test_id in few if test_id in others]:
        test = tables.tests[test_id]
        for source in died_in[test_id]:
            mine = test.attempts_of(source)
            if not mine:
                guess = tables.attempt(tables.sources[source], test, 1)
                guess.guessed = True
            elif len(mine) > 1:
                for attempt in mine:
                    if attempt.guessed:
                        tables.remove_attempt(test, attempt)


def _settle_test(tables: Tables, result: ResultRow, attempts: Sequence[AttemptRow]) -> str:
    """Computes the result of a test that was attempted, all but its state, which is returned."""
    for attempt in attempts:
        if attempt.outcome is None or attempt.judged:
            _judge_attempt(tables, attempt)
    deciding, number = attempts[0], len(attempts)
    if number == 1:
        state = "running" if _is_to_be_retried(tables, deciding) else deciding.outcome or "running"
        started, ended = deciding.started_ms, None if state == "running" else deciding.ended_ms
    else:
        state, deciding = _state_of(tables, attempts)
        number = len({attempt.attempt for attempt in attempts})
        started = min((at for at in (attempt.started_ms for attempt in attempts) if at is not None), default=None)
        ended = None
        if state != "running":
            ended = max((at for at in (attempt.ended_ms for attempt in attempts) if at is not None), default=None)
    result.attempts = number
    result.duration_ms = deciding.duration_ms
    result.worker = deciding.worker
    result.reason = deciding.reason
    result.forgiven = result.quarantine is not None and is_forgiven(state, attempts)
    result.started_ms = started
    result.ended_ms = ended
    return state


def _settle_unstarted(closing: RunClosing, result: ResultRow) -> str:
    """The state of a test without attempts, and in ``result`` the reason for it."""
    if not closing.closed:
        if result.reason is not None:
            result.reason = None
        return "pending"
    state = state_without_start(gap=closing.gap, stopped=closing.stopped)
    result.reason = closing.reason if state == "not_run" else None
    return state


def _judge_attempt(tables: Tables, attempt: AttemptRow) -> None:
    """What an attempt without an end came to, as far as its source is closed."""
    closing = tables.sources[attempt.source].closing
    if closing is None and not attempt.judged:
        return
    before = (attempt.outcome, attempt.ended_ms, attempt.duration_ms, attempt.reason, attempt.last_output)
    if closing is None:
        attempt.outcome = attempt.ended_ms = attempt.reason = attempt.last_output = None
        attempt.duration_ms = 0.0
        attempt.judged = False
    else:
        started = attempt.started_ms
        named = closing.crashed and closing.crash_test_id == attempt.test_id
        elapsed = closing.elapsed_ms if named else None
        if elapsed is None:
            elapsed = 0.0 if started is None else max(closing.ended_ms - started, 0.0)
        attempt.outcome = outcome_without_end(
            crashed=closing.crashed,
            gap=closing.gap,
            interrupted=closing.interrupted,
            elapsed=elapsed,
            timeout=attempt.timeout_ms,
        )
        attempt.judged = True
        attempt.duration_ms = elapsed
        attempt.ended_ms = closing.ended_ms if started is None else started + elapsed
        attempt.reason = closing.reason
        attempt.last_output = closing.last_output if named else None
    if before != (attempt.outcome, attempt.ended_ms, attempt.duration_ms, attempt.reason, attempt.last_output):
        tables.dirty_attempts[id(attempt)] = attempt


def _state_of(tables: Tables, attempts: Sequence[AttemptRow]) -> tuple[str, AttemptRow]:
    """The state of a test and the attempt that decided it."""
    if len({attempt.attempt for attempt in attempts}) == len(attempts):
        return _state_in_turn(tables, attempts)
    by_source: dict[str, list[AttemptRow]] = defaultdict(list)
    for attempt in attempts:
        by_source[attempt.source].append(attempt)
    judged = [_state_in_turn(tables, by_source[source]) for source in sorted(by_source)]
    return min(judged, key=lambda found: rank(found[0]))


def _state_in_turn(tables: Tables, attempts: Sequence[AttemptRow]) -> tuple[str, AttemptRow]:
    ordered = sorted(attempts, key=lambda attempt: attempt.attempt)
    last = ordered[-1]
    if _is_to_be_retried(tables, last):
        return "running", last
    return state_of_successive([attempt.outcome for attempt in ordered]), last


def _is_to_be_retried(tables: Tables, attempt: AttemptRow) -> bool:
    """Whether the next attempt was announced and its process still lives."""
    return attempt.will_retry and ended_itself(attempt) and tables.sources[attempt.source].closing is None


def _settle_run(tables: Tables) -> None:
    run = tables.run
    before = msgspec.structs.astuple(run)
    rows = [source.row for source in tables.sources.values()]
    working = [row for row in rows if row.worker not in _BESIDE]
    mains = [row for row in rows if row.worker == MAIN_WORKER]
    missing = sum(max(row.planned - row.plan_known, 0) for row in rows)
    run.started_ms = _run_start(tables, working, rows)
    run.planned = tables.planned + missing
    run.deselected = sum(row.deselected for row in rows)
    # A record that could not be written keeps its seq, so dropped ones are among the gaps, all but the last ones.
    run.gaps = sum(max(row.gaps, row.dropped) for row in rows)
    run.quarantined = tables.forgiven
    run.exit_code = max((row.exit_code for row in mains if row.exit_code is not None), default=None)
    run.stopped_early = any(row.stopped_early for row in mains)
    told = [row.stop_reason for row in rows if row.stop_reason and (row.cancelled or row.timed_out)]
    run.stop_reason = min(told or (row.stop_reason for row in rows if row.stop_reason), default=None)
    run.left_out = left_out_of(rows)
    shards = shards_of(rows, tables.planned)
    run.shard_count, run.shards_missing = (shards.of, len(shards.missing)) if shards is not None else (0, 0)
    closed = tables.closing.closed
    run.ended_ms = max((row.ended_ms for row in working if row.ended_ms is not None), default=None) if closed else None
    run.state = state_of_run(
        closed=closed,
        cancelled=any(row.cancelled for row in rows),
        timed_out=any(row.timed_out for row in rows),
        broken=any(row.state == "crashed" or row.interrupted for row in mains),
        exit_code=0 if run.facts.get("origin") == "client" else run.exit_code,
        green=missing == 0
        and run.gaps == 0
        and len(mains) >= max((row.expected for row in rows), default=0)
        and _bad_tests(tables) == tables.forgiven
        and (shards is None or bool(shards.missing) or shards.is_closed),  # a missing one may be on its way
    )
    if msgspec.structs.astuple(run) != before:
        tables.dirty_run = True


def _bad_tests(tables: Tables) -> int:
    return sum(tables.counts.get(state, 0) for state in BAD_STATES)


def _run_start(tables: Tables, working: Iterable[SourceRow], rows: Iterable[SourceRow]) -> float | None:
    """When pytest's first process began; its first test, where a gap hides that; else the shipper."""
    tests = (test.result.started_ms for test in tables.tests.values())
    for starts in ((row.started_ms for row in working), tests, (row.started_ms for row in rows)):
        first = min((at for at in starts if at is not None), default=None)
        if first is not None:
            return first
    return None
