"""Who says that he is the recorder of a folder, and is not, is sent neither events nor tokens."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.recorder.cli_recorder.daemons import Daemon, run
from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import IngestServer
from tests.shipper.test_shipping import ended_session, finish, publish

pytestmark = pytest.mark.hazard(32)


def test_a_recorder_elsewhere_that_a_folder_names_gets_nothing(
    project: Path, directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    """A file says who serves the folder. Nobody holds its lock, so nobody does, whoever answers there."""
    journal = ended_session(directory)
    publish(directory, server)  # its process lives
    (directory / "recorder.json").chmod(0o600)
    finish(start_shipper(sync=True, timeout=60))
    assert (server.handshakes, server.events) == ([], {})
    assert not journal.folder.exists(), "a recorder of its own was started"


def test_whoever_has_the_port_of_a_killed_recorder_is_sent_no_token(
    project: Path, serve: Callable[..., Daemon]
) -> None:
    daemon = serve().ready()
    found = daemon.discovery
    daemon.end(signal.SIGKILL)
    with socket.create_server(("127.0.0.1", 0)) as thief:
        url = f"http://127.0.0.1:{thief.getsockname()[1]}"
        stolen = found | {"pid": os.getpid(), "url": url}  # a process got its number, and another one its port
        (daemon.folder / "recorder.json").write_text(json.dumps(stolen))
        for command in ("status", "stop"):
            assert run(command, cwd=project).returncode == 3
        thief.setblocking(False)
        with pytest.raises(BlockingIOError):
            thief.accept()
