"""Frames that are no messages, and those that are in unusual clothes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core import messages
from semantest_recorder.core.numbers import spell_numbers


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "null",
        "[]",
        '"events"',
        "{}",
        '{"type":5}',
        '{"type":"events"}',
        '{"type":"events","source":1,"firstSeq":1,"events":[]}',
        '{"type":"events","source":"s","firstSeq":true,"events":[]}',
        '{"type":"events","source":"s","firstSeq":1.5,"events":[]}',
        '{"type":"events","source":"s","firstSeq":1,"events":[{"type":"x","timestamp":1}]}',
        '{"type":"events","source":"s","firstSeq":1,"events":[{"type":"x","timestamp":NaN,"payload":{}}]}',
        '{"type":"events","source":"s","firstSeq":1,"events":[{"type":"x","timestamp":1,"payload":{"a":NaN}}]}',
        '{"type":"events","source":"s","firstSeq":1,"events":[{"type":"x","timestamp":1,"payload":{"a":Infinity}}]}',
        '{"type":"events","source":"s","firstSeq":1,"events":[{"type":"x","timestamp":1e999,"payload":{}}]}',
        '{"type":"subscribe","payload":{"eventTypes":"*"}}',
        '{"type":"subscribe"}',
        '{"type":"ping"} x',
        '{"type":"ping","payload":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"type":"ping","payload":' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"type":"ping","payload":"\ud800"}',
    ],
)
def test_a_frame_that_is_no_message_is_refused_with_one_line(frame: str) -> None:
    with pytest.raises(messages.InvalidMessage) as caught:
        messages.decode(frame)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_refused_batch_names_its_source_so_that_its_shipper_knows() -> None:
    with pytest.raises(messages.InvalidMessage) as caught:
        messages.decode('{"type":"events","source":"s.gw0","firstSeq":"one","events":[]}')
    assert caught.value.source == "s.gw0"


def test_an_unknown_type_is_told_from_a_broken_message() -> None:
    with pytest.raises(messages.UnknownType, match="teleport"):
        messages.decode('{"type":"teleport","payload":{}}')


@pytest.mark.parametrize("type_first", [True, False])
def test_the_order_of_fields_does_not_matter(type_first: bool) -> None:
    rest = '"source":"s","firstSeq":7,"events":[{"payload":{"a":1},"timestamp":2,"type":"x"}]'
    frame = '{"type":"events",' + rest + "}" if type_first else "{" + rest + ',"type":"events"}'
    message = messages.decode(frame)
    assert isinstance(message, messages.EventsMessage)
    assert (message.source, message.first_seq) == ("s", 7)
    assert [(e.type, e.timestamp, bytes(e.payload)) for e in message.events] == [("x", 2.0, b'{"a":1}')]


def test_half_a_surrogate_pair_does_not_lose_a_batch() -> None:
    payload = '{"stack":"\\udcff, \\ud83d\\ude00, C:\\\\ud800, \\\\\\ud800"}'
    frame = (
        '{"type":"events","source":"s","firstSeq":1,"events":[{"type":"x","timestamp":1,"payload":' + payload + "}]}"
    )
    message = messages.decode(frame)
    assert isinstance(message, messages.EventsMessage)
    assert json.loads(bytes(message.events[0].payload)) == {"stack": "\ufffd, \U0001f600, C:\\ud800, \\\ufffd"}


@given(st.text(st.characters(), max_size=60))
def test_every_text_that_python_can_write_as_json_comes_through_with_lone_surrogates_mended(text: str) -> None:
    frame = json.dumps(
        {"type": "events", "source": "s", "firstSeq": 1, "events": [{"type": "x", "timestamp": 1, "payload": text}]}
    )
    message = messages.decode(frame)
    assert isinstance(message, messages.EventsMessage)
    # JSON itself joins two escapes that are halves of one pair.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    expected = "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in whole)
    assert json.loads(bytes(message.events[0].payload)) == expected


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_no_json_value_makes_decoding_raise_anything_else(value: Any) -> None:
    for frame in (json.dumps(value), json.dumps({"type": "events", "events": value}), json.dumps({"type": value})):
        with pytest.raises((messages.InvalidMessage, messages.UnknownType)):
            messages.decode(frame)


@given(st.text(max_size=200))
def test_no_text_makes_decoding_raise_anything_else(frame: str) -> None:
    with suppress(messages.InvalidMessage, messages.UnknownType):
        messages.decode(frame)


_BEYOND = ["1e999", "-1E+400", "9" * 5000, "-" + "9" * 310, "9" * 300 + "e99", "1.5e0000000309"]
_WITHIN = ["1234e-3", "1e308", "-0.5E-999", "9" * 300, "123", "1.7976931348623157e308"]


@pytest.mark.parametrize("number", _BEYOND, ids=lambda number: number[:12])
def test_a_number_that_no_double_can_hold_is_passed_on_as_a_text(number: str) -> None:
    payload = f'{{"a":[{number}],"e1000":"{number} \\"{number}","d":1234e-3}}'
    event = f'{{"type":"custom/x","timestamp":1,"payload":{payload}}}'
    message = messages.decode(f'{{"type":"events","source":"s.main","firstSeq":1,"events":[{event},{event}]}}')
    assert isinstance(message, messages.EventsMessage)
    spelled = payload.replace(f"[{number}]", f'["{number}"]')
    assert [bytes(event.payload).decode() for event in message.events] == [spelled] * 2
    assert json.loads(spelled)["a"] == [number]


@pytest.mark.parametrize("number", _WITHIN, ids=lambda number: number[:12])
def test_every_other_number_stays_as_it_was_written(number: str) -> None:
    text = f'{{"a":[{number}],"e1000":"1e999"}}'
    assert spell_numbers(text) == text


@pytest.mark.hazard(35)
@pytest.mark.parametrize(
    "text",
    ['1e999"' + '\\"' * 1_000_000, '1e999"' * 200_000, "1e999" + "e1" * 500_000, "1e999," + "1.1" * 500_000],
    ids=["escaped quotes", "texts", "exponents", "points"],
)
def test_a_frame_without_sense_is_searched_in_linear_time(text: str) -> None:
    """Quadratic search would not end within the test's lifetime."""
    with pytest.raises(messages.InvalidMessage):
        messages.decode(text)


def test_a_text_without_an_end_holds_no_number() -> None:
    assert spell_numbers('[1e999,"1e999 \\"1e999') == '["1e999","1e999 \\"1e999'
    assert spell_numbers('[1e999,"1e999\\') == '["1e999","1e999\\'
