"""What is told of a run that begins at an awkward moment."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from threading import Event

import pytest

from semantest_recorder.answers.watched_run import followed_run
from semantest_recorder.core.batch import Committed
from semantest_recorder.core.live_log import LiveLog
from semantest_recorder.core.watched_run import WatchedRun
from semantest_recorder.pages import live_channel
from semantest_recorder.pages.live_channel import LiveChannel
from semantest_recorder.pages.watcher import Watcher
from tests.recorder.store.ingesting import begin, passed, recording

_PATIENCE_S = 20


async def heard(end: socket.socket, wanted: bytes) -> bytes:
    """All that was told until ``wanted`` was."""
    told = b""
    async with asyncio.timeout(_PATIENCE_S):
        while wanted not in told:
            told += await asyncio.get_running_loop().sock_recv(end, 65536)
    return told


def test_a_run_that_begins_while_it_is_looked_for_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, goes_on = Event(), Event()

    def slowly(database: Path, run_id: str) -> tuple[WatchedRun, LiveLog]:
        try:
            return followed_run(database, run_id)
        finally:
            looked.set()
            goes_on.wait()

    monkeypatch.setattr(live_channel, "followed_run", slowly)

    async def follow() -> None:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        transport, _protocol = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        channel = LiveChannel(tmp_path / "semantest.db", lambda: 5000.0)
        with recording(tmp_path / "semantest.db") as recorder:
            channel.join("run-1", Watcher(transport))
            await asyncio.to_thread(looked.wait)
            verdict = recorder.send("run-1.main", 1, [begin("run-1"), *passed("a.py::test_one")])
            assert isinstance(verdict, Committed)
            channel.note(verdict)
            for _ in range(5):
                await asyncio.sleep(0)
            goes_on.set()
            assert b'"done":1' in await heard(theirs, b'"counts"')
        channel.close()
        transport.close()
        theirs.close()

    asyncio.run(follow())
