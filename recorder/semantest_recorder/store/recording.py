"""The changes of a run as rows of the database: names become keys, structs become parameters."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from pytest_semantest.protocol.identity import split_params
from semantest_recorder.core.rows import AttemptRow, ResultRow, RunRow, TestEventRow
from semantest_recorder.core.run_state import RunState
from semantest_recorder.core.tables import Changes, quick_suite_of
from semantest_recorder.store.loading import load_run
from semantest_recorder.store.queries import statements

SQL = statements("writer.sql")
_astuple = msgspec.structs.astuple
_encode = msgspec.json.encode
#: Test ids kept with their keys, so that the next run of the same tests need not ask for them.
_KNOWN_TESTS = 500_000


class Keys:
    """The integer keys of tests, over all runs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._keys: dict[str, int] = {}
        self._last: int | None = None

    def add_to(self, target: dict[str, int], test_ids: Sequence[str]) -> None:
        """Puts the keys of these tests into ``target``; a test that the database has not is added to it."""
        keys = self._keys
        unknown = [test_id for test_id in test_ids if test_id not in keys]
        if unknown:
            if len(keys) + len(unknown) > _KNOWN_TESTS:
                keys.clear()
                unknown = list(test_ids)
            self._find(unknown)
        target.update(zip(test_ids, map(keys.__getitem__, test_ids), strict=True))

    def forget(self, test_ids: Iterable[str]) -> None:
        """These tests are not in the database any more."""
        for test_id in test_ids:
            self._keys.pop(test_id, None)

    def _find(self, test_ids: Sequence[str]) -> None:
        keys, connection = self._keys, self._connection
        wanted = msgspec.json.encode(test_ids).decode()
        keys.update(connection.execute(SQL["test_keys"], (wanted,)).fetchall())
        for test_id in test_ids:
            if "\0" in test_id:  # where a text ends for SQLite's JSON
                keys.update(connection.execute(SQL["test_key"], (test_id,)).fetchall())
        if self._last is None:
            self._last = int(connection.execute(SQL["last_test_key"]).fetchone()[0])
        new = [test_id for test_id in test_ids if test_id not in keys]
        keys.update(zip(new, range(self._last + 1, self._last + 1 + len(new)), strict=True))
        self._last += len(new)
        connection.executemany(
            SQL["add_tests"], ((keys[test_id], test_id, quick_suite_of(test_id), *_split(test_id)) for test_id in new)
        )


class RecordedRun:
    """A run's state in memory, and the keys of what it has in the database."""

    def __init__(self, run_key: int, state: RunState, source_keys: dict[str, int], test_keys: dict[str, int]) -> None:
        self.run_key = run_key
        self.state = state
        self.source_keys = source_keys
        #: Of tests that have a row among the run's results.
        self.test_keys = test_keys
        #: Whether the run was closed when it was last written.
        self.closed = state.closing.closed

    @classmethod
    def of(cls, connection: sqlite3.Connection, run_id: str) -> RecordedRun:
        """What the database has of a run, which is added to it when it is new."""
        row = connection.execute(SQL["run_key"], (run_id,)).fetchone()
        if row is None:
            return cls(connection.execute(SQL["new_run"], (run_id,)).lastrowid or 0, RunState(run_id), {}, {})
        source_keys = dict(connection.execute(SQL["source_keys"], row).fetchall())
        test_keys = dict(connection.execute(SQL["test_keys_of_run"], row).fetchall())
        return cls(row[0], load_run(connection, run_id), source_keys, test_keys)

    def source_key(self, connection: sqlite3.Connection, source: str) -> int:
        """The key of a source of this run, which is added to the database when it is new."""
        key = self.source_keys.get(source)
        if key is None:
            row = self.state.sources[source].row
            cursor = connection.execute(SQL["new_source"], (source, self.run_key, row.session, row.worker))
            key = self.source_keys[source] = cursor.lastrowid or 0
        return key

    def write(self, connection: sqlite3.Connection, keys: Keys) -> None:
        """Writes everything that changed since the last time."""
        changes, run_key = self.state.take(), self.run_key
        source_keys = self.source_keys
        for source in changes.sources:
            self.source_key(connection, source.source)
        self._write_tests(connection, keys, changes)
        connection.executemany(
            SQL["put_sources"], [(source_keys[row.source], *_astuple(row)[2:]) for row in changes.sources]
        )
        connection.executemany(SQL["drop_suites"], [(run_key, suite_id) for suite_id in changes.gone_suites])
        connection.executemany(SQL["put_suites"], [(run_key, *_astuple(row)) for row in changes.suites])
        connection.executemany(
            SQL["add_warnings"],
            [(run_key, source_keys[row.source], *_astuple(row)[1:]) for row in changes.warnings],
        )
        connection.executemany(
            SQL["add_crashes"],
            [
                (run_key, source_keys[row.reporter], row.seq, source_keys[row.source], *_astuple(row)[3:])
                for row in changes.crashes
            ],
        )
        self._write_test_events(connection, keys, changes.test_events)
        connection.executemany(
            SQL["add_quarantine"],
            [(source_keys[row.source], row.seq, "malformed", row.reason) for row in changes.unread],
        )
        if changes.run is not None:
            connection.execute(SQL["put_run"], _run_parameters(run_key, changes.run))

    def _write_tests(self, connection: sqlite3.Connection, keys: Keys, changes: Changes) -> None:
        run_key, source_keys, test_keys = self.run_key, self.source_keys, self.test_keys
        new: list[str] = []
        pending: list[ResultRow] = []
        passed: list[ResultRow] = []
        other: list[ResultRow] = []
        for row in changes.results:
            is_new = row.test_id not in test_keys
            if is_new:
                new.append(row.test_id)
            (passed if _has_passed(row) else pending if is_new and _is_pending(row) else other).append(row)
        if new:
            keys.add_to(test_keys, new)
        connection.executemany(
            SQL["drop_attempts"],
            ((run_key, test_keys[row.test_id], source_keys[row.source], row.attempt) for row in changes.gone),
        )
        connection.executemany(SQL["add_pending"], ((run_key, test_keys[row.test_id], row.position) for row in pending))
        connection.executemany(SQL["put_passed"], _passed_results(run_key, test_keys, passed))
        connection.executemany(SQL["put_results"], (_result(run_key, test_keys, row) for row in other))
        self._write_attempts(connection, changes.attempts)

    def _write_test_events(self, connection: sqlite3.Connection, keys: Keys, rows: Sequence[TestEventRow]) -> None:
        """These may be about tests that the run does not know otherwise."""
        if not rows:
            return
        test_keys: dict[str, int] = {}
        keys.add_to(test_keys, list(dict.fromkeys(row.test_id for row in rows)))
        connection.executemany(
            SQL["add_test_events"],
            [
                (self.run_key, test_keys[row.test_id], self.source_keys[row.source], row.seq, row.attempt, row.type)
                for row in rows
            ],
        )

    def _write_attempts(self, connection: sqlite3.Connection, rows: Sequence[AttemptRow]) -> None:
        run_key, source_keys, test_keys = self.run_key, self.source_keys, self.test_keys
        plain: list[AttemptRow] = []
        other: list[AttemptRow] = []
        for row in rows:
            (plain if _is_plain(row) else other).append(row)
        connection.executemany(SQL["put_plain_attempts"], _plain_attempts(run_key, test_keys, source_keys, plain))
        connection.executemany(SQL["put_attempts"], (_attempt(run_key, test_keys, source_keys, row) for row in other))


