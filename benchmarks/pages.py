"""What pages of the dashboard take on a long history: from the request to the last byte, asked of a real recorder.

The history is that of ``tests/histories/database.py`` (``--runs`` of ``--tests`` tests, a million results if nothing
else is given). Each page is asked for once, which shows what the first visitor waits for, and then ``--rounds`` times,
all pages in turn.

    python -m benchmarks.pages [--runs 100] [--tests 10000] [--rounds 100] [--directory FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from tests.histories.database import add_history_options, history_folder
from tests.recorder.cli_recorder.daemons import Daemon

GOAL_MS = 100.0
#: {run} is the last run, which failed; {before} the one before; {test} the test that was flaky most often.
PAGES = (
    "/runs",
    "/runs?state=failed",
    "/runs/{run}",
    "/runs/{run}/tests",
    "/runs/{run}/tests?sort=duration",
    "/runs/{run}/suites",
    "/runs/{run}/timeline",
    "/runs/{run}/details",
    "/runs/{run}/test?id={test}",
    "/runs/{run}/live",
    "/compare?before={before}&after={run}",
    "/test?id={test}",
    "/tests?q=test_1",
    "/flaky",
    "/slowest",
    "/trends",
    "/alerts",
    "/settings",
)


class Asked(NamedTuple):
    """How long a page took: the first time, and in half and in 99 of 100 of the other times; milliseconds."""

    first_ms: float
    p50_ms: float
    p99_ms: float
    kib: float


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_history_options(parser)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    folder = history_folder(options.runs, options.tests, options.seed, options.directory)
    names = names_in(folder / "semantest.db")
    with serving(folder) as (connection, token):
        found = measure(connection, token, [page.format_map(names) for page in PAGES], options.rounds)
    result = {
        "pages": {page: asked._asdict() for page, asked in zip(PAGES, found, strict=True)},
        "results": names["results"],
        "rounds": options.rounds,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


@contextmanager
def serving(folder: Path) -> Iterator[tuple[HTTPConnection, str]]:
    """A recorder that serves the folder: a connection to it, and its token."""
    daemon = Daemon(folder).ready()
    try:
        found = daemon.discovery
        with closing(HTTPConnection(urlsplit(found["url"]).netloc, timeout=60)) as connection:
            yield connection, found["token"]
    finally:
        daemon.end()


def names_in(database: Path) -> dict[str, Any]:
    """What stands in addresses."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        ((test,),) = connection.execute("SELECT test FROM v_flaky ORDER BY flaky_runs DESC, test LIMIT 1")
        ((results,),) = connection.execute("SELECT count(*) FROM results")
        runs = [run for (run,) in connection.execute("SELECT run FROM v_runs ORDER BY since_ms DESC LIMIT 2")]
    return {"test": quote(test), "run": quote(runs[0]), "before": quote(runs[1]), "results": results}


def measure(connection: HTTPConnection, token: str, pages: list[str], rounds: int) -> list[Asked]:
    """How long each page takes."""
    first = [ask(connection, token, page) for page in pages]
    times: list[list[float]] = [[] for _ in pages]
    for _ in range(rounds):
        for place, page in enumerate(pages):
            times[place].append(ask(connection, token, page)[0])
    parts = [quantiles(taken, n=100) for taken in times]
    return [Asked(one[0], part[49], part[98], one[1] / 1024) for one, part in zip(first, parts, strict=True)]


def ask(connection: HTTPConnection, token: str, page: str) -> tuple[float, int]:
    """Milliseconds until all of the page is here, and its bytes. Raises ``RuntimeError`` when there is no such page."""
    began = perf_counter()
    connection.request("GET", page, headers={"Authorization": f"Bearer {token}", "Accept": "text/html"})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{page} answers {response.status}")
    return (perf_counter() - began) * 1000, len(body)


def table(result: dict[str, Any]) -> str:
    """The numbers as text."""
    lines = [
        f"{result['results']:,} results, {result['rounds']} rounds in turn; goal: 99 of 100 under {GOAL_MS:.0f} ms",
        f"Python {result['python']}, SQLite {result['sqlite']}",
        "",
        f"{'page':40}{'first ms':>10}{'p50 ms':>10}{'p99 ms':>10}{'KiB':>8}{'':>5}",
    ]
    for page, asked in result["pages"].items():
        reached = "yes" if asked["p99_ms"] < GOAL_MS else "NO"
        numbers = f"{asked['first_ms']:>10.1f}{asked['p50_ms']:>10.1f}{asked['p99_ms']:>10.1f}{asked['kib']:>8.0f}"
        lines.append(f"{page:40}{numbers}{reached:>5}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
