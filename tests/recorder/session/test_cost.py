"""What hostile text costs whoever reads it: memory and work that grow as the text does, and no faster."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType

import pytest

from pytest_semantest.protocol.closing import JournalDigest
from pytest_semantest.protocol.gaps import gap_body
from semantest_recorder.core import payloads
from tests.recorder.session.talk import NOW, NewTalk

#: JSON of about so many characters.
SHAPES: dict[str, Callable[[int], str]] = {
    "nested lists": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "nested objects": lambda size: '{"a":' * (size // 6) + "1" + "}" * (size // 6),
    "shallow lists": lambda size: "[" + ",".join(["[[[[]]]]"] * (size // 9)) + "]",
    "text": lambda size: '"' + "x" * size + '"',
    "text without an end": lambda size: '"' + '\\"' * (size // 2),
    "escapes": lambda size: '"' + "\\u0000" * (size // 6) + '"',
    "lone surrogates": lambda size: '"' + "\\ud800" * (size // 6) + '"',
    "keys": lambda size: "{" + ",".join(f'"k{number:06}":1' for number in range(size // 12)) + "}",
    "one key again and again": lambda size: "{" + ",".join(['"testId":"t"'] * (size // 13)) + "}",
    "integer": lambda size: "9" * size,
    "integers": lambda size: "[" + ",".join(["9" * 400] * (size // 401)) + "]",
    "exponents": lambda size: "[" + ",".join(["1e999"] * (size // 6)) + "]",
    "suspicious texts": lambda size: "[" + ",".join(['"<script>"'] * (size // 11)) + "]",
}
SMALL, LARGE = 2_000, 8_000
#: Bytes held at a time for each character of the text: what Python needs for a list or a text in a list.
_PER_CHARACTER = 60


def cost(work: Callable[[], object]) -> tuple[int, int]:
    """``(bytes, calls)``: the most memory held at a time, and how many functions were called."""
    calls = 0

    def count(_frame: FrameType, kind: str, _argument: object) -> None:
        nonlocal calls
        calls += kind in ("call", "c_call")

    work()  # what is made once for all is not counted
    tracemalloc.start()
    sys.setprofile(count)
    try:
        work()
        return tracemalloc.get_traced_memory()[1], calls
    finally:
        sys.setprofile(None)
        tracemalloc.stop()


def read_body(text: str) -> None:
    """As the body of a journal's record, by whoever closes what a dead process left."""
    body = b'{"type":"test/start","timestamp":1,"payload":{"testId":"t","x":' + text.encode() + b"}}"
    digest = JournalDigest()
    digest.observe(1, body)
    digest.facts(source="s.main", worker="main", alive=False)
    gap_body(body)
    with suppress(payloads.MalformedError):
        payloads.repaired(payloads.TestEnd, b'{"testId":' + text.encode() + b"}")


@pytest.mark.hazard(27)
@pytest.mark.parametrize("shape", SHAPES)
def test_hostile_text_costs_no_more_than_its_size(new_talk: NewTalk, shape: str) -> None:
    event = '{"type":"test/end","timestamp":1,"payload":%s}'
    readers: dict[str, Callable[[str], object]] = {
        "batch": lambda text: new_talk().session.receive(
            '{"type":"events","source":"s","firstSeq":1,"events":[' + event % text + "]}", NOW, 0
        ),
        "event": lambda text: new_talk().session.receive('{"type":"event","payload":' + event % text + "}", NOW, 0),
        "id": lambda text: new_talk().session.receive('{"type":"ping","id":' + text + "}", NOW, 0),
        "body": read_body,
    }
    for name, read in readers.items():
        small, large = SHAPES[shape](SMALL), SHAPES[shape](LARGE)
        few, calls = cost(partial(read, small))
        many, more_calls = cost(partial(read, large))
        growth = len(large) / len(small)
        assert many <= _PER_CHARACTER * len(large) + 2**18, f"{name}: {many} bytes for {len(large)}"
        assert many <= growth * few * 1.5 + 2**17, f"{name}: {few} bytes became {many}"
        assert more_calls <= growth * calls * 1.25 + 200, f"{name}: {calls} calls became {more_calls}"
