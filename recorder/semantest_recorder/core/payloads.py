"""The payloads that the projection reads, as typed structs: tolerant, unknown fields are skipped.

A payload of a wrong shape is repaired field by field: what cannot be read is left out, the rest counts.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec

from semantest_recorder.core.numbers import read_integer

#: Integers that SQLite can hold and that mean something here.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Integer = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**31)]

#: It is added to each event that subscribers see.
RunId = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

P = TypeVar("P", bound="Payload")


class Payload(msgspec.Struct, rename="camel", gc=False):
    """Base of all payloads."""


class Opening(Payload):
    """First event of a source: ``run/start``, ``worker/start``, ``shipper/start``, or a ``journal/gap`` instead."""

    run_id: RunId
    session: Annotated[str, msgspec.Meta(min_length=1)]
    worker: Annotated[str, msgspec.Meta(min_length=1)]
    pid: Integer | None = None
    host: str | None = None


class Plan(Payload):
    """``run/plan``: a chunk of the selected tests."""

    tests: list[str]
    offset: Count = 0
    total: Count | None = None
    deselected: Count | None = None


class Error(Payload):
    """What a failure says."""

    message: str | None = None
    type: str | None = None
    file: str | None = None
    line: Integer | None = None
    phase: str | None = None


class CollectError(Payload):
    """``collect/error``."""

    test_id: str
    outcome: str | None = None
    error: Error | str | None = None
    reason: str | None = None


class Quarantine(Payload):
    """Why, by whom and until when (an ISO date) a test is in quarantine; ``entry`` is what the list calls it."""

    entry: str
    reason: str
    owner: str
    expires: str
    issue: str | None = None


class TestStart(Payload):
    """``test/start``."""

    test_id: str
    attempt: Number | None = None
    file: str | None = None
    line: Integer | None = None
    markers: tuple[str, ...] | None = None
    timeout: Milliseconds | None = None
    suite_id: str | None = None
    fingerprint: str | None = None
    quarantine: Quarantine | None = None
    repetitions: Number | None = None


class TestPhase(Payload):
    """``test/phase``: of the test's own process with an outcome, an observation of the shipper without one."""

    test_id: str
    phase: str
    attempt: Number | None = None
    worker: str | None = None
    outcome: str | None = None
    duration: Milliseconds | None = None
    error: Error | str | None = None


class TestSubtest(Payload):
    """``test/subtest``."""

    test_id: str
    attempt: Number | None = None
    outcome: str | None = None


class Phases(Payload):
    """Durations in milliseconds."""

    setup: Milliseconds | None = None
    call: Milliseconds | None = None
    teardown: Milliseconds | None = None


class TestEnd(Payload):
    """``test/end``; what it says of output is read from the log when somebody asks."""

    test_id: str
    attempt: Number | None = None
    status: str | None = None
    outcome: str | None = None
    duration: Milliseconds | None = None
    phases: Phases | None = None
    error: Error | str | None = None
    reason: str | None = None
    will_retry: bool | None = None
    forgiven: bool | None = None


class TestVerdict(Payload):
    """``test/passed``, ``test/failed``, ``test/skipped``."""

    test_id: str
    attempt: Number | None = None
    duration: Milliseconds | None = None
    error: Error | str | None = None
    reason: str | None = None


class TestDetail(Payload):
    """A step, log, assertion, screenshot or attachment; the rest is read from the log when somebody asks."""

    test_id: str
    attempt: Number | None = None


class SuiteTold(Payload):
    """``test/suite/start`` and ``test/suite/end`` of a client."""

    suite_id: Annotated[str, msgspec.Meta(min_length=1)]
    suite_name: str | None = None


class TestWarning(Payload):
    """``test/warning``."""

    message: str
    category: str = "Warning"
    test_id: str | None = None
    file: str | None = None
    line: Integer | None = None
    count: Number | None = None


class Output(Payload):
    """The last output of a process on one stream."""

    text: str
    stream: str = "stdout"


class WorkerCrash(Payload):
    """``worker/crash``; ``session``: whose worker, when it is not the reporter's own."""

    worker: str
    session: str | None = None
    reason: str | None = None
    test_id: str | None = None
    attempt: Number | None = None
    phase: str | None = None
    elapsed: Milliseconds | None = None
    last_output: list[Output] | None = None


class End(Payload):
    """``worker/end`` and ``run/end``; ``workers_dropped``: by worker, of those that could not write their own."""

    exit_code: Integer | None = None
    stopped_early: bool | None = None
    stop_reason: str | None = None
    interrupted: bool | None = None
    dropped: Count | None = None
    workers_dropped: dict[str, Count] | None = None


class Expect(Payload):
    """``run/expect``: of how many sessions the run is to have a main process."""

    sessions: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Cancel(Payload):
    """``run/cancel``; ``timeout``: the run took longer than it was given."""

    reason: str | None = None
    timeout: bool | None = None


class MalformedError(Exception):
    """The payload cannot be read, or lacks what its type needs; the text says what."""


class NotTheirsError(MalformedError):
    """The payload says what its sender has no right to say: it was read, and is disregarded."""


_SURROGATE = re.compile("[\ud800-\udfff]")


def repaired(kind: type[P], payload: bytes) -> tuple[P, str]:
    """The payload without the fields that cannot be read, and which ones these were.

    Raises ``MalformedError`` when the payload is no JSON object or a required field is not usable.
    """
    content = content_of(payload)
    values: dict[str, Any] = {}
    unread: list[str] = []
    for field in _fields(kind):
        value = content.get(field.encode_name)
        if value is None:
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError as error:
            unread.append(f"{field.encode_name}: {error}")
    try:
        return kind(**values), "; ".join(unread)
    except TypeError as error:
        raise MalformedError("; ".join(unread) or str(error)) from None


@cache
def _fields(kind: type[Payload]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Kept, for msgspec evaluates the annotations each time, which takes half a millisecond."""
    return msgspec.structs.fields(kind)


def content_of(payload: bytes) -> dict[str, Any]:
    """The payload as a dict whose texts UTF-8 can hold: lone surrogates are spelled out.

    Raises ``MalformedError`` when it is no JSON object.
    """
    text = payload.decode("utf-8", "replace")
    try:
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        try:
            content = _spelled(json.loads(text, parse_constant=lambda _name: None, parse_int=read_integer))
        except (ValueError, RecursionError) as error:
            raise MalformedError(f"not JSON: {error}") from None
    if not isinstance(content, dict):
        raise MalformedError(f"not an object but {type(content).__name__}")
    return content


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode() if _SURROGATE.search(value) else value
    if isinstance(value, dict):
        return {_spelled(key): _spelled(item) for key, item in value.items()}
    return [_spelled(item) for item in value] if isinstance(value, list) else value
