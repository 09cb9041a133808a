from __future__ import annotations

import base64
import hashlib
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from pytest_semantest.shipper.connection import Connection, ConnectionFailedError, RefusedError, websocket_url
from tests.shipper.ingest_server import DEADLINE_S, TOKEN, IngestServer, Misbehaviour


def receive(connection: Connection, seconds: float = DEADLINE_S) -> list[dict[str, Any]]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        messages = connection.receive()
        if messages:
            return messages
        select.select([connection], [], [], 0.1)
    raise AssertionError("nothing came")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:80", "ws://127.0.0.1:80/ws"),
        ("https://example.org/base/", "wss://example.org/base/ws"),
        ("ws://[::1]:8765/ws", "ws://[::1]:8765/ws"),
        ("localhost:8765", "ws://localhost:8765/ws"),
    ],
)
def test_the_address_of_the_web_socket(url: str, expected: str) -> None:
    assert websocket_url(url) == expected


@pytest.mark.parametrize("url", ["ftp://example.org", "http://", "http:///ws", "http://[::1", "http://[x]/"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ConnectionFailedError, match="is no recorder URL"):
        websocket_url(url)


@pytest.mark.hazard(14)
def test_the_handshake_names_us_and_no_proxy_sees_it(server: IngestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    connection = Connection(server.url, TOKEN, "instance-1")
    assert receive(connection)[0]["payload"]["type"] == "system.connected"
    headers = server.handshakes[0].headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["X-Semantest-Instance"] == "instance-1"
    assert headers["User-Agent"].startswith("pytest-semantest/")
    assert "Origin" not in headers
    connection.leave()


def test_a_large_message_goes_out_without_blocking_and_arrives(server: IngestServer) -> None:
    connection = Connection(server.url, TOKEN, "i")
    receive(connection)
    body = b'{"type":"x","timestamp":0,"payload":"%b"}' % (b"y" * 5_000_000)
    connection.send(b'{"type":"events","source":"s","firstSeq":1,"events":[%b]}' % body)
    while connection.wants_to_write:
        assert select.select([], [connection], [], DEADLINE_S)[1]
        connection.flush()
    assert receive(connection)[0] == {"type": "ack", "source": "s", "seq": 1}
    connection.close()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_told_from_other_failures(server: IngestServer, status: int) -> None:
    server.behaviour = Misbehaviour(status=status)
    with pytest.raises(RefusedError, match=str(status)):
        Connection(server.url, TOKEN, "i")


def test_a_redirect_is_not_followed(server: IngestServer) -> None:
    server.behaviour = Misbehaviour(status=302)
    with pytest.raises(ConnectionFailedError):
        Connection(server.url, TOKEN, "i")
    assert len(server.handshakes) == 1


def test_what_keeps_web_sockets_out_is_told_where_to_look(server: IngestServer) -> None:
    server.behaviour = Misbehaviour(status=426)
    with pytest.raises(
        ConnectionFailedError, match="HTTP status 426: a proxy before the recorder does not let WebSocket"
    ):
        Connection(server.url, TOKEN, "i")


def test_nobody_there_and_nobody_who_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ConnectionFailedError):
            Connection(f"http://127.0.0.1:{port}", None, "i", timeout=0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else gets the port while this one does not listen
        with pytest.raises(ConnectionFailedError, match="refused"):
            Connection(f"http://127.0.0.1:{silent.getsockname()[1]}", None, "i")


def test_an_end_behind_the_last_message_is_met_by_check(server: IngestServer) -> None:
    connection = Connection(server.url, TOKEN, "i")
    server.wait_for(lambda: server.connections == 1)
    threading.Timer(0.0, server.cut).start()
    with pytest.raises(ConnectionFailedError):
        listen_for_ever(connection)
    connection.close()


def listen_for_ever(connection: Connection) -> None:
    while True:
        connection.receive()
        connection.check()
        select.select([connection], [], [], 0.1)


@contextmanager
def said_by_hand(words: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """The address of somebody who answers a handshake by ``words``, called with the connection and the right key."""

    def answer() -> None:
        connection, _address = listening.accept()
        with connection, suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(4096)
            (key,) = re.findall(rb"(?i)sec-websocket-key: *(\S+)", asked)
            digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            words(connection, base64.b64encode(digest))
            over.wait(DEADLINE_S)

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join(DEADLINE_S)


_ACCEPTED = b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


@pytest.mark.hazard(27)
def test_nothing_is_read_of_a_frame_that_is_too_long() -> None:
    def words(connection: socket.socket, key: bytes) -> None:
        connection.sendall(_ACCEPTED + key + b"\r\n\r\n\x81\x7f" + (2**40).to_bytes(8, "big") + b"payload")

    with said_by_hand(words) as url:
        connection = Connection(url, TOKEN, "i")
        assert select.select([connection], [], [], DEADLINE_S)[0]
        with pytest.raises(ConnectionFailedError, match="a message of more than"):
            listen_for_ever(connection)
        assert connection._socket.recv(7) == b"payload"
        connection.close()


def test_a_handshake_that_goes_on_for_ever_is_ended() -> None:
    """Each byte comes well before the socket's timeout. Whoever is patient is connected in the end."""

    def words(connection: socket.socket, key: bytes) -> None:
        connection.sendall(_ACCEPTED + key + b"\r\nX-Long: ")
        connection.settimeout(0.05)
        for _ in range(200):
            connection.sendall(b"x")
            with suppress(TimeoutError):
                if connection.recv(1) == b"":
                    return
        connection.sendall(b"\r\n\r\n")

    with said_by_hand(words) as url, pytest.raises(ConnectionFailedError, match="lost"):
        Connection(url, TOKEN, "i", timeout=0.5)
