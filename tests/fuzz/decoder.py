"""Bytes that pretend to be frames, events and payloads."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from pytest_semantest.protocol.closing import JournalDigest, type_of
from pytest_semantest.protocol.gaps import gap_body, timestamp_of
from semantest_recorder.core import messages, payloads
from semantest_recorder.core.batch import Committed, RawEvent
from semantest_recorder.core.commands import MESSAGES
from semantest_recorder.core.content_scan import is_suspicious
from semantest_recorder.core.handlers import HANDLERS
from semantest_recorder.core.live_event import ids_of, read_live_event
from semantest_recorder.core.payloads import MalformedError, Payload, content_of, repaired
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.publishing import published
from semantest_recorder.core.rows import RunRow
from semantest_recorder.core.run_state import RunState
from semantest_recorder.core.security import Security
from tests.choices import Choices
from tests.recorder.session.frames import HOSTILE

KINDS = [kind for kind in vars(payloads).values() if isinstance(kind, type) and issubclass(kind, Payload)]
_PARTS = ('{"type":', '"events"', '"event"', ',"source":"s"', ',"firstSeq":1', ',"events":[', '{"payload":', "]", "}",
          ',"timestamp":1', '"', ",", ":", "[", "{", '"testId":"t"', "\\u", "e999", "-", "9" * 30)  # fmt: skip


def check(choose: Choices) -> None:
    """Nothing but the errors that say so comes out of any reader, and what is read can be said again."""
    text = hostile_text(choose)
    check_frame(text)
    check_payload(text.encode("utf-8", "surrogatepass"))


def hostile_text(choose: Choices) -> str:
    """Pieces of messages, bad values and plain noise, one behind the other."""
    parts = [choose.of((*_PARTS, *HOSTILE)) for _ in range(choose.number(0, 30))]
    noise = choose.rest().decode("utf-8", "surrogateescape") if choose.yes() else ""
    return "".join(parts) + noise


def check_frame(text: str) -> None:
    """Any text, as a frame."""
    try:
        message = messages.decode(text, MESSAGES)
    except (messages.InvalidMessage, messages.UnknownType):
        pass
    else:
        if isinstance(message, messages.EventsMessage):
            for event in message.events:
                check_event(event)
        if isinstance(message, messages.RequestMessage):
            with suppress(messages.InvalidMessage):
                messages.method_of(message)


def check_event(event: RawEvent) -> None:
    """An event that came in a frame, up to what subscribers see."""
    verdict = Committed("s.main", 1, "r", "main", [event])
    for message in published(verdict, lambda _kind: True):
        msgspec.json.decode(message.frame)
    security = Security(Policy())
    security.marks(bytes(event.payload), [event])
    found = read_live_event(event.payload, security, 1.0)
    ids_of(event.payload, event.payload)
    if not isinstance(found, list):
        msgspec.json.decode(found.event.payload)


def check_payload(data: bytes) -> None:
    """Any bytes, as the payload of each type and as the body of a journal's record."""
    with suppress(MalformedError):
        content_of(data)
    is_suspicious(data.decode("utf-8", "replace"))
    for kind in KINDS:
        with suppress(MalformedError):
            repaired(kind, data)
    state = RunState("r")
    opening = msgspec.json.encode({"runId": "r", "session": "s", "worker": "main"})
    events = [RawEvent(kind, 1.0, msgspec.Raw(data)) for kind in HANDLERS]
    state.apply_all("s.main", 1, [RawEvent("run/start", 1.0, msgspec.Raw(opening)), *events])
    state.settle()
    changes = state.take()
    assert isinstance(changes.run, RunRow)
    msgspec.json.encode(changes.run)
    digest = JournalDigest()
    for body in (data, b'{"type":"test/start","payload":' + data + b"}", b'{"type":"run/start",' + data):
        digest.observe(1, body)
        type_of(body)
        assert 0 <= timestamp_of(body) < 1e15
        gap_body(body)
        digest.facts(source="s.main", worker="main", alive=False)
