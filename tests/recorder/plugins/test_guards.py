"""What guards: it comes behind every other plugin, and passes over all that is stored, openings included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_semantest.protocol.redaction import MASK
from semantest_recorder.core.batch import Committed
from semantest_recorder.plugins import Event, hookimpl
from tests.recorder.store.ingesting import MAIN, begin, event, passed

from .plugged import plugged
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
