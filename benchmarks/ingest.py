"""Ingest: events per second that the recorder acknowledges against raw ``sqlite3`` writing the very same rows.

A run of ``--tests`` tests (plan, ``test/start`` and ``test/end`` of each) comes in frames of ``--batch`` events, as the
shipper sends them. Each round takes the time from the first frame to the last acknowledgement, three times in turn, on
one file system: through ``Writer.submit`` in this process, decoding included; over a WebSocket into a
``semantest-recorder serve`` process, with ``--window`` frames unacknowledged at most; and raw, the rows of the first
database with ``executemany`` into a new one with the same schema and settings, in transactions of the size that the
writer takes at most.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from time import perf_counter, time
from typing import Any

import msgspec
import websocket

from semantest_recorder.core.batch import Batch, Committed, RawEvent, Verdict
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.writer import Writer, wall_ms

SESSION = "20261121-093000-a1b2c3"
TABLES = ("runs", "sources", "tests", "batches", "events", "results", "attempts", "suites")
#: Of the raw writer; the recorder's group commit takes at most as many events in one transaction.
RAW_TRANSACTION = 20_000


class Frame(msgspec.Struct):
    """The message that a shipper sends."""

    source: str
    firstSeq: int  # noqa: N815 - as on the wire
    events: list[RawEvent]


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tests", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument(
        "--window", type=int, default=8, help="frames on the wire without an ack (default: 8, the shipper's)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", help="where the databases are written (default: the temporary folder)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    frames = list(frames_of_a_run(options.tests, options.batch))
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        result = measure(Path(folder), frames, options.rounds, options.window)
    result |= {name: getattr(options, name) for name in ("tests", "batch", "window", "rounds")}
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def measure(folder: Path, frames: list[bytes], rounds: int, window: int) -> dict[str, Any]:
    """Events per second of each round, the recorder's and raw ones in turn; shares are medians of those of a round."""
    recorded, wired, raw = [], [], []
    events = 0
    for number in range(rounds):
        ours, plain = folder / f"ours{number}.db", folder / f"raw{number}.db"
        events, seconds = record(ours, frames)
        recorded.append(events / seconds)
        wired.append(events / send_all(folder / f"daemon{number}", frames, events, window))
        raw.append(events / write_raw(ours, plain))
        for path in (ours, plain):
            path.unlink()
    return {
        "events": events,
        "recorder": _figures(recorded),
        "recorder_over_websocket": _figures(wired),
        "raw_sqlite": _figures(raw),
        "share": _share(recorded, raw),
        "share_over_websocket": _share(wired, raw),
        "sqlite": sqlite3.sqlite_version,
        "python": platform.python_version(),
    }


def record(path: Path, frames: list[bytes]) -> tuple[int, float]:
    """How many events were acknowledged, and after how many seconds the last one was."""
    decoder = msgspec.json.Decoder(Frame)
    writer = Writer(path)
    done, problems, acked = Event(), [], [0]

    def answer(verdict: Verdict) -> None:
        if not isinstance(verdict, Committed):
            problems.append(verdict)
            done.set()
            return
        acked[0] = verdict.seq
        if verdict.seq == total[0]:
            done.set()

    last = decoder.decode(frames[-1])
    total = [last.firstSeq + len(last.events) - 1]
    start = perf_counter()
    for frame in frames:
        message = decoder.decode(frame)
        writer.submit(Batch(message.source, message.firstSeq, message.events, wall_ms()), answer)
    if not done.wait(600) or problems:
        raise SystemExit(f"not acknowledged: {problems or acked}")
    seconds = perf_counter() - start
    writer.close()
    return acked[0], seconds


