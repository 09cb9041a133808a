"""Secrets planted in texts and events."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from pytest_semantest.protocol.redaction import Redactor
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.plugins import Context, Event
from semantest_recorder.plugins.builtin.event_filter import EventFilter
from semantest_recorder.plugins.event import accepted
from tests.choices import Choices

#: One of the environment, which nothing in its look tells from other text.
LITERAL = 'correct horse\n"battery" stäple'
#: Put together here, so that no scanner takes them for real ones. None can be cut and still be recognised.
TOKENS = ("ghp_" + "a1B2" * 9, "glpat-" + "y" * 20, "eyJ" + "h" * 20 + ".eyJ" + "i" * 20 + "." + "j" * 20)
_TEXT = ("", "x", " ", "=", ": ", "password=", "token", "://u:", "@h", "[REDACTED]", "eyJ", "ghp_", "-----BEGIN", "\n",
         '"', "\\", "\ud800", "é", "\x1b[1m", "Authorization: Bearer ", "a" * 300)  # fmt: skip
_NAMES = ("message", "testId", "logs", "password", "value", "name", "userProperties", "error", "a", "ghp_")


def check(choose: Choices) -> None:
    """No planted secret is left in a text, a clipped text or an event."""
    redactor = Redactor([LITERAL])
    secret = choose.of((LITERAL, *TOKENS))
    text = f"{_text(choose)} {secret} {_text(choose)}"
    _absent(secret, redactor.redact(text))
    _absent(secret, redactor.redact_exact(text))
    limit = choose.number(0, 400)
    clipped, dropped = redactor.clip(text * choose.of((1, 1, 60)), limit)
    _absent(secret, clipped)
    assert len(clipped) <= limit + 60 or not dropped
    redactor.redact_arguments([_text(choose), f"--{_text(choose)}", secret])
    _check_event(choose, choose.of(TOKENS))


def _check_event(choose: Choices, secret: str) -> None:
    found = EventFilter()
    found.initialize(Context("event-filter", Path(), {"environment": False}))
    payload = {choose.of(_NAMES): _value(choose, secret, 0) for _ in range(choose.number(1, 4))}
    payload["testId"] = "t"
    sent = RawEvent(choose.of(("test/log", "test/end", "custom/x")), 1.0, msgspec.Raw(_json(payload)))
    before = Event(sent, source="s.main", seq=1, run_id="s", worker="main")
    after = accepted(before, found.on_event(before)) or before
    _absent(secret, json.dumps(after.payload, ensure_ascii=False))
    assert found.concerns([sent]) or after is before


def _json(payload: object) -> bytes:
    return json.dumps(payload).encode()


def _value(choose: Choices, secret: str, depth: int) -> object:
    kind = choose.number(0, 5 if depth < 3 else 1)
    if kind == 0:
        return _text(choose).replace("\ud800", "")
    if kind == 1:
        return f"{_text(choose)} {secret}".replace("\ud800", "")
    if kind == 2:
        return [_value(choose, secret, depth + 1) for _ in range(choose.number(0, 3))]
    if kind == 3:
        cut = choose.number(0, len(secret))
        return [{"stream": "stdout", "text": f" {secret[:cut]}"}, {"stream": "stdout", "text": f"{secret[cut:]} "}]
    if kind == 4:
        return choose.of((None, True, 7, 1.5))
    return {choose.of((*_NAMES, f"x {secret}")): _value(choose, secret, depth + 1) for _ in range(choose.number(0, 3))}


def _text(choose: Choices) -> str:
    return "".join(choose.of(_TEXT) for _ in range(choose.number(0, 8)))


def _absent(secret: str, text: str) -> None:
    forms = (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])
    assert not any(form in text for form in forms), f"{secret!r} is left in {text!r}"
