"""What a session asks its shell to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from semantest_recorder.core.batch import Batch

NO_PARAMETERS: Final[Mapping[str, Any]] = MappingProxyType({})


class Send(NamedTuple):
    """Send this text frame. ``lacks``: it refuses a client that lacks a role, in words for the log; else empty."""

    text: bytes
    lacks: str = ""


class Ingest(NamedTuple):
    """Hand the batch to the writer, and its verdict to ``Session.verdict``."""

    batch: Batch


class Subscribed(NamedTuple):
    """What the client wants to see has changed."""


class Supersede(NamedTuple):
    """Close that other connection: its process has come back on this one."""

    connection: str


class Query(NamedTuple):
    """Find out what the session cannot know, and give it to ``Session.answer`` or ``Session.fail``.

    One at a time: the next one comes when this one was answered.
    """

    name: str
    parameters: Mapping[str, Any] = NO_PARAMETERS


class Announce(NamedTuple):
    """Hand the batch to the writer; nobody waits for its verdict, and everybody may be told of it."""

    batch: Batch


class Close(NamedTuple):
    """Close the connection with a WebSocket close code; nothing is sent after it."""

    code: int
    reason: str


Effect = Send | Ingest | Announce | Subscribed | Supersede | Query | Close
