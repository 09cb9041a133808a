"""What clients raise."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Base of what a client raises; ``code`` as in docs/reference/errors.md."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class NotConnectedError(ClientError):
    """There is no recorder, it refuses the connection, or the connection broke."""

    def __init__(self, message: str) -> None:
        super().__init__("NOT_CONNECTED", message)


class CommandError(ClientError):
    """The recorder did not carry out a command."""


class EventsRefusedError(ClientError):
    """Events that were sent since the last ``flush`` were not taken; ``refusals`` are the recorder's messages."""

    def __init__(self, refusals: list[dict[str, Any]]) -> None:
        first = refusals[0]
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        super().__init__(str(first.get("code")), f"an event was refused: {first.get('message')}{more}")
        self.refusals = refusals
