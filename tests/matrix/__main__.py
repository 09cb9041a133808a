"""Runs the project's tests with every Python of this machine and with oldest and newest requirements.

A cell is one Python with an age of pytest, of its plugins and of all other requirements. Each has an environment of its
own with the built wheel, kept below --folder. The exit code is 1 when a cell failed or could not be run; what this
machine lacks is said. uv asks PyPI, or the index that UV_DEFAULT_INDEX or PIP_INDEX_URL names.

    python -m tests.matrix [--list] [--cells PATTERN]... [--tests PATH]... [--jobs N] [--write] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.compat.workbench import IndexUnavailableError, build_wheel
from tests.matrix.cells import MINORS, Age, Cell, all_cells, named_cells, usual_cells
from tests.matrix.environment import ROOT, ToolUnavailableError, UnsolvableError, Uv, newest_pre_release, prepare
from tests.matrix.pythons import Interpreter, ask, find_pythons
from tests.matrix.running import Outcome, run_tests
from tests.matrix.table import Row, json_of, line_of, markdown_of
from tests.page_sections import RELIABILITY, machine, write_section

#: What `make test` runs with the oldest requirements: the wheel itself, what a recording says of every outcome and
#: attempt, and whole systems with pytest, xdist, shipper, recorder and command line.
SHORT_TESTS = (
    "tests/meta/test_modules.py",
    "tests/meta/test_wheel.py",
    "tests/plugin/test_outcomes.py::test_every_outcome",
    "tests/plugin/test_outcomes.py::test_ctrl_c_closes_the_open_test",
    "tests/plugin/test_distribution.py::test_a_worker_that_dies_is_told_and_replaced",
    "tests/plugin/test_retry.py::test_every_attempt_is_kept",
    "tests/plugin/test_retry.py::test_a_flaky_marker_of_the_user_is_recorded_without_our_retries",
    "tests/acceptance/test_worker_problems.py::test_workers_that_record_everything_are_no_problem_for_strict",
    "tests/plugin/test_retry_hook.py::test_it_overrides_patterns_both_ways",
    "tests/shipper/test_connection.py::test_a_redirect_is_not_followed",
    "tests/shipper/test_rendezvous.py",
    "tests/recorder/cli_recorder/test_foreign_folder.py::test_a_lock_that_leads_elsewhere_empties_nothing",
    "tests/recorder/cli/test_end_to_end.py::test_record_and_report",
    "tests/recorder/cli/test_end_to_end.py::test_with_xdist_a_killed_worker_is_a_crash",
)


@dataclass(frozen=True)
class Bench:
    """What all cells of one campaign share."""

    uv: Uv
    folder: Path
    wheel: Path
    pythons: dict[int, Interpreter]
    pre_release: str | None
    tests: Sequence[str]
    workers: int

    def run(self, cell: Cell) -> Row:
        """Makes the cell's environment and runs its tests there. Raises ToolUnavailableError."""
        python = self.pythons[cell.minor]
        version = ".".join(map(str, python.version))
        try:
            environment = prepare(self.uv, cell, python, self.folder, self.wheel, self.pre_release)
        except UnsolvableError as error:
            return Row(cell, version, {}, Outcome(problem=str(error)))
        outcome = run_tests(environment, self.tests, self.folder / "results", self.workers)
        return Row(cell, version, environment.versions, outcome)


def run_cells(cells: Sequence[Cell], run: Callable[[Cell], Row], jobs: int) -> list[Row]:
    """The rows of all cells, ``jobs`` at a time; prints each as it ends."""

    def told(cell: Cell) -> Row:
        print(f"{cell.name}: begins", flush=True)
        row = run(cell)
        print(line_of(row), flush=True)
        return row

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(told, cells))


def short(uv: Uv, folder: Path, wheel: Path | None, workers: int) -> int:
    """This Python with everything oldest, a selection of tests; without uv or index only CI fails."""
    running = ask(Path(sys.executable))
    if running is None:
        raise SystemExit(f"error: {sys.executable} is no released CPython")
    cell = Cell(running.minor, Age.OLDEST, Age.OLDEST, Age.OLDEST)
    try:
        uv.install()
        built = wheel or build_wheel(folder / "wheel")
        bench = Bench(uv, folder, built, {running.minor: running}, None, SHORT_TESTS, workers)
        (row,) = run_cells([cell], bench.run, 1)
    except (ToolUnavailableError, IndexUnavailableError) as error:
        print(f"NOT RUN: the oldest requirements were not tested: {error}", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    return 0 if row.outcome.good else 1


def campaign(uv: Uv, options: argparse.Namespace) -> int:
    """All cells that are asked for, and their table; raises ToolUnavailableError, IndexUnavailableError."""
    pythons = find_pythons(MINORS)
    missing = [f"Python 3.{minor}: no interpreter here" for minor in MINORS if minor not in pythons]
    uv.install()
    pre_release = newest_pre_release(uv, next(iter(pythons.values())))
    if pre_release is None:
        missing.append("a pre-release of pytest: the index has none that is newer than its newest release")
    every = all_cells(pythons, pre_release=pre_release is not None)
    try:
        cells = named_cells(every, options.cells) if options.cells else usual_cells(every)
    except LookupError as error:
        raise SystemExit(f"error: {error.args[0]}") from None
    if options.list:
        chosen = set(cells)
        print("\n".join(f"{'*' if cell in chosen else ' '} {cell.name}" for cell in every))
    print("\n".join(f"NOT SEEN: {what}" for what in missing), flush=True)
    if options.list:
        return 0
    wheel = options.wheel or build_wheel(options.folder / "wheel")
    tests = options.tests or ["tests"]
    bench = Bench(uv, options.folder, wheel, pythons, pre_release, tests, options.workers)
    rows = run_cells(cells, bench.run, options.jobs)
    table = markdown_of(rows, missing)
    print(f"\n{table}")
    if options.write:
        ran = f"`python -m tests.matrix`, tests: {', '.join(f'`{test}`' for test in tests)}."
        write_section("matrix", f"## The matrix\n\n{machine([])}\n\n{ran}\n\n{table}", to=RELIABILITY)
    if options.json:
        options.json.write_text(json.dumps(json_of(rows, missing), indent=1) + "\n")
    return 0 if all(row.outcome.good for row in rows) else 1


def main() -> int:
    """Runs what the command line asks for; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--list", action="store_true", help="all cells that can be had here; * marks those that would run"
    )
    parser.add_argument(
        "--cells", action="append", metavar="PATTERN", help="only cells of such names: 3.12-*, '*' for all"
    )
    parser.add_argument("--tests", action="append", metavar="PATH", help="only these tests (default: tests)")
    parser.add_argument(
        "--short", action="store_true", help="what make test runs: this Python, all oldest, a few tests"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="cells at a time (default: 1)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="xdist workers of each cell (default: 2)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything")
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="a built wheel (default: one is built)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", metavar="FOLDER", help="environments and logs")
    options = parser.parse_args()
    options.folder = options.folder.absolute()
    uv = Uv(options.folder)
    if options.short:
        return short(uv, options.folder, options.wheel, options.workers)
    try:
        return campaign(uv, options)
    except (ToolUnavailableError, IndexUnavailableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
