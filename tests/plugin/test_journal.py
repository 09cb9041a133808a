"""The journal against what tests and disks do to a process."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_semantest.journal import Clock, Journal
from pytest_semantest.phase_slot import FileSlot, MemorySlot, open_phase_slot
from pytest_semantest.protocol.encoding import CALL, SETUP, TEARDOWN
from pytest_semantest.protocol.record import STATUS_SIZE, Damage, Record, decode_status, scan


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "main.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(str(path))
    yield journal
    journal.close()


def bodies(path: Path) -> list[tuple[int, bytes]]:
    return [(item.seq, item.body) for item in scan(path.read_bytes(), final=True) if isinstance(item, Record)]


def descriptor_of(journal: Journal) -> int:
    return journal._fd


def test_records_are_there_when_append_returns(journal: Journal, path: Path) -> None:
    assert [journal.append(b'{"a":1}'), journal.append(b'{"b":2}')] == [1, 2]
    assert bodies(path) == [(1, b'{"a":1}'), (2, b'{"b":2}')]
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_never_appended_to(journal: Journal, path: Path) -> None:
    with pytest.raises(FileExistsError):
        Journal(str(path))


@pytest.mark.hazard(9)
def test_a_descriptor_that_a_test_took_over_is_never_written_to(journal: Journal, path: Path, tmp_path: Path) -> None:
    journal.append(b'{"before":1}')
    number = descriptor_of(journal)
    assert number > 256
    os.close(number)
    theirs = os.open(tmp_path / "user.txt", os.O_RDWR | os.O_CREAT)
    os.dup2(theirs, number)
    os.write(number, b"the user's data\n")
    assert journal.append(b'{"after":1}') == 2
    os.close(number)
    os.close(theirs)
    assert (tmp_path / "user.txt").read_bytes() == b"the user's data\n"
    assert bodies(path) == [(1, b'{"before":1}'), (2, b'{"after":1}')]
    assert journal.problem is None


@pytest.mark.hazard(9)
def test_a_closed_descriptor_is_opened_again(journal: Journal, path: Path) -> None:
    journal.append(b"{}")
    os.close(descriptor_of(journal))
    journal.append(b'{"after":1}')
    assert [seq for seq, _ in bodies(path)] == [1, 2]
    assert journal.dropped == 0


@pytest.mark.hazard(9)
def test_a_descriptor_closed_right_after_a_record(journal: Journal, path: Path) -> None:
    journal.append(b"{}")
    os.close(descriptor_of(journal))
    assert journal.append_next(b'{"after":1}') == 2
    assert [seq for seq, _ in bodies(path)] == [1, 2]
    assert journal.dropped == 0


@pytest.mark.hazard(8)
@pytest.mark.parametrize("fork", [os.fork, ctypes.CDLL(None).fork], ids=["os.fork", "by C code"])
def test_a_forked_child_writes_no_end(journal: Journal, path: Path, fork: Callable[[], int]) -> None:
    """What a test forked comes to the end of its test first."""
    journal.append(b"{}")
    child = fork()
    if child == 0:
        os._exit(journal.append(b'{"child":1}') or journal.append_next(b'{"child":2}'))
    assert os.waitpid(child, 0)[1] == 0
    assert [seq for seq, _ in bodies(path)] == [1]


@pytest.mark.hazard(8)
def test_a_forked_child_writes_nothing(journal: Journal, path: Path) -> None:
    journal.append(b"{}")
    child = os.fork()
    if child == 0:
        wrote = journal.append(b'{"child":1}') or journal.append_next(b'{"child":2}')
        journal.close()
        os._exit(0 if wrote == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert journal.append(b'{"parent":1}') == 2
    assert bodies(path) == [(1, b"{}"), (2, b'{"parent":1}')]


@pytest.mark.hazard(15)
def test_a_deleted_folder_is_one_problem(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    journal = Journal(str(folder / "main.journal"))
    shutil.rmtree(folder)
    assert journal.append(b"{}") == 1  # the open file still takes it, and a shipper that holds it reads it
    os.close(descriptor_of(journal))
    journal.append(b"{}")
    journal.append(b"{}")
    assert journal.dropped == 2
    assert journal.problem is not None
    assert "main.journal" in journal.problem
    journal.close()


@pytest.mark.hazard(15)
def test_another_file_in_its_place_is_left_alone(journal: Journal, path: Path) -> None:
    journal.append(b"{}")
    path.unlink()
    path.write_bytes(b"somebody else's")
    os.close(descriptor_of(journal))
    journal.append(b"{}")
    assert path.read_bytes() == b"somebody else's"
    assert journal.dropped == 1


@pytest.mark.hazard(15)
def test_a_short_write_is_isolated_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "main.journal"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            journal = Journal(str(path))
            journal.append(b'{"fits":1}')
            size = path.stat().st_size
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
            journal.append(b'{"torn":1}')
            dropped, problem = journal.dropped, journal.problem
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            journal.append(b'{"fits":2}')
            code = 0 if dropped == 1 and problem and journal.dropped == 1 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    items = list(scan(path.read_bytes(), final=True))
    assert bodies(path) == [(1, b'{"fits":1}'), (3, b'{"fits":2}')]
    assert [type(item) for item in items] == [Record, Damage, Record]


@pytest.mark.hazard(15)
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        journal = Journal(str(small / "main.journal"))
        body = json.dumps({"text": "x" * 5000}).encode()
        for _ in range(20):
            journal.append(body)
        assert journal.dropped > 0
        assert journal.problem is not None
        assert "disk is full" in journal.problem or "No space left" in journal.problem
        with (small / "main.journal").open("rb") as file:
            kept = [item for item in scan(file.read(), final=True) if isinstance(item, Record)]
        assert [item.seq for item in kept] == list(range(1, len(kept) + 1))
        assert len(kept) + journal.dropped == 20
        journal.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.hazard(11)
def test_nothing_is_inherited_by_programs_that_tests_start(journal: Journal) -> None:
    assert not os.get_inheritable(descriptor_of(journal))


def test_the_clock_only_moves_forward() -> None:
    clock = Clock(1000.0)
    first, second = clock.now(), clock.now()
    assert second >= first >= 1000.0


def test_the_journal_tells_when_it_was_made(journal: Journal) -> None:
    assert journal.created_ms / 1000 == pytest.approx(time.time(), abs=3600)


@pytest.mark.parametrize("kind", [MemorySlot, FileSlot])
def test_phase_slots(kind: type[MemorySlot | FileSlot], tmp_path: Path) -> None:
    path = tmp_path / "main.status"
    slot = kind(str(path))
    slot.put(12, CALL)
    assert decode_status(path.read_bytes()[:STATUS_SIZE]) == (12, "call")
    slot.put(13, TEARDOWN)
    slot.put(14, SETUP)
    assert decode_status(path.read_bytes()[:STATUS_SIZE]) == (14, "setup")
    slot.close()
    slot.put(15, CALL)
    assert decode_status(path.read_bytes()[:STATUS_SIZE]) == (14, "setup")


@pytest.mark.parametrize("kind", [MemorySlot, FileSlot])
def test_a_forked_child_leaves_the_slot_alone(kind: type[MemorySlot | FileSlot], tmp_path: Path) -> None:
    path = tmp_path / "main.status"
    slot = kind(str(path))
    slot.put(1, CALL)
    child = os.fork()
    if child == 0:
        slot.put(9, TEARDOWN)
        os._exit(0)
    os.waitpid(child, 0)
    assert decode_status(path.read_bytes()[:STATUS_SIZE]) == (1, "call")


def test_a_slot_of_memory_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "main.status"
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        open_phase_slot(str(path)).put(7, CALL)
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    with path.open("rb", buffering=0) as held:
        os.write(go[1], b"x")
        os.waitpid(child, 0)
        assert decode_status(held.read(STATUS_SIZE)) == (7, "call")
    for fd in (*ready, *go):
        os.close(fd)


def test_a_slot_that_a_test_closed_is_given_up(tmp_path: Path) -> None:
    slot = FileSlot(str(tmp_path / "main.status"))
    os.close(slot._fd)
    slot.put(1, CALL)
    slot.put(2, CALL)
    assert decode_status((tmp_path / "main.status").read_bytes()) == (0, "setup")
