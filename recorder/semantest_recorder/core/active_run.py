"""A run that is not over, and the sources into which the recorder itself writes of it (pure).

Their session starts with ``live/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pytest_semantest.protocol import events as types
from pytest_semantest.protocol.identity import CLIENT_WORKER, MAIN_WORKER, source_name
from semantest_recorder.core.batch import LIVE, NEXT_SEQ, Batch, RawEvent
from semantest_recorder.core.client_attempts import ClientAttempts
from semantest_recorder.core.own_events import event_of, names_of, plain
from semantest_recorder.core.run_config import RunConfig

#: How long a cancelled pytest has to end politely, in milliseconds.
GRACE_MS: Final = 10_000.0


class ActiveRun(msgspec.Struct):
    """A run that is not over. ``origin``: ``client`` or ``pytest``.

    ``owner`` is the client with whom an implicit run ends, ``left_ms`` when it left.
    ``cancelling`` holds the reason once the run is being cancelled, ``grace_ms`` how long its pytest then has.
    ``last_ms``: when something of it was committed last, ``processes`` session and worker of those that may run,
    ``clients`` those that started it or said something of it, and are connected. ``holder``: the name of the token that
    it was begun with, empty for the owner's.
    """

    run_id: str
    origin: str
    config: RunConfig
    started_ms: float
    implicit: bool = False
    owner: str | None = None
    left_ms: float | None = None
    attempts: ClientAttempts = msgspec.field(default_factory=ClientAttempts)
    cancelling: str | None = None
    grace_ms: float = GRACE_MS
    last_ms: float = 0.0
    processes: set[tuple[str, str]] = msgspec.field(default_factory=set)
    clients: set[str] = msgspec.field(default_factory=set)
    holder: str = ""

    @property
    def is_clients(self) -> bool:
        """Whether it was started by a client, not by pytest."""
        return self.origin == "client"

    def batch(
        self,
        events: list[RawEvent],
        now_ms: float,
        *,
        client: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Batch:
        """A batch for the source of a client's own run."""
        session = f"{LIVE}{plain(self.run_id)}"
        config = msgspec.to_builtins(self.config)
        facts = {
            **names_of(self.run_id, session, MAIN_WORKER),
            "origin": "client",
            "implicit": self.implicit or None,
            "clientId": client,
            "clientName": self.holder or None,
            "name": self.config.name,
            "config": {key: value for key, value in config.items() if value not in (None, [], False)},
            **(extra or {}),
        }
        opening = event_of(types.RUN_START, self.started_ms, **facts)
        return Batch(source_name(session, MAIN_WORKER), NEXT_SEQ, events, now_ms, opening)


def batch_beside(run_id: str, session: str, events: list[RawEvent], now_ms: float) -> Batch:
    """A batch for a source beside those of a run that pytest started, or that is over."""
    session = f"{LIVE}{plain(session)}"
    opening = event_of("client/start", now_ms, **names_of(run_id, session, CLIENT_WORKER))
    return Batch(source_name(session, CLIENT_WORKER), NEXT_SEQ, events, now_ms, opening)
