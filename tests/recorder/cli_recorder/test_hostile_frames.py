"""Frames that are made to fill the memory of a recorder: refused or stored, and it stays as small as it was."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import websocket

from tests.recorder.cli_recorder.daemons import Daemon, ask, end_of
from tests.recorder.server.running import batch, records_of_test, run_start

pytestmark = [
    pytest.mark.hazard(27),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of another process"),
]

MIB = 1024 * 1024
#: What a frame may have.
FRAME_MIB = 16


def peak_mib(pid: int) -> float:
    """The most memory that the process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


@contextmanager
def client_of(daemon: Daemon) -> Iterator[websocket.WebSocket]:
    client = daemon.connect()
    try:
        yield client
    finally:
        client.close(timeout=0)


def of_payload(source: str, payload: str) -> str:
    """A batch of two whose second event has this payload."""
    start = json.dumps(run_start(session=source))
    events = f'[{start},{{"type":"custom/x","timestamp":1,"payload":{payload}}}]'
    return f'{{"type":"events","source":"{source}.main","firstSeq":1,"events":{events}}}'


def test_one_that_never_ends_costs_no_more_than_one_that_may_be(serve: Callable[..., Daemon]) -> None:
    daemon = serve().ready()
    before = peak_mib(daemon.process.pid)
    with client_of(daemon) as client:  # a length that is never sent
        assert client.sock is not None
        client.sock.sendall(struct.pack("!BBQ", 0x81, 0x80 | 127, 1 << 40) + b"mask")
        assert end_of(client)[0] == 1009
    with client_of(daemon) as client:  # pieces without a last one
        with suppress(ConnectionError):
            for opcode in [websocket.ABNF.OPCODE_TEXT] + [websocket.ABNF.OPCODE_CONT] * 17:
                client.send_frame(websocket.ABNF.create_frame("x" * MIB, opcode, fin=0))
        assert end_of(client)[0] == 1009
    with client_of(daemon) as client:
        assert ask(client, batch(1, [run_start(), *records_of_test(1)]))["seq"] == 3
    assert peak_mib(daemon.process.pid) - before < 4 * FRAME_MIB
    assert daemon.end()[0] == 0


@pytest.mark.slow
def test_the_worst_ones_that_may_be_cost_no_more_the_next_time(serve: Callable[..., Daemon]) -> None:
    deep, keys = "[" * (7 * MIB) + "]" * (7 * MIB), json.dumps(dict.fromkeys(map(hex, range(1_000_000)), 0))
    daemon = serve().ready()
    before = peak_mib(daemon.process.pid)
    for number in range(12):
        with client_of(daemon) as client:
            assert ask(client, of_payload(f"deep{number}", deep))["code"] == "INVALID_MESSAGE"
            assert ask(client, f'{{"type":"event","payload":{deep}}}')["type"] == "error"
            assert ask(client, of_payload(f"nan{number}", "NaN"))["code"] == "INVALID_MESSAGE"
            assert ask(client, of_payload(f"keys{number}", keys))["seq"] == 2
    assert peak_mib(daemon.process.pid) - before < 40 * FRAME_MIB, "a million names are larger as objects than as text"
    assert daemon.end()[0] == 0
