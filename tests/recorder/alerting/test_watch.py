"""The watch, its outbox and the desk in this process, on a real engine: what a daemon does with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from semantest_recorder.alerting import desk
from semantest_recorder.alerting.alerts import Alerts
from semantest_recorder.core.alerts.actions import DropDead, EndSilence, MakeSilence, RetryDead, Trial
from semantest_recorder.core.alerts.delivery import Answer
from semantest_recorder.core.alerts.settings import AlertSettings, Channel, Rule
from semantest_recorder.core.batch import Batch, RawEvent
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.security import Security
from semantest_recorder.engine import Engine, now_ms
from semantest_recorder.notify.log import LogChannel
from semantest_recorder.plugins.configuration import PluginSettings
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.server.hub import Hub
from semantest_recorder.store.alert_facts import StoredAlerts, read_alerts
from tests.recorder.cli.recording import Recording
from tests.recorder.cli_recorder.daemons import wait_until
from tests.recorder.event_loop import in_loop
from tests.recorder.notify.receiver import Received, Receiver, Reply, receiving

RED = Rule(name="red", kind="run-failed", channels=("team", "log"))
SICK = Rule(name="sick", kind="recorder-unhealthy", channels=("team",), min_free=1)
CHANNELS = (Channel(name="team", kind="webhook", url_env="URL", timeout_s=30.0), Channel(name="log", kind="log"))


class Watching:
    """An engine with alerts, and the end of a run whenever a test wants one."""

    def __init__(self, engine: Engine, alerts: Alerts, hub: Hub, receiver: Receiver) -> None:
        self.engine, self.alerts, self.hub, self.receiver = engine, alerts, hub, receiver
        self._runs = 0

    def fail(self, branch: str) -> None:
        self._runs += 1
        run = Recording(f"20261122-{self._runs:06d}-a1b2c3", start_ms=time.time() * 1000 - 1000)
        run.start()
        run.plan("a.py::t")
        run.add("main", "run/context", {"git": {"branch": branch, "commit": "1" * 40}})
        run.test("a.py::t", "failed")
        run.end(1)
        events = [msgspec.json.decode(body, type=RawEvent) for body in run.bodies["main"]]
        self.hub.submit(Batch(f"{run.session}.main", 1, events, now_ms()), None)

    async def told(self) -> Received:
        return await asyncio.to_thread(self.receiver.next)

    def stored(self) -> StoredAlerts:
        return read_alerts(self.engine.database, now_ms())

    async def until(self, condition: Callable[[StoredAlerts], object]) -> StoredAlerts:
        await asyncio.to_thread(wait_until, lambda: bool(condition(self.stored())), "what is stored")
        return self.stored()


@asynccontextmanager
async def watching(folder: Path, receiver: Receiver, *rules: Rule) -> AsyncIterator[Watching]:
    engine = Engine(folder / "semantest.db", PluginRegistry(PluginSettings()), folder, own_place=True)
    settings = AlertSettings(rules=rules, channels=CHANNELS)
    alerts = Alerts(engine.store, settings, {"URL": receiver.url}, "https://rec.example", now_ms)
    hub = engine.start(Security(Policy()), alerts.watch.note)
    task = asyncio.create_task(alerts.watch.run(hub))
    try:
        yield Watching(engine, alerts, hub, receiver)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(engine.writer.close)
        await hub.close("over", 1.0)
        await asyncio.to_thread(engine.dispatcher.close, 5.0)
        engine.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_from_the_end_of_a_run_to_the_answer_of_every_channel(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        async with watching(tmp_path, receiver, RED, SICK) as here:
            here.fail("main")
            got = await here.told()
            assert (got.json["title"], got.json["runUrl"][:25]) == ("Run failed on main", "https://rec.example/runs/")
            found = await here.until(lambda stored: all(one.state == "delivered" for one in stored.deliveries))
            assert {one.channel: one.answer for one in found.deliveries} == {
                "team": "127.0.0.1 answered 200",
                "log": "written to the log",
            }
            assert [(alert.subject, alert.told_state) for alert in found.alerts] == [("main", "firing")]

    in_loop(scenario())


def test_what_fails_is_tried_again_later_and_holds_up_only_its_own_rule(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        other = msgspec.structs.replace(RED, name="other", branches=("dev",), channels=("team",))
        main = msgspec.structs.replace(RED, branches=("main",), channels=("team",))
        receiver.reply = lambda got: Reply(503, {"Retry-After": "3600"} if got.json["rule"] == "red" else {})
        async with watching(tmp_path, receiver, main, other) as here:
            here.fail("main")
            await here.told()
            (one,) = (await here.until(lambda stored: stored.deliveries[0].tries)).deliveries
            assert (one.state, one.answer) == ("queued", "127.0.0.1 answered 503")
            assert one.next_ms > now_ms() + 3_500_000
            receiver.reply = lambda _got: Reply()
            here.fail("dev")
            assert (await here.told()).json["branch"] == "dev"

    in_loop(scenario())


def test_a_channel_that_breaks_is_not_tried_without_end(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> Answer:
        raise KeyError("odd")

    async def scenario() -> None:
        async with watching(tmp_path, receiver, RED) as here:
            monkeypatch.setattr(LogChannel, "send", broken)
            here.fail("main")
            found = await here.until(lambda stored: any(one.tries for one in stored.deliveries if one.channel == "log"))
            (one,) = (one for one in found.deliveries if one.channel == "log")
            assert (one.state, one.tries, one.answer) == ("queued", 1, "the channel failed: KeyError")
            assert one.next_ms > now_ms()

    in_loop(scenario())


def test_the_desk_does_what_people_ask_for(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        async with watching(tmp_path, receiver, RED) as here:
            act = here.alerts.desk.act
            made = await act(MakeSilence(until_ms=now_ms() + 60_000, reason="moving"))
            here.fail("main")
            await here.until(lambda stored: stored.alerts)
            assert here.stored().deliveries == []
            receiver.reply = lambda _got: Reply(410)
            assert (await act(EndSilence(id=made.id or ""))).count == 1
            assert (await act(EndSilence(id="none"))).count == 0
            first = await here.told()
            await here.until(lambda stored: stored.dead)
            receiver.reply = lambda _got: Reply()
            assert (await act(RetryDead(ids=None))).count == 1
            assert (await here.told()).body == first.body
            assert (await act(DropDead(ids=None))).count == 0
            done = await act(Trial(name="team"))
            assert [(one.channel, one.delivered) for one in done.answers] == [("team", True)]
            for wrong in (Trial(name="nobody"), MakeSilence(until_ms=1.0), MakeSilence(until_ms=now_ms() * 1000)):
                with pytest.raises(Refusal) as refused:
                    await act(wrong)
                assert refused.value.code == "INVALID_REQUEST"

    in_loop(scenario())


def test_silences_are_bounded(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with watching(tmp_path, receiver, RED) as here:
            monkeypatch.setattr(desk, "MOST_SILENCES", 2)
            for _ in range(2):
                made = await here.alerts.desk.act(MakeSilence(until_ms=now_ms() + 60_000))
            with pytest.raises(Refusal, match="2 silences hold already"):
                await here.alerts.desk.act(MakeSilence(until_ms=now_ms() + 60_000))
            await here.alerts.desk.act(EndSilence(id=made.id or ""))
            await here.alerts.desk.act(MakeSilence(until_ms=now_ms() + 60_000))

    in_loop(scenario())


def test_a_store_that_refuses_costs_no_alert(tmp_path: Path, receiver: Receiver) -> None:
    async def scenario() -> None:
        async with watching(tmp_path, receiver, RED) as here:
            await here.until(lambda _stored: True)
            connection = here.engine.store._connection
            connection.execute(
                "CREATE TEMP TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT raise(ABORT, 'full'); END"
            )
            here.fail("main")
            await asyncio.to_thread(wait_until, lambda: bool(here.alerts.watch._troubles), "it is refused")
            assert here.stored().alerts == []
            connection.execute("DROP TRIGGER temp.full")
            here.alerts.watch.wake()
            assert (await here.told()).json["title"] == "Run failed on main"

    in_loop(scenario())
