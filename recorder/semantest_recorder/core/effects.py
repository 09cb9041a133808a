"""What a session asks its shell to do."""

from __future__ import annotations

from typing import NamedTuple

from semantest_recorder.core.batch import Batch


class Send(NamedTuple):
    """Send this text frame."""

    text: bytes


class Ingest(NamedTuple):
    """Hand the batch to the writer, and its verdict to ``Session.verdict``."""

    batch: Batch


class Subscribed(NamedTuple):
    """What the client wants to see has changed."""


class Supersede(NamedTuple):
    """Close that other connection: its process has come back on this one."""

    connection: str


class Query(NamedTuple):
    """Find out the answer to a method that the session cannot know, and give it to ``Session.answer``."""

    method: str
    request_id: object


class Close(NamedTuple):
    """Close the connection with a WebSocket close code; nothing is sent after it."""

    code: int
    reason: str


Effect = Send | Ingest | Subscribed | Supersede | Query | Close
