"""What open live pages cost the recorder, and how soon they are told.

A real ``semantest-recorder serve`` process takes in runs, at each of ``--rates`` events a second with nobody watching
and with each of ``--watchers`` live pages open, all in turn; another process holds the pages on plain sockets (browsers
would measure themselves). Then runs come as fast as they are acknowledged, with nobody and with the most pages.

The time to a page runs from the moment the acknowledgement of a batch was read, which is sent when the batch is
committed, until a page's socket has the number of tests that ended with it (the monotonic clock is the same for all
processes of a machine). Events come once each page has the whole state; how long that takes is a number of its own.

    python -m benchmarks.live_pages [--watchers 1 5 50] [--rates 100 1000 5000] [--seconds 5] [--rounds 5] [--json]
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
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil
import websocket

#: Events of a batch, and batches without an acknowledgement at full speed.
_BATCH, _WINDOW = 100, 8
_TOLD = re.compile(rb'"closed":(true|false)[^}]*?"done":(\d+)')
#: A recorder that takes so little CPU in so long, in seconds, has nothing to do; and how often that is looked at.
_IDLE_CPU_S, _IDLE_LOOK_S, _IDLE_LOOKS = 0.021, 0.5, 40
#: Stands for the moment at which a batch is sent.
_NOW = "now"
_COLUMNS = (
    *(("events/s", 9), ("pages", 7), ("CPU of a core", 15), ("ack ms", 9)),
    *(("p50", 9), ("p99", 9), ("max", 9), ("p50", 9), ("max", 9)),
)
#: Two events for each test.
_PER_TEST = 2


def main(given: Sequence[str] | None = None) -> int:
    """Measures and prints; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, nargs="+", default=[1, 5, 50])
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 1000, 5000], help="events a second")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run at a rate")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.read:
        print(json.dumps(read(json.loads(sys.stdin.readline()), options.read, options.watchers[0])))
        return 0
    with tempfile.TemporaryDirectory(prefix="semantest-bench-") as folder:
        found = measure(Path(folder, ".semantest"), options)
    whole = [{"rate": rate, "pages": pages, **run._asdict()} for (rate, pages), runs in found.items() for run in runs]
    print(json.dumps(whole) if options.json else table(found, options))
    return 0


class Figures(NamedTuple):
    """One run: events a second, the recorder's CPU seconds a second and us an event, ms to an ack.

    ``delays``: ms from an ack to a page, for each batch and page; ``opened``: ms until a page has the whole state.
    """

    rate: float
    cpu_share: float
    cpu_us: float
    ack_ms: float
    delays: list[float]
    opened: list[float]


#: By the rate that was wanted (0: full speed) and the number of pages.
Found = dict[tuple[int, int], list[Figures]]


