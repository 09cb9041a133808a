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
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.asking import asking, in_turn
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
    "analytics/slower?since={run}",
    "analytics/trends",
    "analytics/failures",
)
GOAL_MS = 100.0
API = "/api/v1/"


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
    names = names_in(folder / "semantest.db")
    run, test = names["run"], quote(names["test"], safe="")
    with asking(folder) as client:
        page = json.loads(client.get(f"{API}runs/{run}/results?sort=id&limit=1000")[1])
        paths = [API + call.format(run=run, test=test, cursor=page["next"]) for call in CALLS]
        found = in_turn(client, paths, rounds, {"Accept-Encoding": "gzip"})
    return {
        "calls": {call: asked._asdict() for call, asked in zip(CALLS, found, strict=True)},
        "results": names["results"],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
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
        numbers = f"{found['first_ms']:>10.1f}{found['p50_ms']:>9.1f}{found['p99_ms']:>9.1f}"
        lines.append(f"{call:58}{numbers}{found['size'] / 1000:>9.1f}  {'yes' if found['p99_ms'] < GOAL_MS else 'NO'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
