"""The HTML report of a large run: what writing it takes, how large it is, how soon it is there and searched.

The run is the last one of ``tests/histories/database.py`` (``--tests`` of them, failed, flaky and skipped ones
included). ``semantest export`` writes it, a process of its own; Chromium opens the file, as a reader does.

    python -m benchmarks.html_report [--tests 20000] [--rounds 5] [--directory FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from tests.browsers.html_pages import OpenPage, chromium
from tests.children import Program, run
from tests.histories.database import history_folder

SEARCH = """() => {
  const search = document.getElementById("search");
  const times = ["t", "te", "test", "test x", "test_1", "message:error", "state:failed", ""].map((words) => {
    search.value = words;
    const start = performance.now();
    search.dispatchEvent(new Event("input"));
    document.getElementById("list").getBoundingClientRect(); // laid out, too
    return performance.now() - start;
  });
  return Math.max(...times);
}"""


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="where the run is kept; see tests.histories.database")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    folder = history_folder(1, options.tests, 1, options.directory)
    with tempfile.TemporaryDirectory() as target:
        result = measure(folder, Path(target) / "report.html", options.rounds) | {"tests": options.tests}
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def measure(folder: Path, file: Path, rounds: int) -> dict[str, Any]:
    """Times in milliseconds, sizes in bytes and MiB: medians of the rounds."""
    arguments = ["export", "--format", "html", "-o", str(file), "--directory", str(folder), "--sync-timeout", "0"]
    program = Program(
        "html", [sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments], file.parent, os.environ
    )
    costs = [run(program) for _ in range(rounds)]
    painted, searched, nodes = [], [], 0
    with chromium() as browser:
        for _ in range(rounds):
            with closing(OpenPage(browser, file)) as opened:
                painted.append(opened.page.evaluate("performance.getEntriesByType('paint').at(-1).startTime"))
                searched.append(opened.page.evaluate(SEARCH))
                nodes = opened.page.evaluate("document.querySelectorAll('*').length")
    return {
        "written_ms": round(median(cost.wall_ms for cost in costs)),
        "memory_mib": round(max(cost.peak_mib for cost in costs)),
        "bytes": file.stat().st_size,
        "painted_ms": round(median(painted)),
        "searched_ms": round(median(searched), 1),
        "nodes": nodes,
    }


def table(result: dict[str, Any]) -> str:
    """The numbers as text."""
    return "\n".join(
        [
            f"{result['tests']} tests",
            f"  written in              {result['written_ms']:8} ms, with {result['memory_mib']} MiB",
            f"  size of the file        {result['bytes'] / 1024:8.0f} KiB",
            f"  in sight after          {result['painted_ms']:8} ms",
            f"  longest search          {result['searched_ms']:8} ms",
            f"  elements in the page    {result['nodes']:8}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
