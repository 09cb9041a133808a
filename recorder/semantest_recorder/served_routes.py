"""What the daemon serves besides the wire and its health: the routes of all rooms, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.alerting.alerts import Alerts
from semantest_recorder.api.openapi import openapi
from semantest_recorder.api.routes import Sources, api_routes
from semantest_recorder.engine import Engine
from semantest_recorder.monitor import Monitor
from semantest_recorder.owed_reading import answer_owed
from semantest_recorder.pages.api_reference import api_page
from semantest_recorder.pages.dashboard import Dashboard
from semantest_recorder.server.alerts import alert_actions_route
from semantest_recorder.server.aliases import alias_route
from semantest_recorder.server.application import own_routes
from semantest_recorder.server.artifacts import artifact_routes
from semantest_recorder.server.cleanup import cleanup_route
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.metrics import metrics_route
from semantest_recorder.server.one_command import command
from semantest_recorder.server.owed import owed_route
from semantest_recorder.server.routes import Route
from semantest_recorder.server.sign_in import sign_in_routes
from semantest_recorder.server.snapshot import snapshot_route
from semantest_recorder.server.stacks import StackRequests, stack_route
from semantest_recorder.server.status import status_route
from semantest_recorder.server.visitors import Visitors
from semantest_recorder.store.artifacts import ArtifactStore
from semantest_recorder.token_book import TokenBook


@dataclass(frozen=True)
class Parts:
    """The parts of a recorder that its routes ask: a new route finds what it needs in one of them.

    ``directory``: the ``.semantest`` folder; ``status``: see ``status_route``; ``visitors``: who comes with a browser;
    ``dashboard``: what they look at.
    """

    directory: Path
    status: Callable[[], dict[str, Any]]
    hub: Hub
    engine: Engine
    alerts: Alerts
    stacks: StackRequests
    monitor: Monitor
    visitors: Visitors
    dashboard: Dashboard

    @property
    def database(self) -> Path:
        """The file with what was recorded."""
        return self.directory / DATABASE


def routes_of_rooms(parts: Parts) -> list[Route]:
    """What is served besides the application's own routes."""
    hub, dashboard = parts.hub, parts.dashboard
    sources = Sources(
        database=parts.database,
        now_ms=hub.now_ms,
        tokens=TokenBook(parts.directory),
        command=partial(command, hub),
        policy=lambda: hub.security.policy,
        plugins=lambda: parts.status()["plugins"],
        version=__version__,
    )
    routes = [
        *api_routes(sources),
        status_route(hub, parts.status),
        *artifact_routes(ArtifactStore(parts.directory)),
        cleanup_route(parts.engine.clean),
        alias_route(parts.engine.say_alias),
        alert_actions_route(parts.alerts.desk.act),
        snapshot_route(parts.directory),
        owed_route(partial(answer_owed, parts.database)),
        stack_route(hub, parts.stacks),
        *sign_in_routes(parts.visitors),
        *dashboard.routes(hub.security.admit),
        metrics_route(parts.monitor.expose),
    ]
    page = api_page(lambda: openapi([*own_routes(hub), *routes], __version__))
    return [*routes, dashboard.desk.route(page)]