def measure(folder: Path, options: argparse.Namespace) -> Found:
    """The figures of every run, round by round."""
    serve = [sys.executable, "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(folder)]
    daemon = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    cases = [(rate, watchers) for rate in options.rates for watchers in (0, *options.watchers)]
    cases += [(0, 0), (0, max(options.watchers))]
    found: Found = {case: [] for case in cases}
    try:
        assert daemon.stdout is not None
        assert daemon.stdout.readline(), "the recorder did not start"
        recorder = json.loads((folder / "recorder.json").read_text())
        process = psutil.Process(daemon.pid)
        for number in range(options.rounds):
            for rate, watchers in cases:
                tests = int((rate or max(options.rates)) * options.seconds) // _PER_TEST
                run = f"bench-{number}-{rate}-{watchers}"
                found[rate, watchers].append(one_run(recorder, process, run, tests, rate, watchers))
    finally:
        daemon.terminate()
        daemon.wait()
    return found


def one_run(
    recorder: dict[str, Any], process: psutil.Process, run: str, tests: int, rate: int, watchers: int
) -> Figures:
    """A run of so many tests, with so many pages open, begun when nothing is left to do after the run before."""
    _wait_until_idle(process)
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
    events, cpu_s = tests * _PER_TEST, used.user + used.system - before.user - before.system
    delays, opened = list[float](), list[float]()
    if reader is not None:
        pages = json.loads(reader.communicate(timeout=120)[0])
        done = [(ack, (number + 1) * _BATCH // _PER_TEST) for number, (_sent, ack) in enumerate(acks)]
        delays = [1000 * delay for page in pages for delay in _delays(done, page["told"])]
        opened = [1000 * page["opened"] for page in pages]
    ack_ms = 1000 * median(ack - sent for sent, ack in acks)
    return Figures(events / seconds, cpu_s / seconds, 1e6 * cpu_s / events, ack_ms, delays, opened)


def _wait_until_idle(process: psutil.Process) -> None:
    before = -1.0
    for _ in range(_IDLE_LOOKS):
        used = process.cpu_times()
        if used.user + used.system - before <= _IDLE_CPU_S:
            return
        before = used.user + used.system
        time.sleep(_IDLE_LOOK_S)


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


class _Told(NamedTuple):
    """What one page was told: when it was opened, and when it knew of how many tests; ``rest``: not looked through."""

    opened_s: float
    counts: list[tuple[float, int]]
    rest: bytearray


def read(recorder: dict[str, Any], run: str, watchers: int) -> list[dict[str, Any]]:
    """The other process: what each page was told, and when, until the run is over."""
    selector = selectors.DefaultSelector()
    for _ in range(watchers):
        began_s = time.monotonic()
        page = _open(recorder, f"/runs/{run}/live/feed")
        selector.register(page, selectors.EVENT_READ, _Told(began_s, [], bytearray()))
    pages: list[_Told] = [key.data for key in selector.get_map().values()]
    is_ready = False
    while selector.get_map():
        for key, _events in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            if not _hear(key.fileobj, key.data):
                selector.unregister(key.fileobj)
        if not is_ready and all(page.counts for page in pages):
            is_ready = True
            print("ready", flush=True)
    return [{"told": page.counts, "opened": page.counts[0][0] - page.opened_s} for page in pages]


def _hear(page: socket.socket, told: _Told) -> bool:
    """Takes what came; whether more is to come."""
    data = page.recv(262144)
    now_s = time.monotonic()
    told.rest.extend(data)
    end, closed = 0, False
    for match in _TOLD.finditer(told.rest):
        told.counts.append((now_s, int(match[2])))
        end, closed = match.end(), match[1] == b"true"
    told.rest[:] = told.rest[end:][-4096:]
    return bool(data) and not closed


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


def table(found: Found, options: argparse.Namespace) -> str:
    """The numbers for people: medians of the rounds, ratios within a round, delays of all rounds."""
    lines = [
        f"live pages of one run, {options.rounds} rounds in turn",
        "",
        f"{'':40}{'from commit to page, ms':>27}{'whole state, ms':>18}",
        "".join(f"{title:>{width}}" for title, width in _COLUMNS),
    ]
    for rate, watchers in found:
        runs = found[rate, watchers]
        if rate:
            cpu, ack = median(run.cpu_share for run in runs), median(run.ack_ms for run in runs)
            line = f"{rate:>9,}{watchers:>7}{cpu:>15.1%}{ack:>9.1f}"
            line += _quantiles([delay for run in runs for delay in run.delays], 0.5, 0.99, 1.0)
            lines.append(line + _quantiles([opened for run in runs for opened in run.opened], 0.5, 1.0))
    most = max(options.watchers)
    lines.append("")
    for rate in (max(options.rates), 0):
        pairs = list(zip(found[rate, 0], found[rate, most], strict=True))
        speed = f"at {rate:,} events/s" if rate else "at full speed"
        ratios = [two.cpu_us / one.cpu_us if rate else two.rate / one.rate for one, two in pairs]
        what = f"CPU for an event {speed}" if rate else f"events/s {speed}, {median(one.rate for one, _ in pairs):,.0f}"
        lines.append(f"{what}: with {most} pages {median(ratios):.2f} times as without")
    return "\n".join(lines)


def _quantiles(values: Sequence[float], *shares: float) -> str:
    ordered = sorted(values)
    if not ordered:
        return f"{'':>9}" * len(shares)
    return "".join(f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))]:>9.0f}" for share in shares)


if __name__ == "__main__":
    sys.exit(main())
