"""docs/reference/roles.md: who may do what, from the tables that decide."""

from __future__ import annotations

from docs.reference_pages.markdown import NOTE, cell, table
from semantest_recorder.core.access import ANY_ROLE, Role
from semantest_recorder.core.commands import COMMANDS
from semantest_recorder.role_table import message_roles, served_routes


def who(roles: frozenset[Role] | None) -> str:
    """The roles of which one is needed."""
    if roles is None:
        return "open to all"
    return "any token" if roles == ANY_ROLE else " or ".join(sorted(role.value for role in roles))


def roles_page() -> str:
    """Every route, message and command with the roles of which its sender needs one, from the tables that decide."""
    routes = (
        (f"`{route.method} {cell(route.path)}`", who(route.roles))
        for route in sorted(served_routes(), key=lambda route: (route.path, route.method))
    )
    messages = ((f"`{tag}`", who(roles)) for tag, roles in message_roles())
    commands = ((f"`{name}`", who(command.roles)) for name, command in COMMANDS.items())
    return f"""{NOTE}
# Roles

A token (`semantest token create`) has one or more of the roles {", ".join(f"`{role.value}`" for role in Role)}; none
includes another. The recorder's own token, in `.semantest/recorder.json`, has them all. Without a token there
is nothing but the two probes, unless `--allow-anonymous` gives `ingest` and `read` (loopback only).

Without a valid token: HTTP 401. With one that lacks the role: HTTP 403, or `FORBIDDEN` on the WebSocket. A route that
is in no table is told to holders of a token only. When a token is revoked or expires, its connections close (1008).

## HTTP

{table(("route", "needs"), routes)}

## Messages on the WebSocket

{table(("type", "needs"), messages)}

A `request` also needs the role of its method; a command that is a message of its own needs the same.

## Methods and commands

{table(("name", "needs"), commands)}
"""