def send_all(directory: Path, frames: list[bytes], events: int, window: int) -> float:
    """Seconds until a new recorder process has acknowledged all ``events`` in ``frames``."""
    command = [sys.executable, "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        try:
            if daemon.stdout is None or not daemon.stdout.readline():
                raise SystemExit("the recorder did not start")
            found = json.loads((directory / "recorder.json").read_text())
            connection = websocket.create_connection(
                found["url"].replace("http", "ws", 1) + "/ws",
                header={"Authorization": f"Bearer {found['token']}"},
                suppress_origin=True,
                http_no_proxy=["*"],
                timeout=60,
                enable_multithread=False,
                skip_utf8_validation=True,
            )
            connection.recv()
            start = perf_counter()
            for number, frame in enumerate(frames):
                if number >= window:
                    _acknowledged(connection)
                connection.send(frame)
            while _acknowledged(connection) != events:
                pass
            seconds = perf_counter() - start
            connection.close()
        finally:
            daemon.terminate()
    return seconds


def _acknowledged(connection: websocket.WebSocket) -> int:
    """The seq of the next ack; there is one for each frame."""
    message = json.loads(connection.recv())
    if message["type"] != "ack":
        raise SystemExit(f"not acknowledged: {message}")
    return int(message["seq"])


def write_raw(source: Path, target: Path) -> float:
    """Seconds that ``executemany`` takes for the rows of ``source``, in transactions of ``RAW_TRANSACTION`` events."""
    with closing(sqlite3.connect(source)) as connection:
        columns = {name: _columns(connection, name) for name in TABLES}
        rows = {name: connection.execute(f"SELECT {columns[name]} FROM {name}").fetchall() for name in TABLES}
    connection, _notices = open_for_writing(target, wall_ms)
    transactions = max(1, -(-len(rows["events"]) // RAW_TRANSACTION))
    inserts = {
        name: f"INSERT INTO {name} ({columns[name]}) VALUES ({','.join('?' * len(found[0]))})"
        for name, found in rows.items()
    }
    start = perf_counter()
    for number in range(transactions):
        connection.execute("BEGIN IMMEDIATE")
        for name, found in rows.items():
            size = -(-len(found) // transactions)
            connection.executemany(inserts[name], found[number * size : (number + 1) * size])
        connection.execute("COMMIT")
    seconds = perf_counter() - start
    connection.close()
    return seconds


def _columns(connection: sqlite3.Connection, table: str) -> str:
    """All that are written; others follow from them."""
    return ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


def frames_of_a_run(tests: int, batch: int, session: str = SESSION) -> Iterator[bytes]:
    """The ``events`` messages of a run, as the shipper makes them of a journal."""
    bodies = list(bodies_of_a_run(tests, session))
    for start in range(0, len(bodies), batch):
        head = f'{{"type":"events","source":"{session}.main","firstSeq":{start + 1},"events":['
        yield (head + ",".join(bodies[start : start + batch]) + "]}").encode()


def bodies_of_a_run(tests: int, session: str = SESSION) -> Iterator[str]:
    """Event bodies as the plugin writes them (docs/design/events.md)."""
    now = time() * 1000
    names = [
        f"tests/unit/package_{i // 1000:03d}/test_module_{i // 100:04d}.py::test_case_{i:06d}" for i in range(tests)
    ]
    names_of_run = {"runId": session, "session": session, "source": f"{session}.main", "worker": "main"}
    yield _body("run/start", now, **names_of_run, pid=4711, host="ci")
    for offset in range(0, tests, 500):
        yield _body("run/plan", now, tests=names[offset : offset + 500], offset=offset, total=tests, deselected=0)
    for number, test_id in enumerate(names):
        now += 1.0
        file, _, name = test_id.partition("::")
        yield (
            f'{{"type":"test/start","timestamp":{now:.3f},"payload":{{"testId":"{test_id}","attempt":1,"testName":"{name}",'
            f'"file":"{file}","line":{number % 400 + 10},"markers":["parametrize"]}}}}'
        )
        yield (
            f'{{"type":"test/end","timestamp":{now + 0.8:.3f},"payload":{{"testId":"{test_id}","attempt":1,'
            f'"status":"passed","outcome":"passed","duration":0.612,'
            f'"phases":{{"setup":0.101,"call":0.412,"teardown":0.099}}}}}}'
        )
    yield _body("run/end", now + 2, runId=session, exitCode=0, stoppedEarly=False)


def _body(kind: str, timestamp: float, **payload: Any) -> str:
    return json.dumps({"type": kind, "timestamp": timestamp, "payload": payload}, separators=(",", ":"))


def _figures(rates: list[float]) -> dict[str, Any]:
    return {
        "median": round(statistics.median(rates)),
        "best": round(max(rates)),
        "rounds": [round(rate) for rate in rates],
    }


def _share(rates: list[float], raw: list[float]) -> float:
    return round(statistics.median(rate / base for rate, base in zip(rates, raw, strict=True)), 3)


def table(result: dict[str, Any]) -> str:
    """The numbers as text."""
    rows = (
        ("recorder, acknowledged", "recorder", "share"),
        ("recorder, over WebSocket", "recorder_over_websocket", "share_over_websocket"),
        ("raw executemany, same rows", "raw_sqlite", None),
    )
    lines = [
        f"{result['events']} events of {result['tests']} tests, batches of {result['batch']}",
        f"{result['rounds']} rounds in turn, Python {result['python']}, SQLite {result['sqlite']}",
        "",
        f"{'events/s':28}{'median':>12}{'best':>12}{'of raw':>12}",
    ]
    for title, key, share in rows:
        of_raw = f"{result[share]:.0%}" if share else ""
        lines.append(f"{title:28}{result[key]['median']:>12,}{result[key]['best']:>12,}{of_raw:>12}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
