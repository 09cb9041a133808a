"""Rebuild: events per second from the log into projections, as ``semantest rebuild`` does it.

A database of ``--runs`` runs of ``--tests`` tests each is recorded first, by the real writer. Each round then rebuilds
it into a new file, and compares the two; the time of both is taken apart. A million events are ``--runs 50 --tests
10000``.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks import ingest
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.replay import rebuild


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tests", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", help="where the databases are written (default: the temporary folder)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        result = measure(Path(folder), options.runs, options.tests, options.rounds)
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def measure(folder: Path, runs: int, tests: int, rounds: int) -> dict[str, Any]:
    """Events per second, of the clock and of the CPU, of each round."""
    source = folder / "semantest.db"
    for number in range(runs):
        ingest.record(source, list(ingest.frames_of_a_run(tests, 500, session=f"20261121-0930{number:02d}-a1b2c3")))
    events = 0
    wall, cpu, compared = [], [], []
    for number in range(rounds):
        target = folder / f"again{number}.db"
        start, start_cpu = perf_counter(), process_time()
        events = rebuild(source, target).events
        wall.append(events / (perf_counter() - start))
        cpu.append(events / (process_time() - start_cpu))
        start = perf_counter()
        found = differences(source, target)
        compared.append(events / (perf_counter() - start))
        if found:
            raise SystemExit(f"the rebuilt database is another one: {found[:3]}")
        target.unlink()
    return {
        "events": events,
        "runs": runs,
        "tests": tests,
        "rebuilt": figures(wall),
        "rebuilt_cpu": figures(cpu),
        "compared": figures(compared),
        "sqlite": sqlite3.sqlite_version,
        "python": platform.python_version(),
    }


def figures(rates: list[float]) -> dict[str, int]:
    return {"median": round(statistics.median(rates)), "best": round(max(rates))}


def table(result: dict[str, Any]) -> str:
    """The numbers as text."""
    lines = [
        f"{result['events']} events, {result['runs']} runs of {result['tests']} tests",
        f"Python {result['python']}, SQLite {result['sqlite']}",
        "",
        f"{'events/s':28}{'median':>12}{'best':>12}",
    ]
    rows = (("rebuilt", "rebuilt"), ("rebuilt, per second of CPU", "rebuilt_cpu"), ("compared", "compared"))
    lines += [f"{title:28}{result[key]['median']:>12,}{result[key]['best']:>12,}" for title, key in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
