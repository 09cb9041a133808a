"""The shipper on a disk without room."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recorder.small_disk import fill, small_disk
from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import IngestServer
from tests.shipper.journals import body, session
from tests.shipper.test_shipping import DEADLINE_S, finish

GIVE_UP_S = 0.5
#: As pytest's process does: it begins, then has no room for its end.
ENDS_WITHOUT_ROOM = """
import sys
from pathlib import Path
from pytest_semantest.journal import Journal
from pytest_semantest.phase_slot import open_phase_slot, pack_ending
folder = Path(sys.argv[1])
journal = Journal(str(folder / "main.journal"))
slot = open_phase_slot(str(folder / "main.status"))
print(flush=True)
journal.append(sys.stdin.buffer.readline().strip())
print(flush=True)
sys.stdin.buffer.readline()
journal.append(b'{"type":"run/end","timestamp":1,"payload":{"why":"%b"}}' % (b"more than a page" * 1000))
assert journal.dropped == 1
slot.end(pack_ending(journal.seq + 1, {"exitCode": 0}, journal.dropped))
"""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / ".semantest", "4m") as folder:
        folder.chmod(0o700)
        yield folder


@pytest.mark.hazard(15)
@pytest.mark.hazard(22)
def test_an_end_that_has_no_room_is_written_when_there_is_some(
    server: IngestServer, directory: Path, start_shipper: StartShipper
) -> None:
    folder = session(directory)
    command = [sys.executable, "-c", ENDS_WITHOUT_ROOM, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        names: dict[str, Any] = {"runId": "r", "session": folder.name, "source": f"{folder.name}.main"}
        start = body("run/start", pid=process.pid, host=os.uname().nodename, worker="main", **names)
        process.stdin.write(start + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        shipper = start_shipper(folder.name, url=server.url, give_up=GIVE_UP_S)
        server.wait_for(lambda: bool(server.of_type("run/context")))  # the shipper has met the process
        fill(directory / "filler")
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.wait(DEADLINE_S) == 0
    with pytest.raises(subprocess.TimeoutExpired):
        shipper.wait(GIVE_UP_S * 4)
    (directory / "filler").unlink()
    assert finish(shipper)[0] == 0
    assert server.of_type("worker/crash") == []
    assert [end["payload"] for end in server.of_type("run/end")] == [
        {"runId": "r", "exitCode": 0, "dropped": 1, "stoppedEarly": False}
    ]
