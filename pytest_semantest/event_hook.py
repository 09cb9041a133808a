"""``pytest_semantest_event`` in front of the journal: installed only where somebody implements it."""

from __future__ import annotations

import json
from _thread import get_ident
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_semantest.attempts import TestHooks
from pytest_semantest.containment import CONTAINED
from pytest_semantest.protocol import events as types
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.shared_journal import SharedJournal

_MISTAKES_TOLD = 3
#: Without them the ledger of a run does not close.
_KEPT_TYPES = frozenset(
    {
        *(
            types.RUN_START,
            types.RUN_PLAN,
            types.RUN_SELECTION,
            types.RUN_END,
            types.WORKER_START,
            types.WORKER_END,
            types.WORKER_CRASH,
        ),
        *(types.TEST_START, types.TEST_END, types.COLLECT_ERROR),
    }
)
#: What tells which test, run and outcome an event is about.
_KEPT_FIELDS = (
    *("runId", "session", "source", "worker", "pid", "host", "processStart", "bootId", "pidNamespace", "capture"),
    *("tests", "offset", "total", "deselected", "testId", "attempt", "phase", "outcome", "status", "willRetry"),
    *("exitCode", "interrupted", "stoppedEarly", "dropped", "stepId", "parentId", "sha256", "size"),
    *("quarantine", "forgiven"),
    *("collected", "checksum", "shard", "leftOut"),
)


def hear(config: pytest.Config, tests: TestHooks, redactor: Redactor) -> None:
    """From now on every event passes the hook; once is enough."""
    shared = SharedJournal.share(tests.journal)
    if shared.filter is None:
        shared.filter = EventFilter(config, tests, redactor)


class EventFilter:
    """What the hook makes of an event. Each kind of its mistakes is told once, and the event is written as it was."""

    def __init__(self, config: pytest.Config, tests: TestHooks, redactor: Redactor) -> None:
        self._hook = config.hook.pytest_semantest_event
        self._tests = tests
        self._redactor = redactor
        #: Threads that are in the hook: what it tells the recording itself is not shown to it.
        self._inside: set[int] = set()
        #: Kinds of mistakes that the user is told.
        self._told: set[str] = set()

    def __call__(self, body: bytes) -> bytes | None:
        """The body to be written, ``None`` for an event that is dropped."""
        thread = get_ident()
        if thread in self._inside:
            return body
        self._inside.add(thread)
        try:
            return self._ask(body)
        except CONTAINED as error:
            return self._refuse(body, type(error).__name__, f"{type(error).__name__}: {error}")
        finally:
            self._inside.discard(thread)

    def _ask(self, body: bytes) -> bytes | None:
        event: dict[str, Any] = json.loads(body)
        answer = self._hook(event=json.loads(body))
        if answer is None or answer is True:
            return body
        if answer is False:
            kept = event["type"] in _KEPT_TYPES
            return self._refuse(body, "dropped", f"{event['type']} cannot be dropped") if kept else None
        if not isinstance(answer, Mapping):
            return self._refuse(body, "gave", f"it gave {type(answer).__name__}, not a dict, False or None")
        payload = answer.get("payload")
        if answer.get("type") != event["type"] or not isinstance(payload, Mapping):
            return self._refuse(body, "no event", f"it gave no event of type {event['type']} with a payload")
        # Through JSON before redaction, so that whatever else it holds is told as a mistake.
        changed = self._redacted(json.loads(json.dumps(dict(payload), allow_nan=False)))
        own = event["payload"]
        for field in _KEPT_FIELDS:
            changed.pop(field, None)
            if field in own:
                changed[field] = own[field]
        return self._tests.translator.body(event["type"], event["timestamp"], changed)

    def _redacted(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redactor.redact(value)
        if isinstance(value, dict):
            return {self._redactor.redact(key): self._redacted(one) for key, one in value.items()}
        return [self._redacted(one) for one in value] if isinstance(value, list) else value

    def _refuse(self, body: bytes, kind: str, why: str) -> bytes:
        if kind not in self._told and len(self._told) < _MISTAKES_TOLD:
            self._told.add(kind)
            text = self._tests.translator.text(why, 500)
            self._tests.notices.append(f"pytest_semantest_event: {text}; such events are written unchanged")
        return body
