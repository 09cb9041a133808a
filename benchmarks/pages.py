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
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.asking import asking, in_turn
from tests.histories.database import add_history_options, history_folder

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
    "/slower?since={run}",
    "/trends",
    "/alerts",
    "/settings",
)


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_history_options(parser)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    folder = history_folder(options.runs, options.tests, options.seed, options.directory)
    names = names_in(folder / "semantest.db")
    with asking(folder) as client:
        found = in_turn(client, [page.format_map(names) for page in PAGES], options.rounds, {"Accept": "text/html"})
    result = {
        "pages": {page: asked._asdict() for page, asked in zip(PAGES, found, strict=True)},
        "results": names["results"],
        "rounds": options.rounds,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def names_in(database: Path) -> dict[str, Any]:
    """What stands in addresses."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        ((test,),) = connection.execute("SELECT test FROM v_flaky ORDER BY flaky_runs DESC, test LIMIT 1")
        ((results,),) = connection.execute("SELECT count(*) FROM results")
        runs = [run for (run,) in connection.execute("SELECT run FROM v_runs ORDER BY since_ms DESC LIMIT 2")]
    return {"test": quote(test), "run": quote(runs[0]), "before": quote(runs[1]), "results": results}


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
        times = "".join(f"{asked[name]:>10.1f}" for name in ("first_ms", "p50_ms", "p99_ms"))
        lines.append(f"{page:40}{times}{asked['size'] / 1024:>8.0f}{reached:>5}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
