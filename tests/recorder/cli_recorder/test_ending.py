"""What a recorder that ends does with those who come, and with those who keep it from ending."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, wait_until
from tests.recorder.server.running import batch, records_of_test, run_start

PLUGIN = """
import asyncio
from semantest_recorder.plugins import hookimpl

class Waiting:
    @hookimpl
    def initialize(self, context):
        self.folder = context.directory

    @hookimpl
    async def after_test(self, test):
        (self.folder / "waiting").touch()
        while not (self.folder / "go on").exists():
            await asyncio.sleep(0.01)
"""


def test_whoever_comes_while_plugins_finish_is_refused_and_does_not_wait(
    serve: Callable[..., Daemon], project: Path
) -> None:
    (project / "waiting.py").write_text(PLUGIN)
    (project / "semantest.toml").write_text("[plugins]\nmodules = ['waiting:Waiting']\ntimeout = 3600\n")
    path = os.pathsep.join(filter(None, (str(project), os.environ.get("PYTHONPATH"))))
    daemon = serve(PYTHONPATH=path).ready()
    address = urlsplit(daemon.discovery["url"])
    connection = daemon.connect()
    connection.send(json.dumps(batch(1, [run_start(), *records_of_test(1)])))
    assert json.loads(connection.recv())["type"] == "ack"
    wait_until((daemon.folder / "waiting").exists, "the plugin has something to do")
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not (daemon.folder / "recorder.json").exists(), "all is committed")
    assert daemon.process.poll() is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=DEADLINE_S)
    (daemon.folder / "go on").touch()
    assert daemon.end()[0] == 0


def test_a_query_that_is_not_done_does_not_hold_the_end() -> None:
    program = """
import asyncio, sys, threading
from pathlib import Path
from semantest_recorder.archive import Archive

started = threading.Event()

def endless():
    started.set()
    threading.Event().wait()

async def main():
    archive = Archive(Path("none.db"))
    archive._queries = {"endless": endless}
    asking = [asyncio.create_task(archive.find("endless", {})) for _ in range(5)]
    await asyncio.to_thread(started.wait)
    archive.close()
    for task in asking:
        task.cancel()
    print(await asyncio.gather(*asking, return_exceptions=True))
    try:
        await archive.find("endless", {})
    except RuntimeError as error:
        print(error)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE_S, check=True
    )
    told, refused = done.stdout.splitlines()
    assert told.count("CancelledError") == 5
    assert refused == "no call is taken any more"
