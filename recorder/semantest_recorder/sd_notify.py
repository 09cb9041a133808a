"""What systemd is told of a service with ``Type=notify``: sd_notify(3), without its library."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell_service_manager(*assignments: str) -> None:
    """Sends ``READY=1``, ``STOPPING=1``, ``STATUS=...`` to who started us, if it listens; it never fails us."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.settimeout(1.0)
        notify.sendto("\n".join(assignments).encode(), address)
