"""Foreign pages and strangers are refused on every route and before the upgrade (HAZARDS 30, 31)."""

from __future__ import annotations

import http.client
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.recorder.server.running import DEADLINE_S, TOKEN, RunningServer

pytestmark = pytest.mark.hazard(30)

BEARER = {"Authorization": f"Bearer {TOKEN}"}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all: these tests leave nothing behind in it."""
    server = RunningServer(Path(tmp_path_factory.mktemp("guard")) / "guard.db", origins=["https://dash.example"])
    yield server
    server.close()


def routes(server: RunningServer) -> list[tuple[str, str]]:
    """Every route that the application serves, with variables filled in, and one that it does not."""
    found = {
        (route.method, route.resource.canonical.replace("{", "x").replace("}", "x"))
        for route in server.app.router.routes()
        if route.resource is not None
    }
    assert ("GET", "/ws") in found
    return [*sorted(found), ("GET", "/no-such-page"), ("POST", "/ws"), ("OPTIONS", "/ws")]


def ask(server: RunningServer, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read() if response.status != 101 else b""
    finally:
        connection.close()


FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "127.0.0.1"},
    {"Host": "127.0.0.1:1"},
    {"Host": "127.0.0.1.nip.io:{port}"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://evil.example:{port}"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda f: "-".join(*f.items()))
@pytest.mark.parametrize("upgrade", [False, True], ids=["plain", "handshake"])
def test_foreign_requests_are_refused_on_every_route(
    guarded: RunningServer, foreign: dict[str, str], upgrade: bool
) -> None:
    headers = {name: value.format(port=guarded.port) for name, value in foreign.items()}
    for method, path in routes(guarded):
        status, answered, body = ask(guarded, method, path, BEARER | headers | (UPGRADE if upgrade else {}))
        assert status == 403, (method, path)
        if method != "HEAD":
            assert json.loads(body)["code"] == "FORBIDDEN"
            assert answered["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
@pytest.mark.parametrize("upgrade", [False, True], ids=["plain", "handshake"])
def test_strangers_are_refused_on_every_route_but_the_health_probes(
    guarded: RunningServer, authorization: str | None, upgrade: bool
) -> None:
    headers = ({} if authorization is None else {"Authorization": authorization}) | (UPGRADE if upgrade else {})
    open_routes = set()
    for method, path in routes(guarded):
        status, answered, body = ask(guarded, method, path, headers)
        if status == 200:
            open_routes.add(path)
            assert body in (b"ok", b"")
            continue
        assert status == 401, (method, path)
        assert answered["WWW-Authenticate"] == "Bearer"
        assert TOKEN.encode() not in body
    assert open_routes == {"/healthz", "/readyz"}


def test_a_token_in_the_url_is_none(guarded: RunningServer) -> None:
    for name in ("token", "access_token", "authorization"):
        assert ask(guarded, "GET", f"/ws?{name}={TOKEN}", UPGRADE)[0] == 401


def test_no_answer_invites_other_sites(guarded: RunningServer) -> None:
    for method, path in routes(guarded):
        _status, headers, _body = ask(guarded, method, path, BEARER | {"Origin": "https://dash.example"})
        assert not [name for name in headers if name.lower().startswith("access-control-")]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "aiohttp" not in headers["Server"]


def test_unknown_pages_and_methods_are_problems_in_json(guarded: RunningServer) -> None:
    status, _headers, body = ask(guarded, "GET", "/no-such-page", BEARER)
    assert (status, json.loads(body)["code"]) == (404, "NOT_FOUND")
    assert (
        json.loads(body)["detail"]
        == "there is no such page; / leads to those for people, /api/v1/openapi.json names those for programs"
    )
    status, headers, body = ask(guarded, "POST", "/ws", BEARER)
    assert (status, json.loads(body)["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert json.loads(body)["detail"].startswith("this page does not take POST; it takes GET")
    assert "GET" in headers["Allow"]
    status, headers, body = ask(guarded, "GET", "/", BEARER)
    assert (status, headers["Upgrade"], json.loads(body)["code"]) == (426, "websocket", "UPGRADE_REQUIRED")


@pytest.mark.parametrize("path", ["/", "/ws"])
@pytest.mark.parametrize("origin", [None, "https://dash.example", "http://localhost:{port}", "http://127.0.0.1:{port}"])
def test_programs_and_own_pages_get_a_websocket(guarded: RunningServer, path: str, origin: str | None) -> None:
    options: dict[str, Any] = (
        {"suppress_origin": True} if origin is None else {"origin": origin.format(port=guarded.port)}
    )
    connection = websocket.create_connection(
        f"ws://localhost:{guarded.port}{path}", header=BEARER, timeout=DEADLINE_S, http_no_proxy=["*"], **options
    )
    hello = json.loads(connection.recv())
    assert hello["payload"]["type"] == "system.connected"
    assert hello["payload"]["payload"]["protocolVersion"] == 1
    connection.close()


@pytest.mark.parametrize("extra", [{}, {"Sec-WebSocket-Extensions": "permessage-deflate"}])
def test_compression_is_never_agreed_on(guarded: RunningServer, extra: dict[str, str]) -> None:
    status, headers, _body = ask(guarded, "GET", "/ws", BEARER | UPGRADE | extra)
    assert status == 101
    assert "Sec-WebSocket-Extensions" not in headers


def test_a_compressed_frame_is_not_unpacked(guarded: RunningServer) -> None:
    """One that was never agreed on: 16 KiB of it would be 16 MiB."""
    client = guarded.connect()
    packed = zlib.compressobj(wbits=-15)
    bomb = packed.compress(b"x" * 16 * 1024 * 1024) + packed.flush(zlib.Z_SYNC_FLUSH)
    frame = websocket.ABNF(1, 1, 0, 0, websocket.ABNF.OPCODE_TEXT, 1, bomb[:-4])
    client.socket.send_frame(frame)
    assert client.close_code() == 1002


def test_without_tokens_where_that_is_allowed_only_ingest_and_read(serve: Callable[..., RunningServer]) -> None:
    server = serve(anonymous=True)
    connection = websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/", suppress_origin=True, timeout=DEADLINE_S, http_no_proxy=["*"]
    )
    connection.recv()
    connection.send(json.dumps({"type": "request", "method": "client.info"}))
    assert json.loads(connection.recv())["payload"]["roles"] == ["ingest", "read"]
    connection.close()
    assert ask(server, "GET", "/ws", UPGRADE | {"Authorization": "Bearer wrong"})[0] == 401
    assert ask(server, "GET", "/ws", UPGRADE | {"Origin": "http://evil.example"})[0] == 403
