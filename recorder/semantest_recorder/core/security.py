"""The guard in front of the log: validation, limits per client, allowed clients and types, signs of injections (pure).

A one-off event is refused with all its problems. A shipped one never is: it waits (the limit), is marked (its content)
or leaves a tombstone (its type).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from pytest_semantest.protocol import events as types
from semantest_recorder.core.access import Denied, Identity
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.content_scan import is_suspicious
from semantest_recorder.core.policy import Policy, TypeRules
from semantest_recorder.core.rate_limit import SlidingWindow
from semantest_recorder.core.validation import EventValidator, Problem

#: What a run consists of: these are never dropped, whatever a policy or a plugin says (HAZARDS 25).
KEPT_TYPES = frozenset(
    {
        *(
            types.RUN_START,
            types.RUN_PLAN,
            types.RUN_SELECTION,
            types.RUN_END,
            types.RUN_CANCEL,
            types.RUN_CONTEXT,
            types.JOURNAL_GAP,
        ),
        *(types.WORKER_START, types.WORKER_END, types.WORKER_CRASH, types.SHIPPER_START, types.COLLECT_ERROR),
        *(types.TEST_START, types.TEST_END),
    }
)


class Limited(msgspec.Struct, rename="camel"):
    """How one client stands with its limit."""

    limit: int
    remaining: int
    hits: int


class Counts(msgspec.Struct, rename="camel"):
    """What the guard did beyond refusing invalid events."""

    rate_limit_exceeded: int = 0
    access_denied: int = 0
    marked_events: int = 0
    dropped_events: int = 0
    policy_changes: int = 0


class Mark(msgspec.Struct):
    """What is to be noted of an event of a batch: ``suspicious`` or ``dropped``, and why."""

    index: int
    kind: str
    reason: str


class Security:
    """One guard for all connections; its policy may change at any time."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._validator = EventValidator(policy)
        self._rules = TypeRules(policy)
        self._windows: dict[str, SlidingWindow] = {}
        self._hits: dict[str, int] = {}
        self._counts = Counts()
        self._still_valid: Callable[[Identity], bool] = lambda _identity: True

    def check_tokens(self, still_valid: Callable[[Identity], bool]) -> None:
        """From now on ``admit`` also asks whether the token or cookie that a client came with still is one."""
        self._still_valid = still_valid

    def update_policy(self, changes: Mapping[str, Any]) -> Policy:
        """Changes some keys of the policy for everybody, at once. Raises ``InvalidPolicy``."""
        self.policy = self.policy.changed(changes)
        self._validator.update(self.policy)
        self._rules = TypeRules(self.policy)
        for window in self._windows.values():
            window.limit = self.policy.max_events_per_second
        self._counts.policy_changes += 1
        return self.policy

    def admit(self, identity: Identity) -> Denied | None:
        """Whether this client may connect, or stay connected; the owner always may."""
        denied = None
        if not self._still_valid(identity):
            signed_out = "the browser signed out, or its token has ended"
            ended = signed_out if identity.browser else "the token was revoked or has expired"
            denied = Denied(401, "UNAUTHORIZED", ended)
        elif self.policy.require_authentication and identity.is_anonymous:
            denied = Denied(401, "UNAUTHORIZED", "the policy requires a token: send 'Authorization: Bearer TOKEN'")
        elif self.policy.allowed_clients is not None and identity.name not in (*self.policy.allowed_clients, "owner"):
            denied = Denied(403, "FORBIDDEN", f"the policy does not allow the client {identity.name!r}")
        self._counts.access_denied += denied is not None
        return denied

    def validate(self, event: object, size: int, now_ms: float) -> list[Problem]:
        """What is wrong with a one-off event."""
        return self._validator.validate(event, size, now_ms)

    def take(self, client: str, count: int, now_ms: float) -> float:
        """Counts events of a client; above 0: for how many milliseconds it has to wait, and nothing was counted."""
        wait_ms = self._window(client).take(count, now_ms)
        if wait_ms:
            self._counts.rate_limit_exceeded += 1
            self._hits[client] = self._hits.get(client, 0) + 1
        return wait_ms

    def marks(self, frame: str | bytes, events: Sequence[RawEvent]) -> list[Mark]:
        """What is to be noted of the events of a batch that came in ``frame``."""
        marks: list[Mark] = []
        if self._rules.refuse_some:
            for index, event in enumerate(events):
                code = self._rules.refuse(event.type)
                if code is not None and event.type not in KEPT_TYPES:
                    marks.append(Mark(index, "dropped", code))
        if self.policy.scan_content:
            text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
            if is_suspicious(text):  # once for all of them; a batch seldom holds any
                dropped = {mark.index for mark in marks}
                marks += [
                    Mark(index, "suspicious", "SUSPICIOUS_CONTENT")
                    for index, event in enumerate(events)
                    if index not in dropped and is_suspicious(bytes(event.payload).decode("utf-8", "replace"))
                ]
        self._counts.dropped_events += sum(mark.kind == "dropped" for mark in marks)
        self._counts.marked_events += sum(mark.kind == "suspicious" for mark in marks)
        return marks

    def forget(self, client: str) -> None:
        """The client has gone."""
        self._windows.pop(client, None)
        self._hits.pop(client, None)

    def limit_of(self, client: str, now_ms: float) -> Limited:
        """How one client stands with its limit."""
        window = self._window(client)
        return Limited(window.limit, window.remaining(now_ms), self._hits.get(client, 0))

    def rate_limit_stats(self, now_ms: float) -> dict[str, Limited]:
        """How each connected client stands with its limit."""
        return {client: self.limit_of(client, now_ms) for client in self._windows}

    def metrics(self, now_ms: float) -> dict[str, Any]:
        """Validations, rejections by code, limits hit, marks, and the policy itself."""
        return {
            **msgspec.to_builtins(self._validator.metrics),
            **msgspec.to_builtins(self._counts),
            "clients": msgspec.to_builtins(self.rate_limit_stats(now_ms)),
            "policy": msgspec.to_builtins(self.policy),
        }

    def _window(self, client: str) -> SlidingWindow:
        window = self._windows.get(client)
        if window is None:
            window = self._windows[client] = SlidingWindow(self.policy.max_events_per_second)
        return window
