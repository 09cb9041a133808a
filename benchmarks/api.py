"""What calls of the REST API cost on a long history: a real recorder process, over one connection that is kept.

The history is that of ``tests/histories/database.py`` (``--runs`` of ``--tests`` tests, a million results if nothing
else is given). The first call of each kind is told apart: dear answers are kept until a run ends, so the first one
after that pays for them. The others are asked ``--rounds`` times in turn; ``gzip`` is what came over the network.

    python -m benchmarks.api [--runs 100] [--tests 10000] [--rounds 100] [--directory FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.commands import names_in
from tests.histories.database import add_history_options, history_folder

#: {test} is the test that was flaky most often, {run} the run in the middle, {cursor} one of a page far behind.
CALLS = (
    "runs",
    "runs?limit=100&state=failed",
    "runs?branch=main&sort=-duration",
    "runs/last",
    "runs/{run}/results",
    "runs/{run}/results?state=failed,error,flaky",
    "runs/{run}/results?sort=-duration&q=case_00&limit=1000",
    "runs/{run}/results?sort=id&cursor={cursor}",
    "runs/{run}/results/{test}",
    "runs/{run}/suites",
    "runs/{run}/events?type=test/end",
    "runs/{run}/events?type=worker/crash",
    "runs/{run}/failures",
    "runs/{run}/diff",
    "runs/{run}/report",
    "tests?q=case_00&limit=1000",
    "tests/{test}",
    "tests/{test}/history?runs=100",
    "tests/{test}/blame",
    "aliases",
    "statistics",
    "analytics/flaky",
    "analytics/slowest",
    "analytics/slowest?by=file",
    "analytics/trends",
    "analytics/failures",
)
GOAL_MS = 100.0


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_history_options(parser)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    folder = history_folder(options.runs, options.tests, options.seed, options.directory)
    result = measure(folder, options.rounds) | {name: getattr(options, name) for name in ("runs", "tests", "rounds")}
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Times of each call, in ms."""
    recorder = subprocess.Popen(
        [sys.executable, "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert recorder.stdout is not None
        recorder.stdout.readline()
        client = Client(json.loads((folder / "recorder.json").read_text()))
        with closing(client.connection):
            found, results = timed(client, names_in(folder / "semantest.db"), rounds)
    finally:
        recorder.terminate()
        recorder.wait()
    return {"calls": found, "results": results, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}


class Client:
    """One connection to a recorder."""

    def __init__(self, discovery: dict[str, Any]) -> None:
        self.connection = HTTPConnection(urlsplit(discovery["url"]).netloc)
        self._headers = {"Authorization": f"Bearer {discovery['token']}"}

    def get(self, path: str, *, packed: bool = True) -> tuple[float, bytes]:
        """How long the answer took, to its last byte, in ms, and what came."""
        began = time.perf_counter()
        coding = {"Accept-Encoding": "gzip"} if packed else {}
        self.connection.request("GET", f"/api/v1/{path}", headers=self._headers | coding)
        response = self.connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - began) * 1000
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status} {body.decode('utf-8', 'replace')}")
        return took_ms, body


def timed(client: Client, names: dict[str, Any], rounds: int) -> tuple[dict[str, Any], int]:
    """Figures of each call, and how many results there are."""
    run, test = names["run"], quote(names["test"], safe="")
    page = json.loads(client.get(f"runs/{run}/results?sort=id&limit=1000", packed=False)[1])
    paths = {call: call.format(run=run, test=test, cursor=page["next"]) for call in CALLS}
    first = {call: client.get(path) for call, path in paths.items()}
    times: dict[str, list[float]] = {call: [] for call in CALLS}
    for _ in range(rounds):
        for call, path in paths.items():
            times[call].append(client.get(path)[0])
    return {call: figures(first[call], took) for call, took in times.items()}, names["results"]


def figures(first: tuple[float, bytes], took: list[float]) -> dict[str, Any]:
    """Median and 99th percentile of the calls behind the first one, for which the goal is."""
    p99 = sorted(took)[max(0, round(len(took) * 0.99) - 1)]
    return {
        "firstMs": round(first[0], 1),
        "p50Ms": round(median(took), 1),
        "p99Ms": round(p99, 1),
        "gzipBytes": len(first[1]),
        "reached": p99 < GOAL_MS,
    }


def table(result: dict[str, Any]) -> str:
    """The numbers as text."""
    lines = [
        f"{result['results']:,} results of {result['tests']:,} tests in {result['runs']} runs",
        f"{result['rounds']} rounds in turn, Python {result['python']}, SQLite {result['sqlite']}",
        "",
        f"{'/api/v1/':58}{'first ms':>10}{'p50 ms':>9}{'p99 ms':>9}{'gzip kB':>9}  < {GOAL_MS:g} ms",
    ]
    for call, found in result["calls"].items():
        numbers = f"{found['firstMs']:>10.1f}{found['p50Ms']:>9.1f}{found['p99Ms']:>9.1f}"
        lines.append(f"{call:58}{numbers}{found['gzipBytes'] / 1000:>9.1f}  {'yes' if found['reached'] else 'NO'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
