"""Artifacts of a session are with the recorder before the session counts as shipped."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import TOKEN, IngestServer
from tests.shipper.journals import Journal, session
from tests.shipper.test_shipping import ended_session, finish

LIMIT_S = 2.0


def put(folder: Path, data: bytes) -> str:
    (folder / "artifacts").mkdir(exist_ok=True)
    name = hashlib.sha256(data).hexdigest()
    (folder / "artifacts" / name).write_bytes(data)
    return name


def test_they_are_sent_and_the_folder_goes(directory: Path, server: IngestServer, start_shipper: StartShipper) -> None:
    folder = ended_session(directory).folder
    data = {put(folder, bytes([n]) * (n * 300_000 + 1)): bytes([n]) * (n * 300_000 + 1) for n in range(5)}
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert code == 0, said
    assert server.artifacts == data
    assert sorted(server.puts) == sorted(data)
    assert list((directory / "sessions").iterdir()) == []


def test_a_recorder_without_room_gets_them_when_it_has(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    folder = ended_session(directory).folder
    name = put(folder, b"picture")
    server.behaviour.put_statuses = [507, 503, 500, 408]
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert server.artifacts == {name: b"picture"}
    assert len(server.puts) == 5


def test_one_that_is_never_taken_keeps_the_session(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended_session(directory)
    name = put(journal.folder, b"picture")
    server.behaviour.put_statuses = [507] * 1000
    code, said = finish(start_shipper(sync=True, url=server.url, timeout=LIMIT_S))
    assert code in (3, 6), said
    assert server.events[journal.source] == journal.events()
    assert (journal.folder / "artifacts" / name).read_bytes() == b"picture"
    server.behaviour.put_statuses = []
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert server.artifacts == {name: b"picture"}


def test_a_server_that_does_not_know_them_gets_the_events(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    server.behaviour.artifacts = False
    server.restart()
    journal = ended_session(directory)
    name = put(journal.folder, b"picture")
    code, said = finish(start_shipper(sync=True, url=server.url))
    untaken = directory / "untaken" / journal.folder.name
    assert code == 0
    assert f"the server takes no attachments; 1 attachment is kept in {untaken}" in said
    assert server.events[journal.source] == journal.events()
    assert (untaken / name).read_bytes() == b"picture"
    assert list((directory / "sessions").iterdir()) == []


@pytest.mark.parametrize("size", [1, 10_000_000])
def test_a_server_of_web_sockets_alone_gets_the_events(
    directory: Path, server: IngestServer, start_shipper: StartShipper, size: int
) -> None:
    """It leaves every PUT unanswered: that is no reason to send it again for ever."""
    server.behaviour.artifacts = False
    server.behaviour.get_alone = True
    server.restart()
    journal = ended_session(directory)
    name = put(journal.folder, b"x" * size)
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert (code, "the server takes no attachments" in said) == (0, True)
    assert server.events[journal.source] == journal.events()
    assert (directory / "untaken" / journal.folder.name / name).stat().st_size == size


def test_a_recorder_that_breaks_down_for_a_moment_is_not_taken_for_one(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    server.behaviour.dropped_puts = 3
    name = put(ended_session(directory).folder, b"picture")
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert server.artifacts == {name: b"picture"}
    assert not (directory / "untaken").exists()


def test_a_damaged_file_is_set_aside(directory: Path, server: IngestServer, start_shipper: StartShipper) -> None:
    folder = ended_session(directory).folder
    name = put(folder, b"picture")
    server.behaviour.put_statuses = [422]
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert [path.name for path in (directory / "damaged").iterdir()] == [f"{folder.name}.{name}"]
    assert list((directory / "sessions").iterdir()) == []


def test_a_cut_connection_and_a_recorder_elsewhere(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory))
    journal.start()
    names = {put(journal.folder, bytes([n])) for n in range(20)}
    journal.test("test_a.py::test_0")
    journal.end()
    server.behaviour.put_statuses = [500, 201, 500]
    server.behaviour.drop_after = 0
    process = start_shipper(sync=True, url=server.url)
    server.wait_for(lambda: len(server.puts) > 3)
    server.cut()
    assert finish(process)[0] == 0
    assert len(names - set(server.artifacts)) <= 1  # the one that a 201 without storing answered


def test_other_files_there_are_kept(directory: Path, server: IngestServer, start_shipper: StartShipper) -> None:
    folder = ended_session(directory).folder
    put(folder, b"picture")
    (folder / "artifacts" / "notes.txt").write_text("mine")
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert (folder / "artifacts" / "notes.txt").read_text() == "mine"
    assert len(server.artifacts) == 1


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR], ids=["pipe", "socket", "folder"])
def test_what_is_no_file_is_never_sent(
    directory: Path, server: IngestServer, start_shipper: StartShipper, kind: int
) -> None:
    folder = ended_session(directory).folder
    path = folder / "artifacts" / put(folder, b"picture")
    path.unlink()
    if kind == stat.S_IFDIR:
        path.mkdir()
    else:
        os.mknod(path, kind | 0o600)
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert server.puts == []
    assert [path.name for path in (directory / "damaged").iterdir()] == [f"{folder.name}.{path.name}"]


#: Sends what lies in a folder, at first without a descriptor to list it, or to open what is in it.
_WITHOUT_DESCRIPTORS = """
import resource, sys, threading, time
from pathlib import Path
from pytest_semantest.shipper.artifacts import Artifacts
from pytest_semantest.shipper.rendezvous import Endpoint

def send(now):
    artifacts.step(now, Endpoint(sys.argv[2], sys.argv[3]))
    for thread in threading.enumerate():
        if thread.name == "artifacts":
            thread.join()
    artifacts.step(now, None)

artifacts = Artifacts(Path(sys.argv[1]), print)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
artifacts.look()
assert artifacts.failure == "the attachments cannot be listed: Too many open files", artifacts.failure
assert not artifacts.is_shipped
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
artifacts.look()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
send(time.monotonic())
assert (artifacts.failure, artifacts.refused) == ("it is not sent: Too many open files", []), artifacts.failure
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
send(time.monotonic() + 3600)
assert artifacts.is_shipped
"""


def test_one_that_cannot_be_listed_or_opened_now_is_sent_later(directory: Path, server: IngestServer) -> None:
    folder = ended_session(directory).folder
    name = put(folder, b"picture")
    command = [sys.executable, "-c", _WITHOUT_DESCRIPTORS, str(folder), server.url, TOKEN]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert server.artifacts == {name: b"picture"}
