"""The journal's records: whole ones always come through, damage never becomes an event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.encoding import STATUS_SIZE, encode, encode_status
from pytest_semantest.protocol.record import Damage, Record, decode_status, scan

bodies = st.lists(
    st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=3).map(
        lambda value: json.dumps(value).encode()
    ),
    min_size=1,
    max_size=8,
)


def write(items: list[bytes]) -> bytes:
    return b"".join(encode(seq, body) for seq, body in enumerate(items, 1))


def records(data: bytes, *, final: bool = True) -> list[tuple[int, bytes]]:
    return [(item.seq, item.body) for item in scan(data, final=final) if isinstance(item, Record)]


@given(bodies)
def test_what_was_written_is_read(items: list[bytes]) -> None:
    assert records(write(items)) == list(enumerate(items, 1))


@pytest.mark.hazard(15)
@given(bodies, st.data())
def test_a_cut_file_gives_the_records_before_the_cut(items: list[bytes], data: st.DataObject) -> None:
    written = write(items)
    cut = data.draw(st.integers(0, len(written)))
    found = records(written[:cut])
    assert found == list(enumerate(items, 1))[: len(found)]
    # A record is whole with its last body byte; the newline behind it may be missing.
    whole = [end for end in _ends(items) if end - 1 <= cut]
    assert len(found) == len(whole)


@given(bodies, st.data())
def test_reading_in_pieces_is_reading_at_once(items: list[bytes], data: st.DataObject) -> None:
    written = write(items)
    cut = data.draw(st.integers(0, len(written)))
    first = list(scan(written[:cut]))
    assert all(isinstance(item, Record) for item in first)
    done = first[-1].end if first else 0
    rest = list(scan(written[done:], offset=done, final=True))
    assert [(item.seq, item.body) for item in first + rest if isinstance(item, Record)] == list(enumerate(items, 1))


@pytest.mark.hazard(15)
@given(bodies, st.data())
def test_flipped_bits_never_make_a_wrong_event(items: list[bytes], data: st.DataObject) -> None:
    written = bytearray(write(items))
    truth = set(enumerate(items, 1))
    flips = data.draw(st.lists(st.integers(0, len(written) * 8 - 1), min_size=1, max_size=3))
    for flip in flips:
        written[flip // 8] ^= 1 << flip % 8
    found = records(bytes(written))
    assert set(found) <= truth
    touched = {_record_at(items, flip // 8) for flip in flips}
    untouched = {(seq, body) for seq, body in truth if seq not in touched}
    # The neighbour of a flipped newline may only be found by its own head: it still is.
    assert untouched <= set(found)


@pytest.mark.hazard(15)
@given(bodies, st.binary(max_size=60))
def test_a_torn_record_is_isolated_by_a_newline(items: list[bytes], torn: bytes) -> None:
    torn = torn.replace(b"\n", b"")
    data = write(items) + torn + b"\n" + encode(99, b'{"after":1}')
    assert records(data)[-1] == (99, b'{"after":1}')
    assert records(data)[:-1] == list(enumerate(items, 1))


def test_damage_says_where_and_why() -> None:
    good, bad = encode(1, b"{}"), encode(2, b'{"a":1}').replace(b"a", b"b")
    found = list(scan(good + bad + encode(3, b"{}"), offset=100))
    assert isinstance(found[1], Damage)
    assert (found[1].start, found[1].end) == (100 + len(good), 100 + len(good) + len(bad))
    assert found[1].reason == "checksum does not fit"


def test_a_newer_version_is_reported_and_not_read() -> None:
    (found,) = scan(encode(1, b"{}").replace(b"J1", b"J2"), final=True)
    assert isinstance(found, Damage)
    assert "version 2 is newer than 1" in found.reason


def test_hostile_heads_cost_bounded_time() -> None:
    line = b"J1 1 900000 00000000 " * 45_000 + b"\n"
    found = list(scan(line, final=True))
    assert all(isinstance(item, Damage) for item in found)
    assert len(found) == 1


@pytest.mark.hazard(15)
@pytest.mark.parametrize("place", [20, 80, -12], ids=["crc", "body", "end"])
def test_what_looks_like_a_record_in_the_output_of_a_test_never_becomes_one(place: int) -> None:
    """Whatever a test prints stands in a body; when that is damaged, records are looked for inside it."""
    forged = encode(3, b"{}")[:-1]
    loud = b'{"type":"test/log","payload":{"message":"' + forged * 3 + b'"}}'
    data = bytearray(write([b'{"a":1}', loud, b'{"b":2}', b'{"c":3}']))
    data[len(encode(1, b'{"a":1}')) + (place if place > 0 else len(encode(2, loud)) + place)] ^= 1
    assert records(bytes(data)) == [(1, b'{"a":1}'), (3, b'{"b":2}'), (4, b'{"c":3}')]


def test_a_record_glued_to_a_torn_one_is_found_behind_any_number_of_forged_heads() -> None:
    torn = encode(1, b'{"message":"' + b"J1 7 2 00000000 {}" * 100 + b'"}')[:-9]
    assert records(torn + encode(2, b'{"b":2}')) == [(2, b'{"b":2}')]


@given(st.integers(1, 10**12), st.sampled_from(["setup", "call", "teardown"]))
def test_status_slot(seq: int, phase: str) -> None:
    slot = encode_status(seq, phase)
    assert len(slot) == STATUS_SIZE
    assert decode_status(slot) == (seq, phase)


@pytest.mark.parametrize("data", [b"", b" " * STATUS_SIZE, b"12", b"\0" * STATUS_SIZE, encode_status(1, "call")[:-1]])
def test_status_slot_of_nothing(data: bytes) -> None:
    assert decode_status(data) is None


def _ends(items: list[bytes]) -> list[int]:
    ends, position = [], 0
    for seq, body in enumerate(items, 1):
        position += len(encode(seq, body))
        ends.append(position)
    return ends


def _record_at(items: list[bytes], offset: int) -> int:
    return next(seq for seq, end in enumerate(_ends(items), 1) if offset < end)
