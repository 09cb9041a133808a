"""From the end of a test to a subscriber: what a person waits who watches a run.

A real ``semantest-recorder serve`` process, a real database, a real WebSocket subscriber, each in a process of its
own. One source sends the start and the end of a test as a batch of two, waits a moment, and sends the next; the time
runs from just before the frame is written to just after the subscriber has read the test's end (the monotonic clock
is the same for all processes of a machine).
``ack`` is the time to the acknowledgement, which follows the commit (``synchronous=FULL``). With ``--load`` another
process ships that many events per second, in batches of 50, on the same recorder, and the subscriber sees all of them.

    python benchmarks/latency.py [--tests 2000] [--pause 0.002] [--load 5000] [--subscribers 1] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import websocket

NOW = 1_763_683_200_000.0
BATCH = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--pause", type=float, default=0.002, help="seconds between two tests")
    parser.add_argument("--load", type=int, default=0, help="events per second that another source ships meanwhile")
    parser.add_argument("--subscribers", type=int, default=1, help="how many watch; the first one is measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder) / ".semantest", options)
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"{result['tests']} tests, {result['subscribers']} subscribers, load {result['loadEventsPerSecond']:,} events/s"
    )
    for name in ("subscriberMs", "ackMs"):
        row = result[name]
        print(f"  {name:14} p50 {row['p50']:8.3f}  p90 {row['p90']:8.3f}  p99 {row['p99']:8.3f}  max {row['max']:8.3f}")


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    daemon = subprocess.Popen(
        [sys.executable, "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert daemon.stdout is not None
        assert daemon.stdout.readline(), "the recorder did not start"
        found = json.loads((folder / "recorder.json").read_text())
        watchers = [Watcher(found, options.tests) for _ in range(options.subscribers)]
        load = Load(found, options.load) if options.load else None
        acks = run_tests(connect(found), options.tests, options.pause)
        shipped = load.stop() if load else 0
        arrivals, *_others = [watcher.arrivals() for watcher in watchers]
    finally:
        daemon.terminate()
        daemon.wait()
    return {
        "tests": options.tests,
        "subscribers": options.subscribers,
        "loadEventsPerSecond": shipped,
        "subscriberMs": percentiles([arrivals[n] - sent for n, (sent, _acked) in acks.items()]),
        "ackMs": percentiles([acked - sent for sent, acked in acks.values()]),
    }


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)

    return {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1.0)}


def connect(found: dict[str, Any]) -> websocket.WebSocket:
    connection = websocket.create_connection(
        found["url"].replace("http", "ws", 1) + "/ws",
        header={"Authorization": f"Bearer {found['token']}"},
        suppress_origin=True,
        http_no_proxy=["*"],
        timeout=60,
        enable_multithread=False,
    )
    connection.recv()
    return connection


def run_start(session: str) -> dict[str, Any]:
    names = {"runId": session, "session": session, "source": f"{session}.main", "worker": "main", "pid": 1, "host": "h"}
    return {"type": "run/start", "timestamp": NOW, "payload": names}


def one_test(number: int) -> list[dict[str, Any]]:
    test = f"tests/unit/test_module_{number // 50}.py::TestThings::test_number_{number}"
    start = {
        "testId": test,
        "testName": test.rpartition("::")[2],
        "attempt": 1,
        "file": test.partition("::")[0],
        "line": 9,
    }
    phases = {"setup": 0.102, "call": 0.311, "teardown": 0.087}
    end = {"testId": test, "attempt": 1, "status": "passed", "outcome": "passed", "duration": 0.5, "phases": phases}
    return [
        {"type": "test/start", "timestamp": NOW + number, "payload": start},
        {"type": "test/end", "timestamp": NOW + number + 0.5, "payload": end},
    ]


def send(connection: websocket.WebSocket, source: str, first_seq: int, events: list[dict[str, Any]]) -> None:
    connection.send(json.dumps({"type": "events", "source": source, "firstSeq": first_seq, "events": events}))


def run_tests(connection: websocket.WebSocket, tests: int, pause: float) -> dict[int, tuple[float, float]]:
    """When each test's end was sent, and when it was acknowledged."""
    times = {}
    send(connection, "measured.main", 1, [run_start("measured")])
    connection.recv()
    for number in range(tests):
        events = one_test(number)
        began = time.monotonic()
        send(connection, "measured.main", 2 + 2 * number, events)
        answer = json.loads(connection.recv())
        times[number] = began, time.monotonic()
        assert answer["type"] == "ack", answer
        time.sleep(pause)
    return times


class Watcher:
    """A subscriber in a process of its own: notes when the end of each measured test came."""

    def __init__(self, found: dict[str, Any], tests: int) -> None:
        self._process = child("watcher", str(tests), found=found)

    def arrivals(self) -> dict[int, float]:
        """All arrivals, once all have come."""
        out, _err = self._process.communicate(timeout=60)
        return {int(number): moment for number, moment in json.loads(out).items()}


async def watch(tests: int) -> None:
    found = json.loads(sys.stdin.readline())
    times: dict[int, float] = {}
    headers = {"Authorization": f"Bearer {found['token']}"}
    async with aiohttp.ClientSession() as http, http.ws_connect(found["url"] + "/ws", headers=headers) as connection:
        await connection.receive()
        await connection.send_json({"id": 1, "type": "subscribe", "payload": {"eventTypes": ["test/end"]}})
        await connection.receive()
        print("ready", flush=True)
        while len(times) < tests:
            message = await connection.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, f"closed with {connection.close_code} after {len(times)}"
            if message.data.startswith('{"id":"measured.main:'):  # the load's events are read, not parsed
                now = time.monotonic()
                test = json.loads(message.data)["payload"]["payload"]["testId"]
                times[int(test.rpartition("_")[2])] = now
    print(json.dumps(times), flush=True)


def child(*arguments: str, found: dict[str, Any]) -> subprocess.Popen[str]:
    """This file in another role; it is told where the recorder is, and says when it is ready."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--as", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(found) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    return process


class Load:
    """A shipper in a process of its own that sends at a steady rate."""

    def __init__(self, found: dict[str, Any], rate: int) -> None:
        self._process = child("load", str(rate), found=found)

    def stop(self) -> int:
        """Events per second that were acknowledged."""
        out, _err = self._process.communicate(timeout=60)  # closes its stdin
        return int(out)


def ship_load(rate: int) -> None:
    connection = connect(json.loads(sys.stdin.readline()))
    over = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    send(connection, "load.main", 1, [run_start("load")])
    connection.recv()
    print("ready", flush=True)
    began, shipped = time.monotonic(), 0
    while not over.wait(max(0.0, began + shipped / rate - time.monotonic())):
        events = [event for number in range(shipped // 2, shipped // 2 + BATCH // 2) for event in one_test(number)]
        send(connection, "load.main", 2 + shipped, events)
        answer = json.loads(connection.recv())
        assert answer["type"] == "ack", answer
        shipped += BATCH
    print(int(shipped / (time.monotonic() - began)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:3] == ["--as", "load"]:
        ship_load(int(sys.argv[3]))
    elif sys.argv[1:3] == ["--as", "watcher"]:
        asyncio.run(watch(int(sys.argv[3])))
    else:
        main()
