"""Recovery: how long nobody takes events after a recorder with a long history was killed.

A database of ``--runs`` runs of ``--tests`` tests is recorded first, by the real writer (the defaults are a million
events). Each round starts a recorder on it, ships another run, and kills the recorder with SIGKILL in the middle of
that. The time runs from the signal: to ``serving``, when the next recorder has said its address, and to ``first ack``,
when it has committed the events behind the last one that was acknowledged before. Then all is looked for that was ever
acknowledged. Besides, from start to serving on an empty folder: what of it is Python.

    python -m benchmarks.recovery [--runs 10] [--tests 50000] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import websocket

from benchmarks import ingest
from benchmarks.latency import connect
from semantest_recorder.store.reader import Reader

GOAL_S = 2.0
BATCH = 500
WINDOW = 8
#: Of the run that is shipped when the recorder is killed: acknowledgements before that.
ACKS = 10


def main(given: Sequence[str] | None = None) -> int:
    """Prints the table, or with ``--json`` the numbers; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tests", type=int, default=50_000, help="tests of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", help="where the database is written (default: the temporary folder)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="semantest-bench-", dir=options.directory) as folder:
        result = measure(Path(folder), options.runs, options.tests, options.rounds)
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def measure(folder: Path, runs: int, tests: int, rounds: int) -> dict[str, Any]:
    """Seconds of each round, and how large the history was."""
    kept, empty = folder / "kept", folder / "empty"
    kept.mkdir(mode=0o700)
    database = kept / "semantest.db"
    events = 0
    for number in range(runs):
        frames = list(ingest.frames_of_a_run(tests, BATCH, session=f"20261121-0930{number:02d}-a1b2c3"))
        events += ingest.record(database, frames)[0]
    found = [recover(kept, f"20261122-0930{number:02d}-a1b2c3") for number in range(rounds)]
    started = [start_empty(empty / str(number)) for number in range(rounds)]
    return {
        "events": events,
        "bytes": database.stat().st_size,
        "serving": [serving for serving, _acked in found],
        "firstAck": [acked for _serving, acked in found],
        "empty": started,
        "sqlite": sqlite3.sqlite_version,
        "python": platform.python_version(),
    }


def recover(directory: Path, session: str) -> tuple[float, float]:
    """Seconds from the kill to serving, and to the first acknowledgement."""
    frames = list(ingest.frames_of_a_run((ACKS + 2 * WINDOW) * BATCH, BATCH, session=session))
    daemon = serve(directory)
    try:
        connection = connect_to(directory)
        for frame in frames[:WINDOW]:
            connection.send(frame)
        for number in range(ACKS):
            acked = acknowledged(connection)
            connection.send(frames[WINDOW + number])
    finally:
        killed_at = perf_counter()
        daemon.kill()
        daemon.wait()
    daemon = serve(directory)
    try:
        serving = perf_counter() - killed_at
        connection = connect_to(directory)
        connection.send(frames[acked // BATCH])
        again = acknowledged(connection)
        first_ack = perf_counter() - killed_at
        connection.close()
    finally:
        daemon.terminate()
        daemon.wait()
    (source,) = Reader(directory / "semantest.db").sources(session)
    if not acked < again <= source.last_seq:
        raise SystemExit(f"of {session} {source.last_seq} events are stored, acknowledged were {acked} and {again}")
    return serving, first_ack


def start_empty(directory: Path) -> float:
    """Seconds from start to serving without a history."""
    begin = perf_counter()
    daemon = serve(directory)
    seconds = perf_counter() - begin
    daemon.terminate()
    daemon.wait()
    return seconds


def serve(directory: Path) -> subprocess.Popen[bytes]:
    """A recorder process that has said its address."""
    command = [sys.executable, "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(directory)]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if daemon.stdout is None or not daemon.stdout.readline():
        raise SystemExit("the recorder did not start")
    return daemon


def connect_to(directory: Path) -> websocket.WebSocket:
    return connect(json.loads((directory / "recorder.json").read_text()))


def acknowledged(connection: websocket.WebSocket) -> int:
    """The seq of the next ack."""
    message = json.loads(connection.recv())
    if message["type"] != "ack":
        raise SystemExit(f"not acknowledged: {message}")
    return int(message["seq"])


def table(result: dict[str, Any]) -> str:
    """The numbers as text."""
    rows = (
        ("from SIGKILL to serving", "serving"),
        ("from SIGKILL to the first ack", "firstAck"),
        ("start on an empty folder", "empty"),
    )
    lines = [
        f"{result['events']:,} events stored, {result['bytes'] / 2**20:.0f} MiB, {len(result['serving'])} kills",
        f"Python {result['python']}, SQLite {result['sqlite']}",
        "",
        f"{'seconds':32}{'median':>10}{'worst':>10}",
    ]
    lines += [f"{title:32}{median(result[key]):>10.2f}{max(result[key]):>10.2f}" for title, key in rows]
    reached = "yes" if max(result["serving"]) < GOAL_S else "NO"
    return "\n".join([*lines, "", f"serving again in less than {GOAL_S:g} s: {reached}"])


if __name__ == "__main__":
    sys.exit(main())
