"""Frames that a client may send, made of the real message types: most as they should be, some with one thing wrong."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from semantest_recorder.core.commands import COMMANDS, MESSAGES
from semantest_recorder.core.validation import REQUIREMENTS
from tests.choices import Choices
from tests.recorder.core.histories import RUN, TESTS, History
from tests.recorder.session.talk import NOW

RUNS = (RUN, "mine", "b:1", "implicit-c1", "", "r" * 151)
PATTERNS = ("*", "test/*", "test.*", "test/start", "te*st", "", "x" * 201)
#: JSON that is no good value for any field, as text: Python's ``json`` could not write all of it.
HOSTILE = (
    *("null", "true", "false", "-1", "0", "1.5", "1e308", "1e999", "-1e999", "NaN", "Infinity", "01", "1E400"),
    *(str(2**53), str(2**63), str(-(2**70)), "9" * 400, '""', '"x"', '"\\u0000"', '"\\ud800"', '"\ud800"'),
    *('"\\udc00\\ud800"', '"\\x"', '"' + "x" * 5000 + '"', "[]", "{}", "[" * 40 + "]" * 40, "[" * 2000, '{"a":' * 600),
    *('{"a":1,"a":2}', '["a",null,1]', '{"":{}}', "<script>", '"<script>"', '"../"', "{", '"'),
)
_ANSWERED = frozenset({"request", "ping", "subscribe", "unsubscribe", *MESSAGES})
_RAW = "\ue000raw\ue000"


class Frame(NamedTuple):
    """``text`` is sent; ``answered``: whether the message asks for an answer, and nothing is wrong with the frame."""

    text: str | bytes
    answered: bool = False


class Clients:
    """Makes up what clients say. Shippers send ``history``, from wherever it is; others say what comes to mind."""

    def __init__(self, choose: Choices, history: History) -> None:
        self.choose = choose
        self.history = history
        self.next_seq = dict.fromkeys(history, 1)

    def go_on(self, source: str, seq: int) -> None:
        """The recorder has told what is next of a source."""
        if source in self.next_seq:
            self.next_seq[source] = seq

    def frame(self, name: str) -> Frame:
        """One frame, whose message has ``name`` for an id."""
        choose = self.choose
        kind, fields = self._message()
        message = {"type": kind, "id": name, **fields}
        if not choose.yes(3):
            return Frame(json.dumps(message), kind in _ANSWERED)
        if choose.yes():
            return Frame(self._with_a_hostile_value(message))
        return Frame(self._mutilated(json.dumps(message)))

    def _message(self) -> tuple[str, dict[str, Any]]:
        choose = self.choose
        kind = choose.of(("events",) * 4 + ("event",) * 3 + ("request", "command") * 2 + ("subscribe", "ping", "other"))
        if kind == "events":
            return kind, self._batch()
        if kind == "event":
            return kind, {"payload": self._event()}
        if kind == "request":
            method = choose.of((*COMMANDS, "no.such"))
            payload = self._arguments(method)
            return kind, {"payload": {**payload, "method": method}} if choose.yes(5) else {
                "method": method,
                "payload": payload,
            }
        if kind == "command":
            name = choose.of((*sorted(MESSAGES), *("startTestRun", "endTestRun", "cancelTestRun") * 4))
            return name, {"payload": self._arguments(name)}
        if kind == "subscribe":
            return choose.of((kind, "unsubscribe")), {"payload": {"eventTypes": choose.some(PATTERNS)}}
        return choose.of(("ping", "pong")) if kind == "ping" else choose.of(("teleport", "ack", "")), {"payload": {}}

    def _batch(self) -> dict[str, Any]:
        """What comes next of a source; now and then the same again, with a gap, or another event under a known seq."""
        choose = self.choose
        source = choose.of(sorted(self.history))
        events = self.history[source]
        first = min(self.next_seq[source], len(events))
        if choose.yes(4):
            first = choose.number(1, len(events))
        count = choose.number(1, 5)
        sent = [
            {"type": one.type, "timestamp": one.timestamp, "payload": json.loads(bytes(one.payload))}
            for one in events[first - 1 : first - 1 + count]
        ]
        self.next_seq[source] = max(self.next_seq[source], first + len(sent))
        if choose.yes(12):
            sent[-1] = {"type": "custom/forged", "timestamp": 1, "payload": {"number": choose.number(0, 9)}}
        if choose.yes(20):
            source = choose.of(("live/x.main", "", "a\nb", "x" * 201, "new.main"))
        if choose.yes(20):
            first = choose.of((0, -1, 2**53, 2**53 - 1, 10**30, first + 100))
        return {"source": source, "firstSeq": first, "events": sent}

    def _event(self) -> dict[str, Any]:
        choose = self.choose
        kind = choose.of((*REQUIREMENTS, "custom/x", "run/cancel", "worker/crash", "journal/gap"))
        payload: dict[str, Any] = {wanted.field: "t" for wanted in REQUIREMENTS.get(kind, ()) if not choose.yes(12)}
        payload |= {"testId": choose.of(TESTS), "runId": choose.of((None, *RUNS))} if choose.yes() else {}
        payload |= {"status": "failed", "duration": 1} if kind == "test/end" else {}
        return {"id": choose.of((1, "e", None, "")), "type": kind, "timestamp": NOW, "payload": payload}

    def _arguments(self, command: str) -> dict[str, Any]:
        """The payload of a command; more than it needs, for unknown fields are ignored."""
        choose = self.choose
        if command == "updatePolicy":
            return choose.of(
                (
                    *({"maxEventsPerSecond": 3}, {"maxEventsPerSecond": 50_000}, {"maxEventSize": 300}),
                    *({"blockedEventTypes": ["custom/*"]}, {"allowedEventTypes": ["test/*"]}, {"scanContent": False}),
                    *({"allowedEventTypes": None}, {"no": 1}, {"blockedEventTypes": ["te*st"]}),
                )
            )
        if command in ("validateEvent", "echo"):
            return self._event()
        return {
            "runId": choose.of((*(f"mine {number}" for number in range(12)), *RUNS)),
            "retries": choose.number(0, 2),
            "failFast": choose.yes(),
            "timeout": choose.of((None, 1.0, 1e9)),
            "startTime": choose.of((0, NOW, 1e300)),
            "endTime": NOW,
            "types": choose.of((None, ["test/*"], ["te*st"])),
            "limit": choose.of((1, 10_000, 0, 10_001)),
            "cursor": choose.of((None, "c")),
            "graceMs": choose.of((0, 600_000, -1)),
        }

    def _with_a_hostile_value(self, message: dict[str, Any]) -> str | bytes:
        """One value somewhere in the message is another one."""
        at: Any = message
        while True:
            key = self.choose.of(sorted(at)) if isinstance(at, dict) else self.choose.number(0, len(at) - 1)
            below = at[key]
            if not isinstance(below, dict | list) or not below or self.choose.yes(4):
                break
            at = below
        at[key] = _RAW
        text = json.dumps(message, ensure_ascii=False).replace(f'"{_RAW}"', self.choose.of(HOSTILE))
        return text.encode("utf-8", "surrogatepass") if self.choose.yes(3) else text

    def _mutilated(self, text: str) -> str | bytes:
        """Cut, with other bytes in it, or with a part of it once more."""
        choose = self.choose
        data = text.encode()
        start = choose.number(0, len(data))
        end = min(len(data), start + choose.number(0, 40))
        how = choose.number(0, 3)
        if how == 0:
            data = data[:start]
        elif how == 1:
            data = data[:start] + choose.take(choose.number(1, 4)) + data[end:]
        elif how == 2:
            data = data[:end] + data[start:]
        else:
            data = data[:start] + data[end:]
        try:
            return data.decode() if choose.yes() else data
        except UnicodeDecodeError:
            return data
