"""A run that somebody watches: its state and what is usual for its tests, out of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from pytest_semantest.protocol.layout import HISTORY
from semantest_recorder.core.live_log import LINES, LiveLog
from semantest_recorder.core.watched_run import WatchedRun
from semantest_recorder.reports.live import Usual, usual_time
from semantest_recorder.store.errors import CannotOpen, RunNotFound
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.live_look import last_events, run_key
from semantest_recorder.store.loading import load_run
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader

#: From so many runs before.
_RUNS = 20


class _History(msgspec.Struct):
    durations: dict[str, float] = {}


def watched_run(database: Path, run_id: str) -> WatchedRun:
    """The run as the database has it at one moment. Raises ``RunNotFound`` and what ``connect_read_only`` raises."""
    with _one_moment(database, run_id) as (connection, _key):
        return WatchedRun(load_run(connection, run_id))


def followed_run(database: Path, run_id: str) -> tuple[WatchedRun, LiveLog]:
    """The same with how long its tests usually take, and the last lines of what happened in it."""
    log = LiveLog()
    with _one_moment(database, run_id) as (connection, key):
        state = load_run(connection, run_id)
        for worker, event in last_events(connection, key, LINES):
            log.take(worker, (event,))
    return WatchedRun(state, usual_durations(database)), log


@contextmanager
def _one_moment(database: Path, run_id: str) -> Iterator[tuple[sqlite3.Connection, int]]:
    """A connection that sees one moment, events behind which may be applied to its rows; and the key of the run."""
    with closing(connect_read_only(database)) as connection:
        try:
            connection.execute("BEGIN")
            key = run_key(connection, run_id)
            if key is None:
                raise RunNotFound(run_id, [])
            yield connection, key
        except sqlite3.Error as error:
            raise CannotOpen(database, str(error)) from None


def usual_durations(database: Path) -> Mapping[str, float]:
    """How long each test of the project usually takes, in milliseconds; empty when nothing was told yet."""
    try:
        return msgspec.json.decode(database.with_name(HISTORY).read_bytes(), type=_History).durations
    except (OSError, msgspec.DecodeError):
        return {}


class UsualTimes:
    """How long tests took in earlier runs, remembered. Raises what ``Reader`` raises."""

    def __init__(self, database: Path) -> None:
        self._reader = Reader(database)
        self._identity = read_identity(database)
        self._known: dict[str, Usual | None] = {}

    def of(self, test_id: str) -> Usual | None:
        """Of one test, ``None`` when it never passed before."""
        if test_id not in self._known:
            _own, *others = self._identity.ids_of(test_id)
            self._known[test_id] = usual_time(self._reader.history(test_id, _RUNS, other_names=others))
        return self._known[test_id]
