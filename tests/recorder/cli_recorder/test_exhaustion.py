"""Strangers who open connections and say nothing, or next to nothing, do not end a recorder and keep no client out."""

from __future__ import annotations

import http.client
import json
import resource
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from semantest_recorder.descriptors import most_connections
from semantest_recorder.discovery import Discovery, RecorderLock, write_discovery
from semantest_recorder.folder_watch import FolderWatch
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon
from tests.recorder.server.running import batch, run_start

_DESCRIPTORS = 256
_MINE = Discovery(1, "http://127.0.0.1:1", "x", "1", 1)


@pytest.fixture
def serve_with_few(serve: Callable[..., Daemon]) -> Callable[..., Daemon]:
    """Starts a recorder that may have 256 descriptors open, and no more."""

    def start(*options: str) -> Daemon:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        daemon = serve(*options)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
        return daemon.ready()

    return start


def strangers(daemon: Daemon, count: int, stack: ExitStack, say: bytes = b"") -> list[socket.socket]:
    """That many connections without a token, each of which says ``say`` and waits."""
    port = urlsplit(daemon.discovery["url"]).port
    found = []
    for _ in range(count):
        found.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)))
        found[-1].sendall(say)
    return found


def ask_status(daemon: Daemon) -> dict[str, Any]:
    found = daemon.discovery
    connection = http.client.HTTPConnection(urlsplit(found["url"]).netloc, timeout=DEADLINE_S)
    try:
        connection.request("GET", "/api/v1/status", headers={"Authorization": f"Bearer {found['token']}"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux sets the limits of another process")
@pytest.mark.parametrize(
    "say", [b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"], ids=["silent", "half a request"]
)
def test_more_strangers_than_descriptors_end_no_recorder_and_keep_no_client_out(
    serve_with_few: Callable[..., Daemon], say: bytes
) -> None:
    daemon = serve_with_few()
    client = daemon.connect()
    with ExitStack() as stack:
        strangers(daemon, 2 * _DESCRIPTORS, stack, say)
        answer = ask_status(daemon)
        assert answer["connectionLimit"] == most_connections(_DESCRIPTORS)
        assert answer["refusedConnections"] > 0
        client.send(json.dumps(batch(1, [run_start()])))
        answer = json.loads(client.recv())
        assert (answer["type"], answer["seq"]) == ("ack", 1), "who was there stays"
    client.close()
    code, _out, err = daemon.end()
    assert code == 0
    assert err.count("connections are refused") == 1, "it is told, and not for every one"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux sets the limits of another process")
def test_clients_that_use_all_connections_keep_theirs_and_the_next_one_is_refused(
    serve_with_few: Callable[..., Daemon],
) -> None:
    daemon = serve_with_few()
    found = daemon.discovery
    headers = f"Host: {urlsplit(found['url']).netloc}\r\nAuthorization: Bearer {found['token']}"
    said = f"GET /api/v1/status HTTP/1.1\r\n{headers}\r\n\r\n"
    with ExitStack() as stack:
        clients = []
        for _ in range(most_connections(_DESCRIPTORS)):
            clients += strangers(daemon, 1, stack, said.encode())
            assert clients[-1].recv(15) == b"HTTP/1.1 200 OK"
        (refused,) = strangers(daemon, 1, stack)
        assert refused.recv(1) == b"", "closed at once"
        clients[0].sendall(said.encode())
        assert clients[0].recv(1)
    assert daemon.end()[0] == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux tells the limits of another process")
def test_a_recorder_opens_as_many_as_the_system_allows(serve: Callable[..., Daemon]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Each pytest that was recorded in this process by another test has left its memory slot and a socket.
    few = len(list(Path("/proc/self/fd").iterdir())) + _DESCRIPTORS
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
        daemon = serve()
    daemon.ready()
    raised, _hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    assert raised > few
    assert ask_status(daemon)["connectionLimit"] == most_connections(raised)


def test_a_folder_that_cannot_be_looked_at_now_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = RecorderLock(tmp_path)
    lock.acquire(0)
    write_discovery(tmp_path, _MINE)
    watch = FolderWatch(tmp_path, lock, _MINE)
    assert not watch.is_lost()
    (tmp_path / "recorder.json").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        taken = stack.enter_context(socket.socket()).fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (taken, hard))  # nothing more can be opened
        assert not watch.is_lost()
    assert not watch.is_lost()
    assert (tmp_path / "recorder.json").exists(), "it is written when it can be"
    (tmp_path / "recorder.lock").unlink()
    assert watch.is_lost()
