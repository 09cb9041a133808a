"""One event off the wire, said once by a client that keeps no journal: read, checked, and as it is stored (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.payloads import MalformedError, content_of
from semantest_recorder.core.security import Security
from semantest_recorder.core.validation import Problem


class LiveEvent(NamedTuple):
    """``event`` as it goes into the log, ``payload`` what it says."""

    event: RawEvent
    payload: Mapping[str, Any]


_NULL = msgspec.Raw(b"null")
_NAME_MAX = 200


class _Named(msgspec.Struct):
    id: msgspec.Raw = _NULL


_NAMED = msgspec.json.Decoder(_Named)
_NAME = msgspec.json.Decoder(str | int | float)


def ids_of(request_id: msgspec.Raw, raw: msgspec.Raw) -> dict[str, Any]:
    """By what a refusal names the message and its event: ``requestId`` and ``eventId``, where they have such a name."""
    found = {}
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found["requestId"] = _name(request_id)
        found["eventId"] = _name(_NAMED.decode(raw).id)
    return {key: name for key, name in found.items() if name is not None}


def _name(raw: msgspec.Raw) -> object:
    try:
        return _NAME.decode(raw) if len(bytes(raw)) <= _NAME_MAX else None
    except msgspec.ValidationError:
        return None


def read_live_event(raw: msgspec.Raw, security: Security, now_ms: float) -> LiveEvent | list[Problem]:
    """The event, or everything that is wrong with it.

    Its id and metadata, which the log has no columns for, are kept in the payload as ``eventId`` and ``metadata``;
    a payload that is no object is kept as ``value``.
    """
    try:
        content: Any = content_of(bytes(raw))
    except MalformedError:
        content = None
    problems = security.validate(content, len(bytes(raw)), now_ms)
    if problems or content is None:
        return problems
    payload = content.get("payload")
    kept: dict[str, Any] = dict(payload) if isinstance(payload, dict) else {}
    if payload is not None and not isinstance(payload, dict):
        kept["value"] = payload
    kept.setdefault("eventId", content["id"])
    if content.get("metadata") is not None:
        kept.setdefault("metadata", content["metadata"])
    event = RawEvent(content["type"], float(content["timestamp"]), msgspec.Raw(msgspec.json.encode(kept)))
    return LiveEvent(event, kept)
