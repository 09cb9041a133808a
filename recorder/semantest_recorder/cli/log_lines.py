"""The daemon's log on stderr: one line per record, as text or as JSON."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import time
from datetime import UTC, datetime

from semantest_recorder.cli.log_ration import RationedHandler
from semantest_recorder.server.request_id import present_request_id


class TextLine(logging.Formatter):
    """``2026-11-21T09:30:00.123Z INFO message``; line breaks in the message are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        return f"{_time(record)} {record.levelname} {_text(self, record)}"


class JsonLine(logging.Formatter):
    """``{"time", "level", "logger", "message"}`` and what the record has in ``fields``: ``run``, ``status``.

    What is said for a request has its ``requestId``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        fields: dict[str, object] = getattr(record, "fields", {})
        request_id = present_request_id()
        line |= {"requestId": request_id} if request_id else {}
        return json.dumps(fields | line | {"message": _text(self, record)})


def configure_logging(style: str, level: str) -> None:
    """Sends records of ``level`` and above to stderr; ``style`` is ``text`` or ``json``."""
    handler = RationedHandler(sys.stderr, time.monotonic)
    handler.setFormatter(JsonLine() if style == "json" else TextLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def is_log_file() -> bool:
    """Whether stderr is a file: what is in it is read later, when a line without its time says little."""
    try:
        return stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The message, and a traceback where there is one, on one line: a client's text cannot forge a second one."""
    text = record.getMessage()
    if record.exc_info:
        text = f"{text}\n{formatter.formatException(record.exc_info)}"
    return text.encode("unicode_escape").decode() if not text.isprintable() else text
