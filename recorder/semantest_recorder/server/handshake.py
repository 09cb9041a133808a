"""What a client says of itself in the headers of its WebSocket handshake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

INSTANCE_HEADER = "X-Semantest-Instance"
#: The run of pytest that a shipper attends, percent-encoded: its cancellation comes even if there is nothing to send.
RUN_HEADER = "X-Semantest-Run"


class Handshake(NamedTuple):
    """``instance``: its process, which may connect again; ``agent``: its User-Agent; ``attends``: a run of pytest."""

    instance: str = ""
    agent: str = ""
    attends: str = ""


def read_handshake(values: Callable[[str], Sequence[str]]) -> Handshake:
    """``values`` gives all values of a header; of one that comes twice the first counts."""

    def first(name: str) -> str:
        found = values(name)
        return found[0] if found else ""

    return Handshake(first(INSTANCE_HEADER), first("User-Agent"), unquote(first(RUN_HEADER)))
