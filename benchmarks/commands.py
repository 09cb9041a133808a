"""What commands cost on a long history: whole processes, from the start of Python to their end.

The history is that of ``tests/histories/database.py`` (``--runs`` of ``--tests`` tests, a million results if nothing
else is given). Each round runs every command once, in an order that rotates. ``semantest --version`` is what any
command pays for being started.

    python -m benchmarks.commands [--runs 100] [--tests 10000] [--rounds 5] [--directory FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.children import Cost, Program, round_robin
from tests.histories.database import add_history_options, history_folder


class Measured(NamedTuple):
    """A command line, how it ends, and how long it may take."""

    arguments: str
    exit_code: int = 0
    goal_ms: float | None = None


#: {test} is the test that was flaky most often, {run} the run in the middle. The last run failed.
COMMANDS = (
    Measured("--version"),
    Measured("report", 1, 500),
    Measured("report --json", 1),
    Measured("runs"),
    Measured("show {test}"),
    Measured("diff", 0, 1000),
    Measured("failures", 1),
    Measured("history {test}"),
    Measured("blame {test}", 1),
    Measured("sql v_flaky --csv", 0, 1000),
    Measured("sql v_durations --csv", 0, 1000),
    Measured("sql v_tests --csv"),
    Measured("export --format junit"),
    Measured("export --format csv"),
    Measured("flaky", goal_ms=1000),
    Measured("slowest", goal_ms=1000),
    Measured("slowest --by file"),
    Measured("slower --since 10d"),
    Measured("trends"),
)


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_history_options(parser)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    folder = history_folder(options.runs, options.tests, options.seed, options.directory)
    result = measure(folder, options.rounds) | {name: getattr(options, name) for name in ("runs", "tests", "rounds")}
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Medians of each command."""
    names = names_in(folder / "semantest.db")
    with tempfile.TemporaryDirectory() as cwd:
        programs = [program_of(command, names, folder, Path(cwd)) for command in COMMANDS]
        costs = round_robin(programs, rounds)
    return {
        "commands": {command.arguments: figures(costs[command.arguments], command) for command in COMMANDS},
        "results": names["results"],
        "bytes": (folder / "semantest.db").stat().st_size,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def names_in(database: Path) -> dict[str, Any]:
    """What stands in command lines."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        ((test,),) = connection.execute("SELECT test FROM v_flaky ORDER BY flaky_runs DESC, test LIMIT 1")
        ((results,),) = connection.execute("SELECT count(*) FROM results")
        runs = [run for (run,) in connection.execute("SELECT run FROM v_runs ORDER BY started_ms")]
    return {"test": test, "run": runs[len(runs) // 2], "results": results}


def program_of(command: Measured, names: dict[str, Any], folder: Path, cwd: Path) -> Program:
    """The command on the history, for a user without any configuration."""
    arguments = [argument.format_map(names) for argument in command.arguments.split()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEMANTEST")}
    environment |= {"SEMANTEST_DIR": str(folder), "NO_COLOR": "1"}
    semantest = str(Path(sys.executable).with_name("semantest"))
    return Program(command.arguments, [semantest, *arguments], cwd, environment, command.exit_code)


def figures(costs: Sequence[Cost], command: Measured) -> dict[str, Any]:
    """Medians and the best time, which is nearest to a machine without other work: the goal is for that one."""
    best = min(cost.wall_ms for cost in costs)
    return {
        "wallMs": round(median(cost.wall_ms for cost in costs)),
        "bestMs": round(best),
        "cpuMs": round(median(cost.cpu_ms for cost in costs)),
        "peakMib": round(max(cost.peak_mib for cost in costs)),
        "goalMs": command.goal_ms,
        "reached": command.goal_ms is None or best < command.goal_ms,
    }


def table(result: dict[str, Any]) -> str:
    """The numbers as text."""
    size = result["bytes"] / 2**20
    lines = [
        f"{result['results']:,} results of {result['tests']:,} tests in {result['runs']} runs, {size:,.0f} MiB",
        f"{result['rounds']} rounds in turn, Python {result['python']}, SQLite {result['sqlite']}",
        "",
        f"{'semantest':24}{'wall ms':>10}{'best':>10}{'CPU ms':>10}{'peak MiB':>10}{'goal ms':>10}",
    ]
    for name, found in result["commands"].items():
        goal = "" if found["goalMs"] is None else f"{found['goalMs']:.0f} {'yes' if found['reached'] else 'NO'}"
        numbers = f"{found['wallMs']:>10,}{found['bestMs']:>10,}{found['cpuMs']:>10,}{found['peakMib']:>10}"
        lines.append(f"{name:24}{numbers}{goal:>10}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
