"""Which user of this machine is at the other end of a connection, as far as Linux tells."""

from __future__ import annotations

import socket
import sys
from asyncio import BaseTransport
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from semantest_recorder.core.access import is_loopback

_TABLES: Final = {socket.AF_INET: Path("/proc/net/tcp"), socket.AF_INET6: Path("/proc/net/tcp6")}
#: Where a line of these tables has the socket's own address, that of its other end, and the id of its user.
_LOCAL, _REMOTE, _USER = 1, 2, 7


class PeerUsers:
    """Who is at the other end of connections. Looked up once for each: the table has all of the machine."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[BaseTransport, int] = WeakKeyDictionary()

    def of(self, transport: BaseTransport | None) -> int | None:
        """The id of the user whose program is there; ``None``: elsewhere, or nobody tells."""
        if transport is None:
            return None
        user = self._known.get(transport)
        if user is None and (user := _user_of(transport)) is not None:
            self._known[transport] = user
        return user


def _user_of(transport: BaseTransport) -> int | None:
    connection = transport.get_extra_info("socket")
    if connection is None or connection.family not in _TABLES:
        return None
    try:
        here, there = connection.getsockname(), connection.getpeername()
        if not is_loopback(there[0]):
            return None
        with _TABLES[connection.family].open(encoding="ascii") as lines:
            return _user_in(lines, _written(connection.family, there), _written(connection.family, here))
    except OSError:  # it has gone, or this is no Linux
        return None


def _user_in(lines: Iterable[str], local: str, remote: str) -> int | None:
    for line in lines:
        fields = line.split()
        if fields[_LOCAL] == local and fields[_REMOTE] == remote:
            return int(fields[_USER])
    return None


def _written(family: socket.AddressFamily, place: tuple[Any, ...]) -> str:
    """An address as these tables have it: words of four bytes in the order of the machine, and the port."""
    packed = socket.inet_pton(family, place[0])
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return f"{''.join(f'{word:08X}' for word in words)}:{place[1]:04X}"
