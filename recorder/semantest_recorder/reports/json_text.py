"""Anything of a report as JSON that may be looked at in a terminal."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from semantest_recorder.reports.inert import inert_json


def json_text(value: Any, *, indent: int = 0) -> bytes:
    """``value`` as JSON in UTF-8: on one line, or indented."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a path that is no text: its bytes become escapes, as in Python's own JSON
        data = json.dumps(msgspec.to_builtins(value)).encode()
    return inert_json(msgspec.json.format(data, indent=indent) if indent else data)
