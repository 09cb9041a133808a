"""Deaths: of the process that writes a journal, and of the shipper itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pytest_semantest.protocol.liveness import process_exists
from pytest_semantest.shipper.spawn import spawn_command
from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import TOKEN, IngestServer
from tests.shipper.journals import Journal, session
from tests.shipper.test_shipping import finish, published, wait_until

# What pytest does: capture to a file without a name, a journal, and a test that prints and hangs.
WRITER = """
import os, sys, tempfile
from pathlib import Path
sys.path.append(sys.argv[4])
from tests.shipper.journals import Journal
folder, worker, hang = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "hang"
capture = tempfile.TemporaryFile(buffering=0)
status = os.fstat(capture.fileno())
file = {"fd": capture.fileno(), "device": status.st_dev, "inode": status.st_ino}
journal = Journal(folder, worker, pid=os.getpid())
journal.start(capture={"stdout": file}, pidNamespace=os.readlink("/proc/self/ns/pid"))
journal.test("test_a.py::test_first")
seq = journal.start_test("test_a.py::test_last")
journal.status(seq, "call")
capture.write(b"x" * 50_000 + b"\\nthe password is " + os.environ.get("MY_TOKEN", "").encode() + b"\\nlast words\\n")
print("ready", flush=True)
if hang:
    sys.stdin.read()
