"""The frames of the wire protocol: what clients may send, and how the recorder's own messages look (pure).

The payloads of a batch are never decoded or copied here: ``msgspec.Raw`` points into the frame.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

import msgspec

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.numbers import spell_numbers

#: The largest frame, in bytes, that is read at all.
MAX_FRAME = 16 * 1024 * 1024
#: The longest ``id`` of a message, in bytes as it was sent: it is kept until the answer, and said back.
MAX_ID: Final = 1000
_NULL = msgspec.Raw(b"null")


class InvalidMessage(ValueError):  # noqa: N818 - the wire calls it INVALID_MESSAGE
    """A frame that is no message; the text says what is wrong with it, ``source`` whose batch it was meant to be."""

    def __init__(self, text: str, source: str | None = None) -> None:
        super().__init__(text)
        self.source = source


class UnknownType(ValueError):  # noqa: N818 - it names the case, and is answered, not raised further
    """A message of a type that this recorder does not know."""


class Inbound(msgspec.Struct, tag_field="type", rename="camel"):
    """A message from a client. ``id`` is whatever the client counts with."""

    id: msgspec.Raw = _NULL


class EventsMessage(Inbound, tag="events", kw_only=True):
    """A batch of journal records: ``events[i]`` has seq ``first_seq + i``."""

    source: str
    first_seq: int
    events: list[RawEvent]


class EventMessage(Inbound, tag="event", kw_only=True):
    """One event, said once: the client keeps no journal of it."""

    payload: msgspec.Raw = _NULL


class SubscriptionTypes(msgspec.Struct, rename="camel"):
    """The payload of ``subscribe`` and ``unsubscribe``."""

    event_types: list[str]


class SubscribeMessage(Inbound, tag="subscribe", kw_only=True):
    """The client wants events of these types."""

    payload: SubscriptionTypes


class UnsubscribeMessage(Inbound, tag="unsubscribe", kw_only=True):
    """The client no longer wants events of these types."""

    payload: SubscriptionTypes


class PingMessage(Inbound, tag="ping"):
    """The client asks whether we are there."""

    payload: msgspec.Raw = _NULL


class PongMessage(Inbound, tag="pong"):
    """The answer to a ping."""


class RequestMessage(Inbound, tag="request", kw_only=True):
    """A question; ``method`` stands beside the payload, or inside it with some of the original clients."""

    method: str | None = None
    payload: msgspec.Raw = _NULL


class CommandMessage(msgspec.Struct):
    """A command of the orchestrated server (core/commands.py); its ``type`` is the command."""

    type: str
    id: msgspec.Raw = _NULL
    payload: msgspec.Raw = _NULL


Tagged = (
    EventsMessage | EventMessage | SubscribeMessage | UnsubscribeMessage | PingMessage | PongMessage | RequestMessage
)
Message = Tagged | CommandMessage


class _Head(msgspec.Struct):
    type: str
    source: str | None = None


class _MethodInPayload(msgspec.Struct):
    method: str


_DECODER = msgspec.json.Decoder(Tagged)
_COMMAND = msgspec.json.Decoder(CommandMessage)
_HEAD = msgspec.json.Decoder(_Head)
_METHOD = msgspec.json.Decoder(_MethodInPayload)
_ENCODER = msgspec.json.Encoder()
_TAGS = frozenset(kind.__struct_config__.tag for kind in Tagged.__args__)
# One alternative per JSON escape, so that an escaped backslash before "ud800" is not taken for a surrogate.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def decode(frame: str, commands: Container[str] = ()) -> Message:
    """The message in a text frame; ``commands`` are further types.

    Raises ``UnknownType`` for a well-formed message of another type and ``InvalidMessage`` for everything else that
    cannot be read. Half a surrogate pair, which Python's ``json`` writes for undecodable file names and other
    programs refuse, becomes U+FFFD, and a number that no double can hold becomes a text: a shipped event must not be
    lost for them.
    """
    frame = spell_numbers(frame)
    try:
        return _decode(frame)
    except msgspec.DecodeError as error:
        if isinstance(error, msgspec.ValidationError):
            return _other(frame, error, commands)
        if "\\u" not in frame:
            raise _invalid(frame, error) from None
        mended = _ESCAPE.sub(_mend, frame)
        try:
            return _decode(mended)
        except msgspec.ValidationError as second:
            return _other(mended, second, commands)
        except msgspec.DecodeError as second:
            raise _invalid(mended, second) from None


def _decode(frame: str) -> Message:
    try:
        message: Message = _DECODER.decode(frame)
    except RecursionError:
        raise InvalidMessage("nested too deeply") from None
    except UnicodeEncodeError:
        raise InvalidMessage("not UTF-8") from None
    return message


def _other(frame: str, error: msgspec.DecodeError, commands: Container[str]) -> Message:
    """A command, which no tag of a struct stands for."""
    try:
        command = _COMMAND.decode(frame)
    except (msgspec.DecodeError, RecursionError):
        raise _invalid(frame, error) from None
    if command.type not in commands:
        raise _invalid(frame, error) from None
    return command


def _mend(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape[1] else escape[0]


def _invalid(frame: str, error: msgspec.DecodeError) -> Exception:
    """The exception that says best what is wrong with a frame that did not decode."""
    try:
        head = _HEAD.decode(frame)
    except msgspec.ValidationError:
        return InvalidMessage(f"a message is an object with a string 'type': {error}")
    except (msgspec.DecodeError, RecursionError):
        return InvalidMessage(str(error))
    if head.type not in _TAGS:
        return UnknownType(head.type)
    return InvalidMessage(f"{head.type}: {error}", head.source)


def method_of(request: RequestMessage) -> str:
    """The method that a request names. Raises ``InvalidMessage`` when it names none."""
    if request.method is not None:
        return request.method
    try:
        return _METHOD.decode(request.payload).method
    except msgspec.DecodeError:
        raise InvalidMessage("a request names its 'method'") from None


def encode(kind: str, now_ms: float, payload: object = None, **fields: Any) -> bytes:
    """One message of the recorder; ``fields`` stand beside the payload. Raises nothing for JSON-able values."""
    message: dict[str, Any] = {"type": kind, "timestamp": now_ms, **fields}
    if payload is not None:
        message["payload"] = payload
    return _ENCODER.encode(message)


def encode_error(
    now_ms: float,
    code: str,
    message: str,
    *,
    details: Mapping[str, Any] | Sequence[Any] | None = None,
    about: Mapping[str, Any] | None = None,
    id: object = None,  # noqa: A002
) -> bytes:
    """An ``error``: machine-readable ``code``, one line of text, and details such as ``{source, expected}``.

    ``about``: the ids of what it answers, ``{requestId?, eventId?}``.
    Code, message and details stand beside the payload, where shippers look, and in it, where the original clients do.
    """
    payload: dict[str, Any] = {"code": code, "message": message, **(about or {})}
    if details:
        payload["details"] = details
    return encode("error", now_ms, payload, id=id, **payload)


def encode_response(
    now_ms: float, request_id: object, payload: object = None, *, error: dict[str, Any] | None = None
) -> bytes:
    """The ``response`` to a message with this id; a failure when ``error`` (``{code, message}``) is given.

    The original clients take ``error`` for a text; everything else of it is in the payload.
    """
    fields: dict[str, Any] = {"id": request_id, "requestId": request_id, "success": error is None}
    if error is not None:
        fields["error"] = error["message"]
        payload = error
    return encode("response", now_ms, payload, **fields)


def encode_event(now_ms: float, id: str, kind: str, payload: object) -> bytes:  # noqa: A002
    """An ``event`` that the recorder itself makes, such as ``system.connected``."""
    return encode("event", now_ms, {"id": id, "type": kind, "timestamp": now_ms, "payload": payload}, id=id)
