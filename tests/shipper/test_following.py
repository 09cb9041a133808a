from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_semantest.protocol.gaps import GAP_REASON
from pytest_semantest.protocol.record import encode
from pytest_semantest.shipper import following
from pytest_semantest.shipper.following import BEGINNING, Entry, JournalFollower
from tests.shipper.journals import body

BODIES = [body("test/start", float(n), testId=f"test_a.py::test_{n}", text="é\n" * n) for n in range(1, 8)]
JOURNAL = b"".join(encode(seq, data) for seq, data in enumerate(BODIES, 1))


def read_all(follower: JournalFollower, *, final: bool = True) -> list[Entry]:
    entries = list(follower.read(final=final))
    while not follower.drained:
        entries += follower.read(final=final)
    return entries


def entries_of(path: Path, data: bytes) -> list[Entry]:
    path.write_bytes(data)
    follower = JournalFollower(path)
    try:
        return read_all(follower)
    finally:
        follower.close()


@pytest.mark.hazard(15)
def test_a_journal_cut_at_every_byte_gives_its_complete_records_and_one_gap(tmp_path: Path) -> None:
    ends = [len(b"".join(encode(n, data) for n, data in enumerate(BODIES[:count], 1))) for count in range(8)]
    for cut in range(len(JOURNAL)):
        complete = sum(end - 1 <= cut for end in ends[1:])  # the newline is no part of the record
        clean = cut in ends or cut + 1 in ends
        entries = entries_of(tmp_path / "j", JOURNAL[:cut])
        assert [entry.body for entry in entries[:complete]] == BODIES[:complete]
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert len(entries) == complete + (not clean)
        assert all(entry.gap for entry in entries[complete:])


@pytest.mark.hazard(15)
@settings(max_examples=200, deadline=None)
@given(
    flips=st.lists(
        st.tuples(st.integers(0, len(JOURNAL) - 1), st.integers(1, 255)),
        min_size=1,
        max_size=5,
        unique_by=lambda x: x[0],
    )
)
def test_flipped_bits_never_give_a_wrong_record_nor_hide_a_loss(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(JOURNAL)
    for place, mask in flips:
        data[place] ^= mask
    entries = entries_of(tmp_path_factory.mktemp("flips") / "j", bytes(data))
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    for entry in entries:
        if entry.gap:
            assert json.loads(entry.body)["type"] == "journal/gap"
        else:
            assert entry.body == BODIES[entry.seq - 1]


def test_a_journal_that_grows_in_any_pieces_gives_each_record_once(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.touch()
    follower = JournalFollower(path)
    entries = []
    with path.open("ab", buffering=0) as file:
        for start in range(0, len(JOURNAL), 11):
            file.write(JOURNAL[start : start + 11])
            entries += read_all(follower, final=False)
    assert [entry.body for entry in entries] == BODIES
    assert follower.damaged == 0
    follower.close()


def test_a_torn_record_that_the_writer_isolated_is_one_gap_with_the_time_of_the_record_before(tmp_path: Path) -> None:
    data = encode(1, BODIES[0]) + encode(2, BODIES[1])[:20] + b"\n" + encode(3, BODIES[2])
    entries = entries_of(tmp_path / "j", data)
    assert [entry.gap for entry in entries] == [False, True, False]
    gap = json.loads(entries[1].body)
    assert gap["timestamp"] == 1.0
    assert entries_of(tmp_path / "j", data) == entries  # a second shipper sends the very same bytes


@pytest.mark.hazard(15)
@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(JOURNAL) - 1), digit=st.sampled_from(b"0189 aJ\n"), cut=st.integers(1, len(JOURNAL)))
def test_a_damaged_journal_gives_the_same_events_however_much_of_it_was_there(
    tmp_path_factory: pytest.TempPathFactory, place: int, digit: int, cut: int
) -> None:
    data = bytearray(JOURNAL)
    data[place] = digit
    path = tmp_path_factory.mktemp("grown") / "j"
    path.write_bytes(data[:cut])
    follower = JournalFollower(path)
    entries = read_all(follower, final=False)
    with path.open("ab") as file:
        file.write(data[cut:])
    entries += read_all(follower)
    follower.close()
    assert entries == entries_of(path, bytes(data))


def test_a_length_that_is_too_large_gives_the_same_gap_when_the_bytes_for_it_have_come(tmp_path: Path) -> None:
    path, first = tmp_path / "j", encode(1, BODIES[0])
    length = b" %d " % len(BODIES[0])
    damaged = first.replace(length, b" %d " % (len(BODIES[0]) + 300), 1)
    more = b"".join(encode(seq, data) for seq, data in enumerate(BODIES[1:], 2))
    path.write_bytes(damaged + encode(2, BODIES[1]))
    follower = JournalFollower(path)
    early = read_all(follower, final=False)
    follower.close()
    assert early[0].gap
    assert entries_of(path, damaged + more)[:2] == early


def test_seqs_that_are_missing_altogether_are_gaps_each(tmp_path: Path) -> None:
    entries = entries_of(tmp_path / "j", encode(1, BODIES[0]) + encode(5, BODIES[4]))
    assert [(entry.seq, entry.gap) for entry in entries] == [(1, False), (2, True), (3, True), (4, True), (5, False)]


def test_a_seq_that_comes_again_is_told_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(encode(1, BODIES[0]) + encode(1, BODIES[1]) + encode(2, BODIES[2]) + encode(10**15, BODIES[3]))
    follower = JournalFollower(path)
    assert [entry.body for entry in read_all(follower)] == [BODIES[0], BODIES[2]]
    assert follower.damage == ["j: record 1 follows 1; left out", f"j: record {10**15} follows 2; left out"]
    follower.close()


def test_records_larger_than_one_read_come_whole_and_too_large_ones_leave_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MAX_EVENT", 3_000_000)
    large, huge = b'{"a":"%b"}' % (b"x" * 2_000_000), b'{"a":"%b"}' % (b"x" * 3_000_000)
    entries = entries_of(tmp_path / "j", encode(1, large) + encode(2, huge) + encode(3, b"{}"))
    assert [entry.gap for entry in entries] == [False, True, False]
    assert entries[0].body == large
    assert json.loads(entries[1].body)["payload"] == {"reason": GAP_REASON}


def test_reading_can_go_back_and_goes_on_when_the_file_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(JOURNAL)
    follower = JournalFollower(path)
    first = read_all(follower)
    path.unlink()
    follower.seek(BEGINNING)
    assert read_all(follower) == first
    assert follower.size() == len(JOURNAL)
    assert os.path.lexists(path) is False
    follower.close()
