"""Attempts at the tests of a client's run: how often each was tried, and failed (pure).

Clients need not number their attempts, and say of one failure twice that it failed: ``test/failed`` and ``test/end``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_MAX = 2**31


class ClientAttempts(msgspec.Struct):
    """What is counted of a run.

    ``failures`` are the attempts at each test that failed, by number, with the types of events that said so, ``tries``
    how often each was started.
    """

    failures: dict[str, dict[int, set[str]]] = msgspec.field(default_factory=dict)
    tries: dict[str, int] = msgspec.field(default_factory=dict)

    def load(self, test_id: str, attempt: int, *, failed: bool) -> None:
        """Takes an attempt that the database knows."""
        self.tries[test_id] = max(self.tries.get(test_id, 0), attempt)
        if failed:
            self.failures.setdefault(test_id, {})[attempt] = set()

    def start(self, test_id: str, payload: Mapping[str, Any]) -> None:
        """A test is started, again perhaps."""
        self.tries[test_id] = _number(payload) or self.tries.get(test_id, 0) + 1

    def fail(self, test_id: str, said_by: str, payload: Mapping[str, Any]) -> tuple[int, bool]:
        """How many attempts at the test have failed, and whether this is news.

        ``test/failed`` and ``test/end`` of one attempt are one failure; the same type again is another, also of
        clients that say neither a number nor a start: retries have to end.
        """
        failures = self.failures.setdefault(test_id, {})
        known = len(failures)
        attempt = _number(payload)
        if attempt is None:
            attempt = self.tries.get(test_id, 1)
            if said_by in failures.get(attempt, ()):
                attempt = self.tries[test_id] = attempt + 1
        failures.setdefault(attempt, set()).add(said_by)
        return len(failures), len(failures) > known


def _number(payload: Mapping[str, Any]) -> int | None:
    """The number of the attempt that an event is about; the original clients count ``retries``."""
    attempt, retries = payload.get("attempt"), payload.get("retries")
    if isinstance(attempt, int) and 0 < attempt < _MAX:
        return attempt
    return retries + 1 if isinstance(retries, int) and 0 <= retries < _MAX else None
