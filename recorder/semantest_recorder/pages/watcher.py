"""A page that is open and is told what happens."""

from __future__ import annotations

import logging
from asyncio import Transport
from typing import Final

from semantest_recorder.server.peer import text_frame

#: What may wait for one page, in bytes; who does not read is dropped, and begins anew.
WAITING_MAX: Final = 1024 * 1024

_log = logging.getLogger(__name__)


class Watcher:
    """Somebody behind a WebSocket on ``transport``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def tell(self, message: bytes) -> None:
        """Sends one text message."""
        self.send(text_frame(message))

    def send(self, wire: bytes) -> None:
        """Sends a ``text_frame``, which may be made once for many; or ends the connection of who does not read."""
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > WAITING_MAX:
            _log.warning("a page that is open does not read what it is told: dropped")
            self._transport.abort()
            return
        self._transport.write(wire)
