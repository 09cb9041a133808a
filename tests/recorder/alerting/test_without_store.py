"""What the recorder tells of itself while its store takes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.alerting.without_store import WithoutStore
from semantest_recorder.core.alerts.alert import Sighting
from semantest_recorder.core.alerts.settings import AlertSettings, Channel, Rule
from semantest_recorder.core.alerts.telling import Looked
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.notify.channels import Channels
from semantest_recorder.store.alerts import alerts_in, keep_alerts, tell
from semantest_recorder.store.opening import open_for_writing
from tests.recorder.notify.receiver import Receiver, Reply, receiving

RULE = Rule(name="sick", kind="recorder-unhealthy", channels=("team",))
NOW = 1_795_262_400_000.0


def looked(*, firing: bool) -> list[Looked]:
    return [Looked(RULE, [Sighting(subject="store", firing=firing, summary="the disk is full")])]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def database(tmp_path: Path) -> Path:
    connection, _ = open_for_writing(tmp_path / "semantest.db", lambda: NOW)
    connection.close()
    return tmp_path / "semantest.db"


def without_store(database: Path, receiver: Receiver) -> WithoutStore:
    settings = AlertSettings(channels=(Channel(name="team", kind="webhook", url_env="URL"),))
    return WithoutStore(database, Channels(settings, {"URL": receiver.url}), "", DaemonThreads(1, "asks"))


def test_it_is_told_once_until_somebody_was_reached_and_the_store_learns_of_it(
    database: Path, receiver: Receiver
) -> None:
    memory = without_store(database, receiver)
    receiver.reply = lambda _request: Reply(503)
    asyncio.run(memory.tell(looked(firing=True), NOW))
    receiver.next()
    assert [alert.told_state for alert in memory.alerts] == [None]
    receiver.reply = lambda _request: Reply()
    for later in (1, 2, 3):
        asyncio.run(memory.tell(looked(firing=True), NOW + later))
    assert receiver.next().json["title"] == "The recorder needs help: store"
    assert receiver.received.empty()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        keep_alerts(connection, memory.alerts)
        assert tell(connection, looked(firing=True), "", NOW + 4) == 0, "people know it"
        assert tell(connection, looked(firing=False), "", NOW + 5) == 1


def test_what_the_store_told_before_is_not_told_again(database: Path, receiver: Receiver) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        assert tell(connection, looked(firing=True), "", NOW) == 1
        assert [alert.told_state for alert in alerts_in(connection)] == ["firing"]
    asyncio.run(without_store(database, receiver).tell(looked(firing=True), NOW + 1))
    assert receiver.received.empty()
