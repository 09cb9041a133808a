"""Every type of event that is applied, and its handler; others are stored and counted only."""

from __future__ import annotations

from typing import Final

from semantest_recorder.core.client_facts import CLIENT_HANDLERS
from semantest_recorder.core.facts import FACTS, Handler

HANDLERS: Final[dict[str, Handler]] = {**FACTS, **CLIENT_HANDLERS}
