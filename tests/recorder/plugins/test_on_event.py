"""``on_event``: what plugins change and drop is stored so, everything else as it came, whatever they do."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from semantest_recorder.core.batch import Batch, Committed, RawEvent, Verdict
from semantest_recorder.core.security import KEPT_TYPES
from semantest_recorder.plugins import DROP, Event, Failure, hookimpl
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.replay import rebuild
from tests.recorder.store.ingesting import MAIN, RUN, begin, event, passed

from .plugged import plugged

NOISE = event("custom/noise", level=1)
EVENTS = [begin(), event("test/log", testId="a.py::t", message="hello"), NOISE, *passed("a.py::t")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


class Upper:
    """Changes messages."""

    name = "upper"

    @hookimpl
    def on_event(self, event: Event) -> Event | None:
        if event.type != "test/log":
            return None
        return event.replace(payload={**event.payload, "message": event.payload["message"].upper()})


class Exclaim:
    """Changes what the one before made of it; takes its time."""

    name = "exclaim"

    @hookimpl
    async def on_event(self, event: Event) -> Event | None:
        await asyncio.sleep(0)
        if event.type != "test/log":
            return None
        return event.replace(payload={**event.payload, "message": event.payload["message"] + "!"})


class Quiet:
    """Drops noise."""

    name = "quiet"

    @hookimpl
    def on_event(self, event: Event) -> Any:
        return DROP if event.type == "custom/noise" else None


class Watcher:
    """Keeps what it sees, and gives each event back as it is."""

    name = "watcher"

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None, str]] = []
        self.failures: list[Failure] = []

    @hookimpl(tryfirst=True)
    def on_event(self, event: Event) -> Event:
        self.seen.append((event.id, event.run_id, event.worker))
        return event

    @hookimpl
    def on_error(self, failure: Failure) -> None:
        self.failures.append(failure)


@pytest.mark.hazard(25)
def test_changes_and_drops_are_stored_and_marked_in_the_order_of_the_plugins(path: Path) -> None:
    with plugged(path, Upper(), Exclaim(), Quiet()) as recorder:
        verdict = recorder.send(MAIN, 1, EVENTS)
        assert isinstance(verdict, Committed)
        assert verdict.seq == len(EVENTS)
        stored = recorder.stored()
        assert stored[1][2]["message"] == "HELLO!"
        assert stored[2] == (3, "event/dropped", {"type": "custom/noise", "reason": "plugin quiet"})
        assert recorder.marks() == [(2, "changed", "plugin upper, exclaim"), (3, "dropped", "plugin quiet")]
        assert recorder.counts("quiet", "on_event")["calls"] == len(EVENTS)


def test_what_is_only_looked_at_or_given_back_is_stored_byte_by_byte_as_it_came(path: Path) -> None:
    watcher = Watcher()
    with plugged(path, watcher) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        stored = [row[0] for row in recorder.rows("SELECT payload FROM events ORDER BY seq")]
        assert recorder.marks() == []
    assert stored == [bytes(sent.payload).decode() for sent in EVENTS]
    assert watcher.seen == [(f"{MAIN}:{seq}", RUN, "main") for seq in range(1, len(EVENTS) + 1)]


@pytest.mark.hazard(25)
def test_on_event_is_called_once_for_a_resent_event_by_a_restarted_recorder_too_and_never_by_replay(
    path: Path, tmp_path: Path
) -> None:
    watcher = Watcher()
    with plugged(path, watcher, Quiet(), Upper()) as recorder:
        recorder.send(MAIN, 1, EVENTS[:3])
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        assert isinstance(recorder.send(MAIN, 2, EVENTS[1:]), Committed)
    with plugged(path, watcher, Quiet(), Upper()) as recorder:
        again = recorder.send(MAIN, 1, [*EVENTS, event("custom/last")])
        assert isinstance(again, Committed)
        assert len(again.fresh) == 1
    assert [name for name, *_ in watcher.seen] == [f"{MAIN}:{seq}" for seq in range(1, len(EVENTS) + 2)]
    rebuild(path, tmp_path / "again.db")
    assert len(watcher.seen) == len(EVENTS) + 1
    assert differences(path, tmp_path / "again.db") == []


def test_what_is_sent_again_while_the_first_is_on_its_way_is_not_asked_again(path: Path) -> None:
    watcher, entered, go = Watcher(), threading.Event(), threading.Event()

    class Gate:
        name = "gate"

        @hookimpl
        def on_event(self, event: Event) -> Any:
            if event.type == "custom/gate":
                entered.set()
                go.wait(60)
            return DROP if event.type in ("custom/noise", "custom/gate") else None

    with plugged(path, watcher, Gate(), section={"timeout": 60}) as recorder:
        batches = [Batch(MAIN, 1, list(EVENTS), 1.0), Batch("b.main", 1, [begin("b"), event("custom/gate")], 1.0)]
        batches += [Batch(MAIN, 1, [*EVENTS, NOISE], 1.0), Batch(MAIN, 3, [*EVENTS[2:], NOISE], 1.0)]
        verdicts: list[Any] = []
        for batch in batches:
            recorder.writer.submit(batch, verdicts.append)
        assert entered.wait(60)
        go.set()
        assert isinstance(recorder.send("c.main", 1, [begin("c")]), Committed)
        assert [type(verdict) for verdict in verdicts] == [Committed] * 4
        assert [row[1] for row in recorder.marks() if row[0] in (3, 6)] == ["dropped", "dropped"]
    own = [name for name, *_ in watcher.seen if name.startswith(MAIN)]
    assert own == [f"{MAIN}:{seq}" for seq in range(1, len(EVENTS) + 2)]


def test_what_is_sent_again_as_soon_as_it_is_acknowledged_is_not_asked_again(path: Path) -> None:
    watcher, verdicts = Watcher(), Queue[Verdict]()
    with plugged(path, watcher) as recorder:

        def send_again(verdict: Verdict) -> None:
            recorder.writer.submit(Batch(MAIN, 2, EVENTS[1:], 1.0), verdicts.put)
            assert recorder.dispatcher.wait_until_worked(60)
            verdicts.put(verdict)

        recorder.send(MAIN, 1, EVENTS[:1])
        recorder.writer.submit(Batch(MAIN, 1, list(EVENTS), 1.0), send_again)
        assert [type(verdicts.get(timeout=60)) for _ in range(2)] == [Committed] * 2
    assert [name for name, *_ in watcher.seen] == [f"{MAIN}:{seq}" for seq in range(1, len(EVENTS) + 1)]


class Raises:
    """Fails in every way there is."""

    name = "raises"

    def __init__(self, given: object) -> None:
        self.given = given

    @hookimpl
    def on_event(self, event: Event) -> Any:
        if event.type != "test/log":
            return None
        if isinstance(self.given, BaseException):
            raise self.given
        return self.given(event) if callable(self.given) else self.given


class Treacherous(dict[str, Any]):
    """Ends the process when somebody looks into it."""

    def get(self, key: str, default: Any = None) -> Any:
        raise SystemExit(4)


@pytest.mark.hazard(25)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (ValueError("no"), "ValueError: no"),
        (SystemExit(3), "SystemExit: 3"),
        (asyncio.CancelledError(), "it was cancelled"),
        (True, "not bool"),
        (lambda event: event.replace(payload={"x": object()}), "cannot be written as JSON"),
        (lambda event: event.replace(type="run/end"), "cannot become run/end"),
        (lambda event: event.replace(timestamp=float("nan")), "timestamp"),
        (lambda event: event.replace(timestamp="2026-01-01"), "timestamp of an event is a number"),
        (lambda event: event.replace(timestamp=True), "timestamp of an event is a number"),
        (lambda event: event.replace(type=["test/log"]), "type of an event is a text"),
        (lambda event: event.replace(type="\ud800"), "no Unicode text"),
        (lambda event: event.replace(payload=["x"]), "no JSON object"),
        (lambda event: Event(RawEvent("test/log", "now", event.raw.payload)), "timestamp of an event is a number"),  # type: ignore[arg-type]
        (lambda event: Event(RawEvent("test/log", 1.0, "{}")), "event.replace"),  # type: ignore[arg-type]
        ({"type": "test/log"}, "no payload"),
        ({"type": "test/log", "timestamp": 10**400, "payload": {}}, "timestamp of an event is a number"),
        (Treacherous(), "SystemExit: 4"),
    ],
    ids=[
        *("raises", "exits", "cancels itself", "no event", "no JSON", "other type", "no time", "time as text"),
        *("time as bool", "type as list", "type no text", "payload as list", "own event", "own payload", "no payload"),
        *("time without end", "exits when it is read"),
    ],
)
def test_a_plugin_that_fails_leaves_the_event_as_it_was_and_the_next_one_follows(
    path: Path, given: object, said: str
) -> None:
    watcher = Watcher()
    with plugged(path, Raises(given), Upper(), watcher) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        assert recorder.stored()[1][2]["message"] == "HELLO"
        assert [row[:2] for row in recorder.marks()] == [(2, "changed"), (2, "failed")]
        counts = recorder.counts("raises", "on_event")
        assert (counts["failures"], counts["timeouts"]) == (1, 0)
        assert said in counts["lastError"]
        assert [(failure.plugin, failure.hook) for failure in watcher.failures] == [("raises", "on_event")]
        assert watcher.failures[0].event is not None
        assert isinstance(recorder.send(MAIN, 6, passed("a.py::u")), Committed)


def test_a_large_whole_number_is_a_time(path: Path) -> None:
    with plugged(path, Raises(lambda event: event.replace(timestamp=10**300))) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        assert recorder.rows("SELECT time_ms FROM events WHERE seq = 2") == [(1e300,)]


@pytest.mark.hazard(25)
def test_a_failing_on_error_is_only_counted(path: Path) -> None:
    class Worse:
        name = "worse"

        @hookimpl
        def on_error(self, failure: Failure) -> None:
            raise RuntimeError("again")

    watcher = Watcher()
    with plugged(path, Raises(ValueError("no")), Worse(), watcher) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        assert recorder.counts("worse", "on_error")["failures"] == 1
    assert len(watcher.failures) == 1


@pytest.mark.hazard(25)
@pytest.mark.parametrize("kind", sorted(KEPT_TYPES))
def test_what_a_run_consists_of_cannot_be_dropped(path: Path, kind: str) -> None:
    class DropAll:
        name = "drop-all"

        @hookimpl
        def on_event(self, event: Event) -> Any:
            return DROP

    with plugged(path, DropAll()) as recorder:
        recorder.send(MAIN, 1, [begin(), event(kind, testId="a.py::t", runId=RUN), NOISE])
        assert [stored[1] for stored in recorder.stored()] == ["run/start", kind, "event/dropped"]
        assert "cannot be dropped" in recorder.counts("drop-all", "on_event")["lastError"]


def test_of_whom_an_event_speaks_cannot_be_changed_what_it_says_can(path: Path) -> None:
    class Rename:
        name = "rename"

        @hookimpl
        def on_event(self, event: Event) -> Event | None:
            if event.type == "test/end":
                return event.replace(payload={**event.payload, "testId": "other"})
            return event.replace(payload={**event.payload, "more": 1}) if event.type == "test/start" else None

    with plugged(path, Rename()) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        assert recorder.stored()[3][2]["more"] == 1
        assert recorder.stored()[4][2]["testId"] == "a.py::t"
        assert "testId of test/end cannot be changed" in recorder.counts("rename", "on_event")["lastError"]


def test_changing_a_payload_in_place_changes_nothing_for_anybody(path: Path) -> None:
    class InPlace:
        name = "in-place"

        @hookimpl
        def on_event(self, event: Event) -> None:
            event.payload.clear()

    with plugged(path, InPlace(), Upper()) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        assert recorder.stored()[1][2] == {"testId": "a.py::t", "message": "HELLO"}


def test_class_style_plugins_take_dicts_and_drop_by_none(path: Path) -> None:
    class Original:
        name = "original"

        def __init__(self) -> None:
            self.calls: list[tuple[str, Any]] = []

        def initialize(self, options: dict[str, Any]) -> None:
            self.calls.append(("initialize", options))

        def on_event(self, event: dict[str, Any]) -> dict[str, Any] | None:
            if event["type"] == "custom/noise":
                return None
            return {**event, "payload": {**event["payload"], "seen": True}} if event["type"] == "test/log" else event

        async def after_test(self, test: dict[str, Any]) -> None:
            self.calls.append(("after_test", test["testId"]))

        def destroy(self) -> None:
            self.calls.append(("destroy", None))

    original = Original()
    with plugged(path, original, section={"original": {"a": 1}}) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        assert recorder.stored()[1][2]["seen"] is True
        assert recorder.marks() == [(2, "changed", "plugin original"), (3, "dropped", "plugin original")]
    assert original.calls == [("initialize", {"a": 1}), ("after_test", "a.py::t"), ("destroy", None)]


def test_a_class_style_plugin_may_give_its_answer_later_however_it_is_written(path: Path) -> None:
    async def answer(event: dict[str, Any]) -> dict[str, Any] | None:
        await asyncio.sleep(0)
        return None if event["type"] == "custom/noise" else event

    class Later:
        name = "later"

        def on_event(self, event: dict[str, Any]) -> Any:
            return answer(event)

    class Async:
        name = "async"

        async def on_event(self, event: dict[str, Any]) -> dict[str, Any] | None:
            return None if event["type"] == "test/log" else event

    with plugged(path, Later(), Async()) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        assert recorder.marks() == [(2, "dropped", "plugin async"), (3, "dropped", "plugin later")]
