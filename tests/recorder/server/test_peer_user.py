from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from semantest_recorder.server import peer_user
from semantest_recorder.server.peer_user import PeerUsers


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_is_at_the_other_end_of_a_connection_on_this_machine(host: str) -> None:
    async def find() -> int | None:
        found: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(PeerUsers().of(writer.transport))
            writer.close()

        try:
            server = await asyncio.start_server(take, host)
        except OSError:
            pytest.skip(f"there is no {host} here")
        async with server:
            _reader, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1])
            user = await found
            writer.close()
        return user

    assert asyncio.run(find()) == os.geteuid()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_it_is_looked_up_once_for_a_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The table has a line for each connection of the machine, and a browser asks for a picture in each row."""
    users = PeerUsers()

    async def find_twice() -> list[int | None]:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1")
        async with server:
            _reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
            found = [users.of(writer.transport)]
            (tmp_path / "empty").touch()
            monkeypatch.setattr(peer_user, "_TABLES", {socket.AF_INET: tmp_path / "empty"})
            found += [users.of(writer.transport), PeerUsers().of(writer.transport)]
            writer.close()
        return found

    assert asyncio.run(find_twice()) == [os.geteuid(), os.geteuid(), None]


def test_nobody_is_there_without_a_connection_and_for_other_sockets() -> None:
    async def find(end: socket.socket) -> int | None:
        _reader, writer = await asyncio.open_connection(sock=end)
        user = PeerUsers().of(writer.transport)
        writer.close()
        return user

    near, far = socket.socketpair()
    with far:
        assert asyncio.run(find(near)) is None
    assert PeerUsers().of(None) is None
