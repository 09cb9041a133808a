"""Something about alerts that is asked of a recorder that runs, else done in the database itself."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.alerting.desk import Change, change_stored, refuse_action, refuse_done
from semantest_recorder.cli import daemon
from semantest_recorder.cli.offline import offline
from semantest_recorder.cli.recorder_request import post
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.core.alerts.actions import Action, Done
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.discovery import Discovery
from semantest_recorder.store.ingest import Ingest, Removed
from semantest_recorder.store.opening import open_for_writing

#: A test of a channel takes up to a minute.
_ANSWER_S = 90.0


def change_alerts(folder: Path, action: Change) -> Done:
    """Does it. Raises ``Stop``."""
    try:
        refuse_action(action, _now_ms())
    except Refusal as refusal:
        raise Stop(str(refusal), EXIT_USAGE) from None
    present = daemon.running(folder)
    if present is not None:
        return ask_recorder(present[0], action)
    with offline(folder, stop_recorder=False):
        connection, _notices = open_for_writing(folder / DATABASE, _now_ms)
        with closing(connection):
            done = _changed(connection, action)
    try:
        refuse_done(action, done)
    except Refusal as refusal:
        raise Stop(str(refusal)) from None
    return done


def ask_recorder(found: Discovery, action: Action) -> Done:
    """What a recorder that runs has done. Raises ``Stop``."""
    body = msgspec.to_builtins(action)
    answer = post(found, "/api/v1/alerts/actions", body, _ANSWER_S, cut_short="`semantest alerts` says how it stands")
    return msgspec.convert(answer, Done)


def _changed(connection: sqlite3.Connection, action: Change) -> Done:
    done = Done()

    def work(connection: sqlite3.Connection) -> Removed:
        nonlocal done
        done = change_stored(connection, action, _now_ms())
        return Removed()

    try:
        Ingest(connection).between(work)
    except sqlite3.Error as error:
        raise Stop(f"it is not stored: {error}") from None
    return done


def _now_ms() -> float:
    return time.time() * 1000.0
