"""Journals in every kind of disrepair, read by whatever reads journals."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_semantest.protocol.closing import JournalDigest, closing_events
from pytest_semantest.protocol.events import JOURNAL_GAP
from pytest_semantest.protocol.record import Damage, Record, encode, scan
from pytest_semantest.shipper.following import Entry, JournalFollower
from semantest_recorder.cli.journal_file import JournalFile
from tests.choices import Choices
from tests.recorder.store.memory_folder import memory_folder

Truth = dict[int, bytes]
_PAGE = b"\0" * 64
#: What a test may print and have in the body of its event: whole records, heads, terminators as JSON writes them.
_LOUD = (b"x", b"\\n", encode(2, b"{}")[:-1], encode(9, b"[1]")[:-1], b"J1 3 2 ", b"J1 1 999999999 00000000 ")


def check(choose: Choices) -> None:
    """Every reader gives complete records and nothing else, and tells what is missing."""
    bodies = [_body(choose, seq) for seq in range(1, choose.number(1, 6) + 1)]
    truth = dict(enumerate(bodies, 1))
    data = b"".join(encode(seq, body) for seq, body in truth.items())
    for _ in range(choose.number(1, 4)):
        data = damaged(choose, data)
    found = check_scan(data, truth)
    cut = choose.number(0, len(data))
    with memory_folder() as folder:
        check_readers(folder / "main.journal", data, cut, truth)
    digest = JournalDigest()
    for record in found:
        digest.observe(record.seq, record.body)
    facts = digest.facts(source="s.main", worker="main", alive=False, status=choose.take(16))
    json.dumps(closing_events([facts], 1.0), allow_nan=False)


def damaged(choose: Choices, data: bytes) -> bytes:
    """The bytes with one accident: a bit, a hole of zeros, a piece that is gone, twice, elsewhere, or other bytes."""
    start = choose.number(0, len(data))
    end = min(len(data), start + choose.of((1, 3, 20, 200)))
    lines = data.splitlines(keepends=True)
    match choose.number(0, 7):
        case 0 if data:
            at = min(start, len(data) - 1)
            return data[:at] + bytes([data[at] ^ (1 << choose.number(0, 7))]) + data[at + 1 :]
        case 1:
            return data[:start]
        case 2:
            return data[:start] + _PAGE[: end - start] + data[end:]
        case 3:
            return data[:start] + data[end:]
        case 4:
            return data[:end] + data[start:]
        case 5:
            return b"".join(choose.some(lines, len(lines)))
        case 6:
            return data + choose.of(lines) if lines else data
        case _:
            return data[:start] + choose.take(choose.number(1, 8)) + data[start:]


def check_scan(data: bytes, truth: Truth) -> list[Record]:
    """Complete records come through, nothing else does, and every byte belongs to a record or is told as damage."""
    items = list(scan(data, final=True))
    found = [item for item in items if isinstance(item, Record)]
    for record in found:
        assert truth.get(record.seq) == record.body, f"an event that nobody wrote: {record}"
    whole = {encode(seq, body)[:-1]: seq for seq, body in truth.items()}
    complete = [whole[line] for line in data.split(b"\n") if line in whole]
    seqs = iter([record.seq for record in found])
    assert all(seq in seqs for seq in complete), "a complete record did not come through"
    at = 0
    for item in items:
        start = item.start if isinstance(item, Damage) else data.rindex(b"J", at, item.end - len(item.body))
        assert not data[at:start].strip(b"\n"), "bytes that are neither a record nor damage"
        assert start < item.end <= len(data)
        at = item.end
    assert not data[at:].strip(b"\n")
    return found


def check_readers(path: Path, data: bytes, cut: int, truth: Truth) -> None:
    """The shipper and ``semantest recover`` tell the same, however much of the file was there when they began."""
    path.write_bytes(data)
    entries = followed(path, final=True)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1)), "a hole that nobody is told of"
    for entry in entries:
        if entry.gap:
            assert json.loads(entry.body)["type"] == JOURNAL_GAP
        else:
            assert entry.body == truth[entry.seq]
    file = JournalFile(path)
    read = [*file.entries(), *file.torn_end()]
    told = [(entry.seq, b"" if entry.gap else entry.body) for entry in entries]
    assert told == [(one.seq, one.body) for one in read], "two readers differ"
    for one in read:
        assert file.body(one.seq) == (None if one.missing else one.body)
    path.write_bytes(data[:cut])
    follower = JournalFollower(path)
    early = _all_of(follower, final=False)
    path.write_bytes(data)
    grown = [*early, *_all_of(follower, final=True)]
    follower.close()
    assert grown == entries, "what is sent depends on when it was read"


def followed(path: Path, *, final: bool) -> list[Entry]:
    """What the shipper sends of the journal."""
    follower = JournalFollower(path)
    try:
        return _all_of(follower, final=final)
    finally:
        follower.close()


def _all_of(follower: JournalFollower, *, final: bool) -> list[Entry]:
    entries = list(follower.read(final=final))
    while not follower.drained:
        entries += follower.read(final=final)
    return entries


def _body(choose: Choices, seq: int) -> bytes:
    kind = choose.of((b"test/log", b"test/start", b"test/end", b"run/start", b"worker/end"))
    text = b"".join(choose.of(_LOUD) for _ in range(choose.number(0, 6)))
    return b'{"type":"%b","timestamp":%d,"payload":{"testId":"t","message":"%b"}}' % (kind, seq, text)