journal.write("test/end", testId="test_a.py::test_last", attempt=1, outcome="passed")
journal.end()
"""


@pytest.fixture
def writers() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def start_writer(
    started: list[subprocess.Popen[bytes]], folder: Path, worker: str = "main", *, secret: str = "correct-horse-battery"
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", WRITER, str(folder), worker, "hang", str(Path(__file__).parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "MY_TOKEN": secret},
    )
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.hazard(1)
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSEGV])
def test_the_test_that_a_killed_process_ran_is_named_with_its_last_output(
    directory: Path,
    server: IngestServer,
    start_shipper: StartShipper,
    writers: list[subprocess.Popen[bytes]],
    death: signal.Signals,
) -> None:
    folder = session(directory)
    writer = start_writer(writers, folder)
    shipper = start_shipper(folder.name, url=server.url, environment={"MY_TOKEN": "correct-horse-battery"})
    own = f"{folder.name}.shipper"
    server.wait_for(lambda: "test/phase" in server.types().get(own, []))
    writer.send_signal(death)  # it stays a zombie until the test ends
    assert finish(shipper)[0] == 0
    (phase,) = server.of_type("test/phase")
    assert phase["payload"] == {
        "source": f"{folder.name}.main",
        "worker": "main",
        "testId": "test_a.py::test_last",
        "attempt": 1,
        "phase": "call",
    }
    (crash,) = server.of_type("worker/crash")
    told = crash["payload"]
    assert (told["worker"], told["source"]) == ("main", f"{folder.name}.main")
    assert (told["testId"], told["attempt"], told["phase"]) == ("test_a.py::test_last", 1, "call")
    assert told["elapsed"] > 200
    (output,) = told["lastOutput"]
    assert output["stream"] == "stdout"
    assert output["text"].endswith("the password is [REDACTED]\nlast words\n")
    assert len(output["text"]) <= 8 * 1024
    closing = [event for event in server.events[own] if event["type"] != "run/context"]  # which comes when git is done
    assert [event["type"] for event in closing[-2:]] == ["worker/crash", "run/end"]
    assert closing[-1]["payload"]["interrupted"] is True
    assert not folder.exists()


@pytest.mark.hazard(1)
def test_last_words_are_masked_by_the_patterns_and_the_token_of_pytest(
    directory: Path, server: IngestServer, start_shipper: StartShipper, writers: list[subprocess.Popen[bytes]]
) -> None:
    folder = session(directory)
    writer = start_writer(writers, folder, secret=f"{TOKEN[4:]} {TOKEN} horse-77")
    shipper = start_shipper(folder.name, url=server.url, redact=("ho(rse-", r"horse-\d+"))
    server.wait_for(lambda: "test/phase" in server.types().get(f"{folder.name}.shipper", []))
    log = (folder / "shipper.log").read_text()
    writer.kill()
    assert finish(shipper)[0] == 0
    (output,) = server.of_type("worker/crash")[0]["payload"]["lastOutput"]
    assert output["text"].endswith(f"the password is {TOKEN[4:]} [REDACTED] [REDACTED]\nlast words\n")
    assert "pattern 1 of SEMANTEST_SHIPPER_REDACT is left out" in log


@pytest.mark.hazard(6)
def test_workers_of_a_killed_controller_are_closed_when_they_die_too(
    directory: Path, server: IngestServer, start_shipper: StartShipper, writers: list[subprocess.Popen[bytes]]
) -> None:
    folder = session(directory)
    main, worker = start_writer(writers, folder), start_writer(writers, folder, "gw0")
    shipper = start_shipper(folder.name, url=server.url)
    server.wait_for(lambda: len(server.events.get(f"{folder.name}.gw0", [])) == 4)
    main.kill()
    server.wait_for(lambda: len(server.of_type("worker/crash")) == 1)
    assert server.of_type("run/end") == []
    worker.kill()
    assert finish(shipper)[0] == 0
    assert [event["payload"]["worker"] for event in server.of_type("worker/crash")] == ["main", "gw0"]
    (end,) = server.of_type("run/end")
    assert end["payload"]["stopReason"].endswith("died while test_a.py::test_last and 1 more was running")


def test_a_process_that_ends_by_itself_is_not_told_to_have_crashed(
    directory: Path, server: IngestServer, start_shipper: StartShipper, writers: list[subprocess.Popen[bytes]]
) -> None:
    folder = session(directory)
    writer = start_writer(writers, folder)
    shipper = start_shipper(folder.name, url=server.url)
    assert writer.stdin is not None
    writer.stdin.close()
    assert finish(shipper)[0] == 0
    assert server.of_type("worker/crash") == []
    assert [event["payload"]["exitCode"] for event in server.of_type("run/end")] == [0]


def test_a_shipper_killed_again_and_again_loses_and_doubles_nothing(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory))
    journal.start()
    for number in range(6000):
        journal.test(f"test_a.py::test_{number}")
    journal.start_test("test_a.py::test_killed")
    for kill_after in (1, 3000, 6000, 9000, 12001):
        shipper = start_shipper(journal.folder.name, url=server.url)
        server.wait_for(lambda after=kill_after: len(server.events.get(journal.source, [])) >= after)  # type: ignore[misc]
        shipper.kill()
        shipper.wait()
        if not journal.folder.exists():
            break
    finish(start_shipper(sync=True, url=server.url))
    assert server.events[journal.source] == journal.events()
    assert server.conflicts == []
    assert len(server.of_type("worker/crash")) == 1
    assert [event["payload"].get("exitCode", 0) for event in server.of_type("run/end")] == [None]
    assert list((directory / "sessions").glob("*")) == []


@pytest.mark.hazard(11)
def test_a_detached_shipper_holds_nothing_of_its_caller_and_is_no_child_of_it(
    directory: Path, server: IngestServer, tmp_path: Path
) -> None:
    """As pytest starts it: with an inheritable pipe open, through ``sh``, in a session of its own."""
    journal = Journal(session(directory), pid=os.getpid())
    journal.start()
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    command = [
        "sh",
        "-c",
        '"$0" "$@" </dev/null >/dev/null 2>&1 &',
        *spawn_command(str(directory), journal.folder.name),
    ]
    with published(directory, server):
        sh = os.posix_spawn("/bin/sh", command, dict(os.environ), setsid=True)
        os.waitpid(sh, 0)
        os.close(writing)
        assert os.read(reading, 1) == b""  # the end of file: nobody holds the other end
        os.close(reading)
        server.wait_for(lambda: len(server.events.get(journal.source, [])) == 1)
        pid = json.loads((journal.folder / "ship.json").read_text())["pid"]
        assert pid not in [child.pid for child in psutil.Process().children()]
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not process_exists(pid), "the shipper did not end")


def test_a_foreign_session_is_left_alone_while_its_journal_is_fresh(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory))
    journal.start(host="another-machine")
    journal.start_test("test_a.py::test_far_away")
    assert "still runs" in finish(start_shipper(sync=True, url=server.url))[1]
    hours_ago = time.time() - 2 * 3600
    os.utime(journal.path, (hours_ago, hours_ago))
    assert "shipped" in finish(start_shipper(sync=True, url=server.url))[1]
    (crash,) = server.of_type("worker/crash")
    assert crash["payload"]["testId"] == "test_a.py::test_far_away"
    assert server.events[f"{journal.folder.name}.shipper"][1]["type"] == "worker/crash"  # no context so late
