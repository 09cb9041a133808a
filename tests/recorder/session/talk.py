"""A session to talk to without a socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from semantest_recorder.core.effects import Effect, Send
from semantest_recorder.core.session import Session

NOW = 1_763_683_200_000.0


class Talk:
    """A session with the time standing still: dicts in, effects out, sent frames as dicts."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.pending_events = 0

    def say(self, message: object) -> list[Effect]:
        return self.session.receive(json.dumps(message), NOW, self.pending_events)

    def ask(self, message: object) -> dict[str, Any]:
        """The one frame that is sent back."""
        (effect,) = self.say(message)
        return sent(effect)


def sent(effect: Effect) -> dict[str, Any]:
    assert isinstance(effect, Send), effect
    frame: dict[str, Any] = json.loads(effect.text)
    return frame


def events(source: str = "s.main", first_seq: int = 1, count: int = 1) -> dict[str, Any]:
    body = {"type": "test/start", "timestamp": NOW, "payload": {"testId": "a.py::test_x", "testName": "test_x"}}
    return {"type": "events", "source": source, "firstSeq": first_seq, "events": [body] * count}


NewTalk = Callable[..., Talk]
