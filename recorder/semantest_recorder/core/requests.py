"""The methods that a ``request`` may name, and the roles of which its sender needs one (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from semantest_recorder.core.access import ANY_ROLE, READERS, Role

if TYPE_CHECKING:
    from semantest_recorder.core.messages import RequestMessage
    from semantest_recorder.core.session import Session


class Elsewhere(Enum):
    """A session cannot know the answer: its shell is asked with a ``Query``."""

    ASK = "ask"


class Method(NamedTuple):
    """``perform`` gives the payload of the response, or ``Elsewhere.ASK``."""

    roles: frozenset[Role]
    perform: Callable[[Session, RequestMessage], object]


def _server_info(session: Session, _request: RequestMessage) -> object:
    facts: dict[str, object] = msgspec.to_builtins(session.server)
    return facts | {"uptimeMs": session.now_ms - session.server.started_ms}


def _client_info(session: Session, _request: RequestMessage) -> object:
    return {
        "clientId": session.client.id,
        "name": session.client.identity.name,
        "roles": sorted(role.value for role in session.client.identity.roles),
        "agent": session.client.agent,
        "connectedMs": session.opened_ms,
        "subscriptions": list(session.subscription),
        "unackedBytes": session.unacked_bytes,
    }


def _echo(_session: Session, request: RequestMessage) -> object:
    return request.payload


def _elsewhere(_session: Session, _request: RequestMessage) -> object:
    return Elsewhere.ASK


METHODS: Mapping[str, Method] = {
    "server.info": Method(ANY_ROLE, _server_info),
    "server.health": Method(READERS, _elsewhere),
    "client.info": Method(ANY_ROLE, _client_info),
    "echo": Method(ANY_ROLE, _echo),
}
