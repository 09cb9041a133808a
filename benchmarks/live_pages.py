"""What open live pages cost the recorder, and how soon they are told.

A real ``semantest-recorder serve`` process takes in runs, in turn with nobody watching and with ``--watchers`` live
pages open on the run; another process holds these on plain sockets (a browser for each would measure itself). Each
run comes once at ``--rate`` events a second, and once as fast as it is acknowledged. The time to a page runs from the
moment the acknowledgement of a batch was read, which is sent when the batch is committed, until a page's socket has
the number of tests that ended with it (the monotonic clock is the same for all processes of a machine).

    python -m benchmarks.live_pages [--watchers 50] [--rate 5000] [--seconds 5] [--rounds 5] [--json]
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
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil
import websocket

#: Events of a batch, and batches without an acknowledgement at full speed.
_BATCH, _WINDOW = 100, 8
_TOLD = re.compile(rb'"closed":(true|false)[^}]*?"done":(\d+)')
#: Stands for the moment at which a batch is sent.
_NOW = "now"
#: Two events for each test.
_PER_TEST = 2


def main(given: Sequence[str] | None = None) -> int:
    """Measures and prints; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=50)
    parser.add_argument("--rate", type=int, default=5000, help="events a second")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run at that rate")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.read:
        print(json.dumps(read(json.loads(sys.stdin.readline()), options.read, options.watchers)))
        return 0
    with tempfile.TemporaryDirectory(prefix="semantest-bench-") as folder:
        found = measure(Path(folder, ".semantest"), options)
    print(json.dumps(found) if options.json else table(found, options))
    return 0


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Each measurement by its name: those without and those with pages, round by round."""
    serve = [sys.executable, "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(folder)]
    daemon = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    tests = int(options.rate * options.seconds) // _PER_TEST
    found: dict[str, Any] = {"paced": {0: [], 1: []}, "full": {0: [], 1: []}, "delays": []}
    try:
        assert daemon.stdout is not None
        assert daemon.stdout.readline(), "the recorder did not start"
        recorder = json.loads((folder / "recorder.json").read_text())
        process = psutil.Process(daemon.pid)
        for number in range(options.rounds * 2):
            watched = number % 2
            for kind, rate in (("paced", options.rate), ("full", 0)):
                run = f"bench-{number}-{kind}"
                figures, delays = one_run(recorder, process, run, tests, rate, options.watchers if watched else 0)
                found[kind][watched].append(figures)
                found["delays"] += delays if kind == "paced" else []
    finally:
        daemon.terminate()
        daemon.wait()
    return found


def one_run(
    recorder: dict[str, Any], process: psutil.Process, run: str, tests: int, rate: int, watchers: int
) -> tuple[dict[str, float], list[float]]:
    """Events a second, CPU of the recorder for an event in us, ms to an ack; and the seconds to each page."""
    connection = websocket.create_connection(
        recorder["url"].replace("http", "ws", 1) + "/ws",
        header={"Authorization": f"Bearer {recorder['token']}"},
        suppress_origin=True,
        http_no_proxy=["*"],
        timeout=60,
        skip_utf8_validation=True,
    )
    connection.recv()
    batches = list(batches_of(run, tests))
    connection.send(_stamped(batches.pop(0)))
    _acked(connection)
    reader = _reader(recorder, run, watchers) if watchers else None
    before, begin = process.cpu_times(), time.monotonic()
    acks = _send(connection, batches[:-1], rate)
    seconds, used = time.monotonic() - begin, process.cpu_times()
    connection.send(_stamped(batches[-1]))
    _acked(connection)
    connection.close()
    events = tests * _PER_TEST
    figures = {
        "rate": events / seconds,
        "cpuUs": 1e6 * (used.user + used.system - before.user - before.system) / events,
        "ackMs": 1000 * median(ack - sent for sent, ack in acks),
    }
    delays: list[float] = []
    if reader is not None:
        pages = json.loads(reader.communicate(timeout=120)[0])
        done = [(ack, (number + 1) * _BATCH // _PER_TEST) for number, (_sent, ack) in enumerate(acks)]
        delays = [delay for page in pages for delay in _delays(done, page)]
    return figures, delays


def _send(connection: websocket.WebSocket, batches: Sequence[str], rate: int) -> list[tuple[float, float]]:
    """When each batch was sent and acknowledged; ``rate`` 0: as fast as that goes."""
    sent: list[float] = []
    acked: list[float] = []
    begin = time.monotonic()
    for number, batch in enumerate(batches):
        if rate:
            time.sleep(max(0.0, begin + number * _BATCH / rate - time.monotonic()))
        sent.append(time.monotonic())
        connection.send(_stamped(batch))
        if rate or len(sent) - len(acked) >= _WINDOW:
            _acked(connection)
            acked.append(time.monotonic())
    while len(acked) < len(sent):
        _acked(connection)
        acked.append(time.monotonic())
    return list(zip(sent, acked, strict=True))


def _stamped(batch: str) -> str:
    return batch.replace('"timestamp": "now"', f'"timestamp": {time.time() * 1000}')


def _acked(connection: websocket.WebSocket) -> None:
    while json.loads(connection.recv())["type"] != "ack":
        pass


def batches_of(run: str, tests: int) -> Iterator[str]:
    """The start and the plan, the tests, and the end, as a shipper sends them."""
    names = [f"tests/test_shop_{number % 50}.py::test_case_{number}" for number in range(tests)]
    start = {"runId": run, "session": run, "source": f"{run}.main", "worker": "main", "pid": 1, "host": "bench"}
    events = [_event("run/start", start), _event("run/plan", {"tests": names, "offset": 0, "total": tests})]
    seq = 1
    for bunch in (events, *_bunches(names), [_event("run/end", {"runId": run, "exitCode": 0})]):
        yield json.dumps({"type": "events", "source": f"{run}.main", "firstSeq": seq, "events": bunch})
        seq += len(bunch)


def _bunches(names: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    for begin in range(0, len(names), _BATCH // _PER_TEST):
        bunch = []
        for name in names[begin : begin + _BATCH // _PER_TEST]:
            bunch.append(
                _event("test/start", {"testId": name, "testName": name, "attempt": 1, "file": "f.py", "line": 1})
            )
            ended = {"testId": name, "attempt": 1, "status": "passed", "outcome": "passed", "duration": 1.5}
            bunch.append(_event("test/end", ended))
        yield bunch


def _event(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": _NOW, "payload": payload}


# -- the pages -----------------------------------------------------------------------------------------------------


def _reader(recorder: dict[str, Any], run: str, watchers: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.live_pages", "--read", run, "--watchers", str(watchers)]
    reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(json.dumps(recorder) + "\n")
    reader.stdin.flush()
    assert reader.stdout.readline() == "ready\n"
    return reader


def read(recorder: dict[str, Any], run: str, watchers: int) -> list[list[tuple[float, int]]]:
    """The other process: what each page was told, and when, until the run is over."""
    selector = selectors.DefaultSelector()
    told: dict[socket.socket, list[tuple[float, int]]] = {}
    rests: dict[socket.socket, bytes] = {}
    for _ in range(watchers):
        page: socket.socket = _open(recorder, f"/runs/{run}/live/feed")
        selector.register(page, selectors.EVENT_READ, page)
        told[page], rests[page] = [], b""
    print("ready", flush=True)
    while rests:
        for key, _events in selector.select():
            page = key.data
            data = page.recv(262144)
            now = time.monotonic()
            seen, end = rests[page] + data, 0
            for match in _TOLD.finditer(seen):
                told[page].append((now, int(match[2])))
                end = match.end()
                if match[1] == b"true":
                    data = b""
            rests[page] = seen[end:][-4096:]
            if not data:
                selector.unregister(page)
                del rests[page]
    return list(told.values())


def _open(recorder: dict[str, Any], path: str) -> socket.socket:
    address = urlsplit(recorder["url"])
    page = socket.create_connection((address.hostname or "", address.port or 0))
    lines = [
        *(f"GET {path} HTTP/1.1", f"Host: {address.netloc}", "Upgrade: websocket", "Connection: Upgrade"),
        *(f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13"),
        f"Authorization: Bearer {recorder['token']}",
    ]
    page.sendall("\r\n".join([*lines, "", ""]).encode())
    return page


def _delays(done: Sequence[tuple[float, int]], told: Sequence[tuple[float, int]]) -> Iterator[float]:
    """How long after each acknowledgement the page knew of what it told."""
    at = 0
    for ack, number in done:
        while at < len(told) and told[at][1] < number:
            at += 1
        if at < len(told):
            yield max(0.0, told[at][0] - ack)


def table(found: dict[str, Any], options: argparse.Namespace) -> str:
    """The numbers for people: medians of the rounds, and of the ratios within a round."""
    lines = [
        f"{options.watchers} live pages of one run, {options.rounds} rounds in turn",
        "",
        f"{'':34}{'nobody':>12}{'pages open':>12}{'ratio':>8}",
    ]
    rows = (
        ("paced", "rate", f"events/s of {options.rate:,} wanted", "{:,.0f}"),
        ("paced", "cpuUs", "CPU of the recorder for each, us", "{:.1f}"),
        ("paced", "ackMs", "a batch's way to its ack, ms", "{:.1f}"),
        ("full", "rate", "events/s at full speed", "{:,.0f}"),
    )
    for kind, name, words, form in rows:
        plain, watched = ([figures[name] for figures in found[kind][which]] for which in (0, 1))
        ratio = median(two / one for one, two in zip(plain, watched, strict=True))
        lines.append(f"{words:34}{form.format(median(plain)):>12}{form.format(median(watched)):>12}{ratio:>8.2f}")
    delays = sorted(found["delays"])
    p50, p99, worst = (1000 * delays[min(len(delays) - 1, int(share * len(delays)))] for share in (0.5, 0.99, 1.0))
    return "\n".join([*lines, "", f"from commit to page, ms   p50 {p50:.0f}   p99 {p99:.0f}   max {worst:.0f}"])


if __name__ == "__main__":
    sys.exit(main())
