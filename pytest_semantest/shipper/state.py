"""``ship.json``: how far the shipper is, for pytest's last lines, ``semantest doctor`` and the next shipper."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_semantest.protocol.layout import SHIP_STATE
from pytest_semantest.protocol.small_file import read_object
from pytest_semantest.protocol.whole_file import write_whole

State = Literal["connecting", "shipping", "idle", "done", "unreachable", "refused", "stopped"]
_EVERY_S = 0.1


@dataclass(slots=True)
class ShipState:
    """What ship.json says (docs/design/shipping.md); ``sources`` is keyed by worker.

    ``named``: whether ``recorder`` was named for the session, ``None`` while no shipper of its run has told.
    """

    pid: int
    instance: str
    state: State = "connecting"
    recorder: str | None = None
    named: bool | None = False
    detail: str | None = None
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)


class StateFile:
    """Writes ship.json atomically, at once when the state changes and else at most every 100 ms."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SHIP_STATE
        self._written: dict[str, Any] = {}
        self._next_write = 0.0

    def write(self, state: ShipState, now: float) -> None:
        """Writes what changed; ``now`` in seconds of a monotonic clock. Raises ``OSError`` when it cannot."""
        content = {
            "pid": state.pid,
            "instance": state.instance,
            "state": state.state,
            "recorder": state.recorder,
            "named": state.named,
            "detail": state.detail,
            "sources": state.sources,
        }
        if content == self._written or (content["state"] == self._written.get("state") and now < self._next_write):
            return
        self._next_write = now + _EVERY_S
        text = json.dumps({**content, "updated": round(time.time() * 1000, 3)})
        write_whole(self._path, text.encode())
        self._written = json.loads(json.dumps(content))


def read_state(folder: Path) -> dict[str, Any]:
    """What ship.json of a session says; empty when there is none that can be read."""
    return read_object(folder / SHIP_STATE)
