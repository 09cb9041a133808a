"""Says what a test was called before: to a recorder that runs, else into the database itself."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli import daemon
from semantest_recorder.cli.offline import offline
from semantest_recorder.cli.recorder_request import post
from semantest_recorder.store.aliases import say_alias
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.opening import open_for_writing

_ANSWER_S = 60.0


def tell_alias(folder: Path, old: str, new: str, state: str) -> None:
    """``state``: ``added`` or ``removed``. Raises ``Stop``."""
    present = daemon.running(folder)
    if present is not None:
        body = {"old": old, "new": new, "state": state}
        post(present[0], "/api/v1/aliases", body, _ANSWER_S, cut_short="`semantest alias list` says what is stored")
        return
    with offline(folder, stop_recorder=False):
        connection, _notices = open_for_writing(folder / DATABASE, _now_ms)
        with closing(connection):
            say_alias(Ingest(connection), old, new, state, _now_ms())


def _now_ms() -> float:
    return time.time() * 1000.0
