"""What the daemon serves besides the wire and its health: the routes of all rooms, in one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.api.openapi import openapi
from semantest_recorder.api.routes import Sources, api_routes
from semantest_recorder.core.access import Denied, Identity
from semantest_recorder.core.alerts.actions import Action, Done
from semantest_recorder.owed_reading import answer_owed
from semantest_recorder.pages.api_reference import api_page
from semantest_recorder.pages.dashboard import Dashboard
from semantest_recorder.server.alerts import alert_actions_route
from semantest_recorder.server.aliases import alias_route
from semantest_recorder.server.artifacts import artifact_routes
from semantest_recorder.server.cleanup import cleanup_route
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.metrics import Expose, metrics_route
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
class Behind:
    """What is behind the routes.

    ``directory``: the ``.semantest`` folder; ``process``: see ``status_route``, ``clean``: ``cleanup_route``,
    ``say_alias``: ``alias_route``, ``act_on_alerts``: ``alert_actions_route``; ``visitors``: who comes with a browser;
    ``dashboard``: what they look at; ``expose``: ``metrics_route``;
    ``stacks``: who waits for those of a process.
    """

    hub: Hub
    directory: Path
    process: Callable[[], dict[str, Any]]
    clean: Callable[[list[str]], Awaitable[Any]]
    say_alias: Callable[[str, str, str], Awaitable[None]]
    act_on_alerts: Callable[[Action], Awaitable[Done]]
    visitors: Visitors
    dashboard: Dashboard
    expose: Expose
    stacks: StackRequests

    @property
    def database(self) -> Path:
        """The file with what was recorded."""
        return self.directory / DATABASE


def routes_of_rooms(behind: Behind) -> list[Route]:
    """What is served besides the application's own routes."""

    def admit(identity: Identity) -> Denied | None:  # per page that is open: role_table.py has no hub
        return behind.hub.security.admit(identity)

    sources = Sources(
        database=behind.database,
        now_ms=lambda: behind.hub.now_ms(),  # noqa: PLW0108 - role_table.py makes routes without a hub
        tokens=TokenBook(behind.directory),
        command=partial(command, behind.hub),
        policy=lambda: behind.hub.security.policy,
        plugins=lambda: behind.process()["plugins"],
        version=__version__,
    )
    routes = [
        *api_routes(sources),
        status_route(behind.hub, behind.process),
        *artifact_routes(ArtifactStore(behind.directory)),
        cleanup_route(behind.clean),
        alias_route(behind.say_alias),
        alert_actions_route(behind.act_on_alerts),
        snapshot_route(behind.directory),
        owed_route(partial(answer_owed, behind.database)),
        stack_route(behind.hub, behind.stacks),
        *sign_in_routes(behind.visitors),
        *behind.dashboard.routes(admit),
        metrics_route(behind.expose),
    ]
    page = api_page(lambda: openapi(routes, __version__))
    return [*routes, behind.dashboard.desk.route(page)]
