"""Every type of event that is applied, and its handler; others are stored and counted only."""

from __future__ import annotations

from typing import Final

from semantest_recorder.core.client_facts import CLIENT_HANDLERS, own_event
from semantest_recorder.core.facts import FACTS, Handler

HANDLERS: Final[dict[str, Handler]] = {**FACTS, **CLIENT_HANDLERS}


def open_handler(kind: str) -> Handler | None:
    """The handler of types that others invent, ``custom/...``; ``None`` for those that are stored and counted only."""
    return own_event if kind.startswith("custom/") else None
