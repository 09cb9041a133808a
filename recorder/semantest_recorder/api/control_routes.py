"""What the recorder itself does: its policy, its plugins, and runs that are to stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from semantest_recorder.api.body import read_body
from semantest_recorder.api.changing import change_route
from semantest_recorder.api.documents import CancelRequest, PolicyChange, RunStatus
from semantest_recorder.api.run_routes import RUN
from semantest_recorder.core.access import ADMINS, OPERATORS, READERS, Identity
from semantest_recorder.core.policy import Policy
from semantest_recorder.server.documents import PluginList
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.routes import Doc, Route

POLICY = "/api/v1/policy"
PLUGINS = "/api/v1/plugins"

#: Who asks, a method of core/commands.py, its payload: its answer. Raises ``Refusal``.
Command = Callable[[Identity, str, object], Awaitable[Any]]


def control_routes(
    command: Command, policy: Callable[[], Policy], plugins: Callable[[], Mapping[str, Any]]
) -> list[Route]:
    """The routes; ``policy`` and ``plugins`` give what holds now."""

    async def cancel(request: web.Request) -> object:
        asked = await read_body(request, CancelRequest, empty=CancelRequest())
        told = {"runId": request.match_info["run"], "reason": asked.reason, "graceMs": asked.grace_ms}
        payload = {name: value for name, value in told.items() if value is not None}
        return await command(request[IDENTITY], "cancelTestRun", payload)

    async def present(_request: web.Request) -> object:
        return policy()

    async def change(request: web.Request) -> object:
        changes: dict[str, Any] = await read_body(request, dict)  # what is wrong in it, the policy says best
        return await command(request[IDENTITY], "updatePolicy", changes)

    async def listed(_request: web.Request) -> object:
        return plugins()

    stop = Doc("Cancel a run", RunStatus, body=CancelRequest, body_required=False, errors=(404, 413, 429, 503))
    changed = Doc("Change the security policy", Policy, body=PolicyChange, errors=(413, 503))
    return [
        change_route("POST", f"{RUN}/cancel", stop, cancel, OPERATORS),
        change_route("GET", POLICY, Doc("The security policy", Policy), present, READERS | ADMINS),
        change_route("PATCH", POLICY, changed, change, ADMINS),
        change_route("GET", PLUGINS, Doc("Plugins, and what became of their calls", PluginList), listed, READERS),
    ]
