"""Who may say what: every message and command by every role."""

from __future__ import annotations

import json
from typing import Any

import pytest

from semantest_recorder.core.access import ANONYMOUS, Identity, Role
from semantest_recorder.core.commands import COMMANDS
from semantest_recorder.core.effects import Send
from semantest_recorder.core.session import Session
from tests.recorder.session.talk import NewTalk, events

NOBODY = Identity("nobody", frozenset())
READER = Identity("reader", frozenset({Role.READ}))
INGESTER = Identity("ingester", frozenset({Role.INGEST}))


@pytest.mark.parametrize(
    ("identity", "message", "allowed"),
    [
        (identity, message, bool(identity.roles & needed))
        for identity in (NOBODY, READER, INGESTER, ANONYMOUS)
        for message, needed in [
            (events(), {Role.INGEST}),
            ({"type": "subscribe", "payload": {"eventTypes": ["*"]}}, {Role.READ}),
            ({"type": "unsubscribe", "payload": {"eventTypes": ["*"]}}, {Role.READ}),
            ({"type": "request", "method": "server.health"}, {Role.READ}),
            ({"type": "request", "method": "server.info"}, set(Role)),
            ({"type": "request", "method": "client.info"}, set(Role)),
            ({"type": "request", "method": "echo"}, set(Role)),
            ({"type": "ping"}, set(Role)),
            ({"type": "event", "payload": {}}, {Role.INGEST}),
        ]
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_every_message_by_every_role(new_talk: NewTalk, identity: Identity, message: Any, allowed: bool) -> None:
    effects = new_talk(identity).say(message)
    refused = [e for e in effects if b'"FORBIDDEN"' in getattr(e, "text", b"")]
    assert (not refused) is allowed
    assert allowed or len(effects) == 1, "nothing else happens"


@pytest.mark.parametrize(
    ("message", "ids"),
    [
        ({"id": "s1", "type": "subscribe", "payload": {"eventTypes": ["*"]}}, {"requestId": "s1"}),
        ({"id": 7, "type": "event", "payload": {"id": "e1", "type": "test/log"}}, {"requestId": 7, "eventId": "e1"}),
        ({"type": "subscribe", "payload": {"eventTypes": ["*"]}}, {}),
    ],
)
def test_who_lacks_a_role_is_told_for_which_message(
    new_talk: NewTalk, message: dict[str, Any], ids: dict[str, Any]
) -> None:
    (refused,) = new_talk(Identity("executor", frozenset({Role.EXECUTE}))).say(message)
    assert isinstance(refused, Send)
    told = json.loads(refused.text)
    for place in (told, told["payload"]):
        assert {key: place[key] for key in ("requestId", "eventId") if key in place} == ids


#: Of PROTOCOL: starting and ending needs ingest, queries read, cancelling and replay operate.
COMMAND_ROLES = {
    **dict.fromkeys(("startTestRun", "endTestRun"), Role.INGEST),
    **dict.fromkeys(("cancelTestRun", "replayEvents"), Role.OPERATE),
    **dict.fromkeys(("getActiveRuns", "getRunStatus", "getStatistics", "getSecurityMetrics"), Role.READ),
    **dict.fromkeys(("getEventsByTimeRange", "getTestResultsByRun", "validateEvent", "server.health"), Role.READ),
    "updatePolicy": Role.ADMIN,
}


OPEN_TO_ALL = {"server.info", "client.info", "echo"}


@pytest.mark.parametrize("role", list(Role), ids=lambda role: str(role.value))
@pytest.mark.parametrize("name", sorted(COMMAND_ROLES))
def test_every_command_by_every_role(new_talk: NewTalk, name: str, role: Role) -> None:
    identity = Identity(role.value, frozenset({role}))
    messages: list[dict[str, Any]] = [{"type": "request", "method": name, "payload": {"runId": "r"}}]
    if COMMANDS[name].answer is not None:
        messages.append({"type": name, "payload": {"runId": "r"}})
    for message in messages:
        effects = new_talk(identity).say(message)
        forbidden = [e for e in effects if b'"FORBIDDEN"' in getattr(e, "text", b"")]
        assert bool(forbidden) is (COMMAND_ROLES[name] is not role)
        assert not forbidden or len(effects) == 1, "nothing else happens"


def test_the_tables_of_roles_above_are_complete() -> None:
    assert set(COMMAND_ROLES) | OPEN_TO_ALL == set(COMMANDS)
    assert {kind.__name__ for kind in Session._HANDLERS} == {
        "EventsMessage",
        "EventMessage",
        "SubscribeMessage",
        "UnsubscribeMessage",
        "RequestMessage",
        "PingMessage",
        "PongMessage",
    }
