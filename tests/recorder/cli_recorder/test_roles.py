"""Every route, message and command of a running recorder by every role: 401 or 403 unless the tables allow it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec
import pytest
import websocket

from semantest_recorder.core import messages
from semantest_recorder.core.access import Role
from semantest_recorder.core.commands import COMMANDS, MESSAGES
from semantest_recorder.role_table import message_roles, served_routes
from tests.leftovers import end_processes_of
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, answer_of, environment

pytestmark = pytest.mark.hazard(31)


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[Role, str]]]:
    """The address of a recorder, and a token for each role."""
    folder = Path(tmp_path_factory.mktemp("roles")) / ".semantest"
    tokens = {}
    for role in Role:
        command = [sys.executable, "-m", "semantest_recorder.cli.semantest", "token", "create", "--name", role.value]
        made = subprocess.run(
            [*command, "--role", role.value, "--directory", str(folder)],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=DEADLINE_S,
        )
        tokens[role] = made.stdout.strip()
    daemon = Daemon(folder).ready()
    yield daemon.discovery["url"], tokens
    daemon.end()
    end_processes_of(folder.parent)


def status_of(url: str, method: str, path: str, bearer: str | None, **headers: str) -> int:
    return answer_of(url, method, path, bearer, **headers)[0]


ROUTES = [pytest.param(route, id=f"{route.method} {route.path}") for route in served_routes()]


@pytest.mark.parametrize("route", ROUTES)
def test_every_route(recorder: tuple[str, dict[Role, str]], route: Any) -> None:
    url, tokens = recorder
    path = re.sub(r"{[^}]*}", "0" * 64, route.path)
    for nobody in (None, "smt_wrong-wrong-wrong-wrong"):
        status = status_of(url, route.method, path, nobody)
        assert (status == 401) == (route.roles is not None), status
    for role, token in tokens.items():
        allowed = route.roles is None or role in route.roles
        status = status_of(url, route.method, path, token)
        assert status not in (401, 403) if allowed else status == 403, (role, status)


@pytest.mark.hazard(30)
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_closed_to_foreign_pages_whatever_token_they_have(
    recorder: tuple[str, dict[Role, str]], route: Any
) -> None:
    url, tokens = recorder
    path, token = re.sub(r"{[^}]*}", "0" * 64, route.path), tokens[next(iter(route.roles or {Role.READ}))]
    port = urlsplit(url).port
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
    foreign: list[dict[str, str]] = [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": f"evil.example:{port}"},  # a name that leads here
        {"Sec_Fetch_Site": "same-site"},
    ]
    for headers in foreign:
        assert status_of(url, route.method, path, token, **headers) == 403, headers
        assert status_of(url, route.method, path, token, **headers, **upgrade) == 403, headers


def test_what_is_in_no_table_is_for_nobody_without_a_token(recorder: tuple[str, dict[Role, str]]) -> None:
    url, tokens = recorder
    for method, path in (("GET", "/no-such-page"), ("DELETE", "/ws"), ("POST", "/healthz"), ("OPTIONS", "/")):
        assert status_of(url, method, path, None) == 401
        assert status_of(url, method, path, tokens[Role.READ]) in (404, 405)


def test_only_the_probes_and_the_way_in_are_open() -> None:
    """The page to sign in with, and what it loads, which is the same for everybody."""
    opened = {route.path for route in served_routes() if route.roles is None}
    assert opened == {"/healthz", "/readyz", "/sign-in", "/static/{checksum}/{name:.+}"}


def smallest(kind: Any) -> Any:
    """The smallest value of a type, so that a message that is added later is walked as well."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return {field.encode_name: smallest(field.type) for field in fields if field.required}
    if isinstance(kind, type) and issubclass(kind, (str, int, float)):
        return kind("1")
    return [smallest(get_args(kind)[0])] if get_args(kind) else {}


KINDS = {str(kind.__struct_config__.tag): kind for kind in get_args(messages.Tagged)}
TYPES = [(tag, roles, {"type": tag} | smallest(KINDS[tag])) for tag, roles in message_roles()]
AS_MESSAGE = [(name, COMMANDS[name].roles, {"type": name, "payload": {}}) for name in sorted(MESSAGES)]
AS_REQUEST = [(name, command.roles, {"type": "request", "method": name}) for name, command in COMMANDS.items()]


def code_of(answer: dict[str, Any]) -> str | None:
    payload = answer.get("payload")
    return payload.get("code") if isinstance(payload, dict) else None


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_every_message_and_command(recorder: tuple[str, dict[Role, str]], role: Role) -> None:
    url, tokens = recorder
    connection = websocket.create_connection(
        url.replace("http", "ws", 1) + "/ws",
        header={"Authorization": f"Bearer {tokens[role]}"},
        suppress_origin=True,
        http_no_proxy=["*"],
        timeout=DEADLINE_S,
    )
    assert {tag for tag, _roles, _frame in TYPES} == set(KINDS)
    for number, (name, roles, frame) in enumerate([*TYPES, *AS_MESSAGE, *AS_REQUEST]):
        connection.send(json.dumps(frame | {"id": f"m{number}"}))
        connection.send(json.dumps({"type": "request", "method": "echo", "id": f"e{number}", "payload": number}))
        codes = []
        while True:
            answer = json.loads(connection.recv())
            if answer.get("requestId") == f"e{number}":
                break
            codes.append(code_of(answer))
        assert ("FORBIDDEN" in codes) == (role not in roles), (name, codes)
        assert "UNKNOWN_TYPE" not in codes
    connection.close()
