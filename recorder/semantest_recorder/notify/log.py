"""The channel ``log``: a line in the recorder's own log."""

from __future__ import annotations

import logging

import msgspec

from semantest_recorder.core.alerts.delivery import Answer
from semantest_recorder.core.alerts.message import Message

_log = logging.getLogger(__name__)


class LogChannel:
    """Writes title and lines of a message as one record, with its fields for a log in JSON."""

    async def send(self, delivery_id: str, body: bytes) -> Answer:
        """As ``Channel`` has it."""
        message = msgspec.json.decode(body, type=Message)
        fields = {"alert": message.rule, "state": message.state, "severity": message.severity, "delivery": delivery_id}
        level = logging.INFO if message.state == "resolved" or message.severity == "info" else logging.WARNING
        _log.log(level, "%s | %s", message.title, " | ".join(message.text.splitlines()), extra={"fields": fields})
        return Answer(is_delivered=True, text="written to the log")
