"""What guards: it comes behind every other plugin, and passes over all that is stored, openings included."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pytest_semantest.protocol.redaction import MASK
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.batch import Batch, Committed
from semantest_recorder.core.run_config import RunConfig
from semantest_recorder.embedding import create_orchestrator_integration
from semantest_recorder.plugins import Event, hookimpl
from semantest_recorder.plugins.builtin.event_filter import EventFilter
from tests.recorder.store.ingesting import MAIN, RUN, attempt, begin, event, passed

from .plugged import plugged, wait_for
from .test_event_filter import TOKEN

QUIET = [begin(), event("custom/noise", level=1), *passed("a.py::t")]
SECRETS = {"authorization": f"Bearer {TOKEN}", "password": "hunter22", "message": f"sent {TOKEN}"}


def telling(*, first: bool = False, last: bool = False) -> object:
    """A plugin that writes secrets into events in which there were none."""

    class Telling:
        name = "telling"

        @hookimpl(tryfirst=first, trylast=last)
        def on_event(self, event: Event) -> Event | None:
            return event.replace(payload={**event.payload, **SECRETS}) if event.type == "custom/noise" else None

    return Telling()


class Original:
    """The same as a class-style plugin."""

    name = "original"

    def on_event(self, event: dict[str, Any]) -> dict[str, Any]:
        return {**event, "payload": {**event["payload"], **SECRETS}} if event["type"] == "custom/noise" else event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


@pytest.mark.hazard(35)
@pytest.mark.parametrize("plugin", [telling(), telling(first=True), telling(last=True), Original()])
@pytest.mark.parametrize("enabled", [[], ["event-filter"], ["screenshots", "event-filter"]])
def test_what_a_plugin_writes_is_filtered_whoever_it_is_and_whatever_came(
    path: Path, plugin: object, enabled: list[str]
) -> None:
    with plugged(path, plugin, section={"enabled": enabled}, builtin=True) as recorder:
        assert isinstance(recorder.send(MAIN, 1, QUIET), Committed)
        (stored,) = [payload for _seq, kind, payload in recorder.stored() if kind == "custom/noise"]
        assert stored == {"level": 1, "authorization": MASK, "password": MASK, "message": f"sent {MASK}"}
        assert recorder.counts("event-filter", "on_event")["calls"] == 1, "what nobody changed is not looked at again"


@pytest.mark.hazard(35)
def test_what_is_said_of_a_failure_quotes_no_secret(path: Path) -> None:
    class Quotes:
        name = "quotes"

        @hookimpl
        def on_event(self, event: Event) -> None:
            if event.type == "custom/noise":
                raise ValueError(f"no number: {TOKEN} of {event.payload}")

    with plugged(path, Quotes(), builtin=True) as recorder:
        recorder.send(MAIN, 1, [begin(), event("custom/noise", password="hunter22")])
        (reason,) = [row[2] for row in recorder.marks() if row[1] == "failed"]
        assert reason.startswith(f"plugin quotes: ValueError: no number: {MASK} of")
        assert "hunter22" not in reason
        assert TOKEN not in str(recorder.dispatcher.status())


@pytest.mark.hazard(35)
@pytest.mark.parametrize("enabled", [["screenshots"], ["screenshots", "event-filter"], ["event-filter", "screenshots"]])
def test_the_index_of_pictures_says_what_the_log_says(path: Path, enabled: list[str]) -> None:
    picture = event("test/screenshot", testId="a.py::t", name=f"token={TOKEN}", path="password=hunter22")
    started, ended = attempt("a.py::t", 1, "failed")
    section = {"enabled": enabled}
    with plugged(path, section=section, builtin=True) as recorder:
        recorder.send(MAIN, 1, [begin(), started, picture])
    with plugged(path, section=section, builtin=True) as recorder:
        recorder.send(MAIN, 4, [ended, event("run/end", 3.0, runId=RUN, exitCode=1)])
        wait_for(lambda: recorder.counts("screenshots", "after_test_run")["calls"] > 0)
    found = json.loads((path.parent / "reports" / f"{RUN}.screenshots.json").read_text())
    (listed,) = found["tests"]["a.py::t"]
    assert listed == {"id": f"{MAIN}:3", "name": f"token={MASK}", "path": f"password={MASK}"}


def test_a_picture_that_a_plugin_makes_is_refused_as_any_other(path: Path) -> None:
    class Draws:
        name = "draws"

        @hookimpl
        def on_event(self, event: Event) -> Event | None:
            if event.type != "custom/noise":
                return None
            return event.replace(type="test/screenshot", payload={"testId": "a.py::t", "name": "page"})

    section = {"enabled": ["screenshots"], "screenshots": {"keep": "none"}}
    with plugged(path, Draws(), section=section, builtin=True) as recorder:
        recorder.send(MAIN, 1, QUIET)
        assert [row[1] for row in recorder.stored()] == ["run/start", "event/dropped", "test/start", "test/end"]


@pytest.mark.hazard(35)
@pytest.mark.parametrize("how", ["command", "event"])
def test_what_clients_call_their_runs_is_filtered(path: Path, how: str) -> None:
    name, tags = f"nightly token={TOKEN}", ["fast", "password=hunter22"]
    config = {"runId": "r1", "name": name, "tags": tags}

    async def record() -> None:
        system = create_orchestrator_integration(db_path=path)
        orchestrator = system.get_orchestrator()
        if how == "command":
            await orchestrator.start_test_run(config)
        else:
            content = {"runId": "r1", "name": name, "config": config}
            at = time.time() * 1000
            await orchestrator.handle_event({"id": "1", "type": "run/start", "timestamp": at, "payload": content})
        at = time.time() * 1000
        content = {"testId": "t", "testName": "t", "runId": "r1"}
        await orchestrator.handle_event({"id": "2", "type": "test/start", "timestamp": at, "payload": content})
        await system.shutdown()

    asyncio.run(record())
    with closing(sqlite3.connect(path)) as connection:
        everything = "\n".join(connection.iterdump())
        assert connection.execute("SELECT name FROM runs").fetchall() == [(f"nightly token={MASK}",)]
        assert connection.execute("SELECT seq, kind, reason FROM marks").fetchall() == [
            (1, "changed", "plugin event-filter")
        ]
    assert TOKEN not in everything
    assert "hunter22" not in everything
    assert f'["fast","password={MASK}"]' in everything


class Sees:
    """Another plugin, which openings go past."""

    name = "sees"

    def __init__(self) -> None:
        self.types: list[str] = []

    @hookimpl
    def on_event(self, event: Event) -> None:
        self.types.append(event.type)


def said(*contents: dict[str, Any], beside: bool) -> list[Batch]:
    """What a client says one by one in a run of its own, or beside a run of pytest."""
    runs = ActiveRuns(lambda run_id: beside)
    if not beside:
        runs.start(RunConfig(RUN, name="password=hunter22"), 1.0, client="c")
    return [runs.write(event("test/log", **one), one, RUN, "c", 2.0).batch for one in contents]


@pytest.mark.parametrize("beside", [False, True])
def test_an_opening_goes_to_guards_only_and_is_marked_where_it_is_stored(path: Path, beside: bool) -> None:
    sees = Sees()
    with plugged(path, sees, builtin=True) as recorder:
        if beside:
            recorder.send(MAIN, 1, [begin()])
        sees.types.clear()
        first, second = said({"testId": "t", "message": "a"}, {"testId": "t", "message": TOKEN}, beside=beside)
        for batch in (first, second):
            (verdict,) = recorder.send_all([batch])
            assert isinstance(verdict, Committed)
        assert [row[1] for row in recorder.stored(first.source)] == [
            "client/start" if beside else "run/start",
            *["test/log"] * 2,
        ]
        assert sees.types == ["test/log"] * 2
        changed = [(3, "changed", "plugin event-filter")]
        assert recorder.marks() == (changed if beside else [(1, "changed", "plugin event-filter"), *changed])


@pytest.mark.parametrize("beside", [False, True])
def test_of_an_opening_that_a_guard_cannot_look_at_its_source_remains(
    path: Path, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: EventFilter, event: Event) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(EventFilter, "on_event", hookimpl(fails))
    with plugged(path, builtin=True) as recorder:
        (batch,) = said({"testId": "t", "message": "hunter22"}, beside=beside)
        (verdict,) = recorder.send_all([batch])
        assert isinstance(verdict, Committed)
        (_seq, kind, opening), (_, dropped, _payload) = recorder.stored(batch.source)
        assert (kind, dropped) == ("client/start" if beside else "run/start", "event/dropped")
        assert (opening["runId"], opening["source"], opening["withheld"]) == (RUN, batch.source, True)
        assert opening.get("origin") == (None if beside else "client"), "it is still a run of its client"
        assert "hunter22" not in "".join(row[0] for row in recorder.rows("SELECT payload FROM events"))
