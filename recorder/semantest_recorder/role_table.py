"""Who may do what at a recorder: the tables that its guard and its sessions go by, for the reference and the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from semantest_recorder.core.access import AddressRules, Credentials, Role
from semantest_recorder.core.session import Session
from semantest_recorder.pages.dashboard import Dashboard
from semantest_recorder.pages.live_channel import LiveChannel
from semantest_recorder.served_routes import Parts, routes_of_rooms
from semantest_recorder.server.application import create_application
from semantest_recorder.server.routes import ROUTES, Route


def served_routes() -> list[Route]:
    """The routes of a recorder; their handlers are not to be called, for there is nothing behind them."""
    nothing = cast("Any", _Nothing())
    folder = Path("/nonexistent")
    dashboard = Dashboard(folder, "none", dict, nothing, LiveChannel(folder, lambda: 0.0))
    parts = Parts(folder, nothing, nothing, nothing, nothing, nothing, nothing, nothing, dashboard)
    rooms = routes_of_rooms(parts)
    return list(create_application(nothing, AddressRules(1), Credentials("none"), rooms)[ROUTES].values())


def message_roles() -> Iterator[tuple[str, frozenset[Role]]]:
    """(type, roles) of every message that is no command (core/commands.py has those)."""
    for kind, handler in Session._HANDLERS.items():  # noqa: SLF001 - elsewhere it is the session's own business
        yield str(cast("Any", kind).__struct_config__.tag), handler.roles


class _Nothing:
    """In the place of any part of a recorder, and of what that has."""

    def __getattr__(self, _name: str) -> _Nothing:
        return self
