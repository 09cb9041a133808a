from __future__ import annotations

import asyncio
import os
import socket
import sys

import pytest

from semantest_recorder.server.peer_user import user_of_peer


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_is_at_the_other_end_of_a_connection_on_this_machine(host: str) -> None:
    async def find() -> int | None:
        found: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(user_of_peer(writer.transport))
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


def test_nobody_is_there_without_a_connection_and_for_other_sockets() -> None:
    async def find(end: socket.socket) -> int | None:
        _reader, writer = await asyncio.open_connection(sock=end)
        user = user_of_peer(writer.transport)
        writer.close()
        return user

    near, far = socket.socketpair()
    with far:
        assert asyncio.run(find(near)) is None
    assert user_of_peer(None) is None
