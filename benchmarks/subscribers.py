"""Many readers, one of them stuck: how long the others wait for an event.

A real ``semantest-recorder serve`` process; another process holds all subscribers on plain sockets (a client library
for each would measure itself). One client sends events at a steady rate; each carries the moment it was sent (the
monotonic clock is the same for all processes of a machine), and the time runs until a subscriber's socket was read.
The stuck subscriber never reads.

    python -m benchmarks.subscribers [--subscribers 1000] [--rate 20] [--seconds 20] [--json]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from semantest_recorder.client import Client

_SENT = re.compile(rb'"sentAt":([0-9.]+)')
_SUBSCRIBE = {"id": "s", "type": "subscribe", "payload": {"eventTypes": ["custom/*"]}}


def main(given: Sequence[str] | None = None) -> int:
    """Measures and prints; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=20, help="events a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.read:
        read(json.loads(sys.stdin.readline()), options.subscribers)
        return 0
    with tempfile.TemporaryDirectory(prefix="semantest-bench-") as folder:
        found = measure(Path(folder, ".semantest"), options)
    if options.json:
        print(json.dumps(found))
        return 0
    print(f"{options.subscribers} subscribers and a stuck one, {options.rate} events/s for {options.seconds:g} s\n")
    print(f"events received   {found['received']:,} of {found['expected']:,}")
    print(f"CPU of the recorder, for each of them   {found['cpuUs']:.1f} us")
    print(f"from event to subscriber, ms   p50 {found['p50']:.1f}   p99 {found['p99']:.1f}   max {found['max']:.1f}")
    return 0


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The times of all events at all subscribers that read."""
    serve = [sys.executable, "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(folder)]
    daemon = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    reading = [sys.executable, "-m", "benchmarks.subscribers", "--read", "--subscribers", str(options.subscribers)]
    reader = subprocess.Popen(reading, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert daemon.stdout is not None
        assert daemon.stdout.readline(), "the recorder did not start"
        found = json.loads((folder / "recorder.json").read_text())
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(json.dumps(found) + "\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "ready\n"
        stuck = subscriber(found)
        before = psutil.Process(daemon.pid).cpu_times()
        count = int(options.rate * options.seconds)
        with Client(found["url"], found["token"]) as client:
            begin = time.monotonic()
            for number in range(count):
                time.sleep(max(0.0, begin + number / options.rate - time.monotonic()))
                client.send("custom/tick", {"number": number, "text": "x" * 200, "sentAt": time.monotonic()})
            client.send("custom/end", {"sentAt": 0})
        out, _err = reader.communicate(timeout=120)
        used = psutil.Process(daemon.pid).cpu_times()
        stuck.close()
        cpu_us = 1e6 * (used.user + used.system - before.user - before.system) / (count * options.subscribers)
        return {"expected": count * options.subscribers, "cpuUs": round(cpu_us, 1), **json.loads(out)}
    finally:
        reader.kill()
        daemon.terminate()
        daemon.wait()


def subscriber(found: dict[str, Any]) -> socket.socket:
    """A socket that has subscribed."""
    address = urlsplit(found["url"])
    connection = socket.create_connection((address.hostname or "", address.port or 0))
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        *("GET /ws HTTP/1.1", f"Host: {address.netloc}", "Upgrade: websocket", "Connection: Upgrade"),
        *(f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Authorization: Bearer {found['token']}"),
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    payload = json.dumps(_SUBSCRIBE).encode()
    assert len(payload) < 126
    connection.sendall(bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload)
    seen = b""
    while b'"subscribed"' not in seen:
        part = connection.recv(65536)
        assert part, seen
        seen += part
    return connection


def read(found: dict[str, Any], subscribers: int) -> None:
    """The other process: all subscribers, until each has seen the last event."""
    selector = selectors.DefaultSelector()
    rests: dict[socket.socket, bytes] = {}
    for _ in range(subscribers):
        made = subscriber(found)
        made.setblocking(False)
        selector.register(made, selectors.EVENT_READ, made)
        rests[made] = b""
    print("ready", flush=True)
    times: list[float] = []
    while rests:
        for key, _events in selector.select():
            connection: socket.socket = key.data
            data = connection.recv(262144)
            now = time.monotonic()
            seen = rests[connection] + data
            end = 0
            for match in _SENT.finditer(seen, 0, max(0, len(seen) - 1)):
                end = match.end()
                sent = float(match[1])
                if not sent or not data:
                    selector.unregister(connection)
                    del rests[connection]
                    break
                times.append(now - sent)
            else:
                rests[connection] = seen[end:][-4096:]
    times.sort()
    ms = [round(1000 * times[min(len(times) - 1, int(share * len(times)))], 2) for share in (0.5, 0.99, 1.0)]
    print(json.dumps({"received": len(times), "p50": ms[0], "p99": ms[1], "max": ms[2]}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