def _is_pending(row: ResultRow) -> bool:
    """Whether all but its position is as in a new row: most results are written so first."""
    return row.state == "pending" and row.file is None and row.line is None and not row.markers


def _has_passed(row: ResultRow) -> bool:
    """Whether ``put_passed`` says all of it: most results end so."""
    plain = row.reason is None and row.suite_id is None and row.quarantine is None and row.repetitions is None
    return plain and row.state == "passed" and row.attempts == 1


def _passed_results(run_key: int, test_keys: dict[str, int], rows: list[ResultRow]) -> Iterator[tuple[Any, ...]]:
    return (
        (
            run_key,
            test_keys[row.test_id],
            row.position,
            row.duration_ms,
            row.worker,
            row.file,
            row.line,
            row.started_ms,
            row.ended_ms,
            row.fingerprint,
            _markers(row.markers),
        )
        for row in rows
    )


def _result(run_key: int, test_keys: dict[str, int], row: ResultRow) -> tuple[Any, ...]:
    test_id, *plain, markers = _astuple(row)
    return (run_key, test_keys[test_id], *plain, _markers(markers))


@lru_cache(maxsize=1000)
def _markers(markers: tuple[str, ...]) -> str:
    """As JSON; many tests have the same ones."""
    return _encode(markers).decode()


def _is_plain(row: AttemptRow) -> bool:
    """Whether ``put_plain_attempts`` says all of it: most attempts are so."""
    return (
        row.outcome == "passed"
        and row.phase == "teardown"
        and row.error_message is None
        and row.error_type is None
        and row.reason is None
        and not row.subtests_passed
        and not row.subtests_failed
        and row.timeout_ms is None
        and not row.will_retry
        and row.error_file is None
        and row.error_line is None
    )


def _plain_attempts(
    run_key: int, test_keys: dict[str, int], source_keys: dict[str, int], rows: list[AttemptRow]
) -> Iterator[tuple[Any, ...]]:
    return (
        (
            run_key,
            test_keys[row.test_id],
            source_keys[row.source],
            row.attempt,
            row.worker,
            row.started_ms,
            row.ended_ms,
            row.duration_ms,
            row.setup_ms,
            row.call_ms,
            row.teardown_ms,
            row.detail_seq,
        )
        for row in rows
    )


def _attempt(run_key: int, test_keys: dict[str, int], source_keys: dict[str, int], row: AttemptRow) -> tuple[Any, ...]:
    test_id, source, *rest = _astuple(row)
    return (run_key, test_keys[test_id], source_keys[source], *rest)


def _split(test_id: str) -> tuple[str, str]:
    return split_params(test_id) if "[" in test_id else (test_id, "")


def _run_parameters(run_key: int, row: RunRow) -> tuple[Any, ...]:
    _id, *plain, labels, facts, context, facts_source, context_source, left_out, shards, missing = _astuple(row)
    texts = [_encode(value).decode() for value in (labels, facts, context)]
    return (run_key, *plain, *texts, facts_source, context_source, left_out, shards, missing)
