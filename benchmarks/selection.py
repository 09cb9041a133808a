"""How much sooner a failure shows, and how evenly shards are loaded: real suites, real runs, real histories.

Successive releases of pure-Python packages with the suites in their source archives. The history of a package is the
suite of each release, recorded with the code of that release. Two kinds of regressions follow it:

- ``newer tests``: the tests of a release with the code of the release before it, by the history up to that one. What
  fails are tests of what was mended or added.
- ``mutants``: the code of the last release with one operator, comparison or constant of it changed (drawn by the seed,
  those that no test notices left out), by the history of all releases. No test was changed, none failed before.

For each regression pytest runs three times, each in a process of its own: in the order of collection, with
``--semantest-order likely-to-fail``, and with ``--semantest-budget`` of a quarter of what the suite takes. The time to
the first failure runs from the start of the first test. ``shorter`` is by how much the second time is shorter than the
first, ``by durations`` the same computed from the durations of the first run, where nothing else on the machine
counts, and ``shortest first`` what an order would give that knows durations and nothing else. ``found``: whether the
budget's run failed. Shards are computed from the recorded durations of the last release.

    python -m benchmarks.selection [--packages toolz,boltons] [--mutants 8] [--seed 1] [--directory FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from pytest_semantest.selection.candidate import OVERHEAD_MS, Collected, with_history
from pytest_semantest.selection.order import ordered
from pytest_semantest.selection.shard import shards
from pytest_semantest.selection.snapshot import parse_snapshot
from tests.compat.packages import Package
from tests.compat.workbench import PIP, ROOT, _source, build_wheel
from tests.histories.database import BENCH

#: A mutant, or new tests of old code, may never end: such a case is left out.
TIMEOUT_S = 90
SHARDS = (2, 4, 8)


@dataclass(frozen=True)
class Releases:
    """A package and some of its successive releases, the oldest first. ``code`` and ``tests`` lie in the archive."""

    name: str
    versions: tuple[str, ...]
    code: str
    tests: str
    requirements: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """What is on the path of Python."""
        return str(Path(self.code).parent)


PACKAGES = (
    Releases("toolz", ("0.11.2", "0.12.1", "1.0.0", "1.1.0", "1.2.0"), "toolz", "toolz/tests"),
    Releases("boltons", ("23.1.1", "24.0.0", "24.1.0", "25.0.0", "26.0.0", "26.2.0"), "boltons", "tests"),
    Releases("more-itertools", ("10.5.0", "10.6.0", "10.7.0", "10.8.0", "11.0.2", "11.2.1"), "more_itertools", "tests"),
    Releases("click", ("8.1.8", "8.2.1", "8.3.0", "8.4.0", "8.5.1"), "src/click", "tests"),
    Releases("jinja2", ("3.1.2", "3.1.3", "3.1.4", "3.1.5", "3.1.6"), "src/jinja2", "tests", ("trio", "markupsafe")),
)


def main() -> int:
    """Prints the tables, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", default=",".join(package.name for package in PACKAGES))
    parser.add_argument("--mutants", type=int, default=8, help="of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=BENCH / "selection", help="where archives and histories are")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    names = options.packages.split(",")
    options.directory.mkdir(parents=True, exist_ok=True)
    python = environment(options.directory, [package for package in PACKAGES if package.name in names])
    result: dict[str, Any] = {}
    for package in PACKAGES:
        if package.name in names:
            bench = Bench(package, options.directory / package.name, python)
            result[package.name] = bench.measure(options.mutants, options.seed)
            print(f"{package.name}: {len(result[package.name]['cases'])} regressions", file=sys.stderr)
    print(json.dumps(result, indent=1) if options.json else table(result))
    return 0


def environment(folder: Path, packages: Sequence[Releases]) -> Path:
    """The Python with this project's wheel and what the suites need."""
    python = folder / "environment" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(python.parents[1])], check=True)
    wheel = build_wheel(folder / "wheel")
    needed = [needs for package in packages for needs in (package.name, *package.requirements)]
    into = [sys.executable, *PIP, "--python", str(python), "install", "--no-compile"]
    subprocess.run([*into, *needed, str(wheel)], check=True)
    subprocess.run([*into, "--force-reinstall", "--no-deps", str(wheel)], check=True)
    return python


class Bench:
    """One package: its trees, its history, and what was measured on them."""

    def __init__(self, package: Releases, folder: Path, python: Path) -> None:
        self._package, self._folder, self._python = package, folder, python
        self._work = folder / "work"
        self._semantest = folder / "semantest"

    def measure(self, mutants: int, seed: int) -> dict[str, Any]:
        """All regressions of the package, and its shards."""
        shutil.rmtree(self._semantest, ignore_errors=True)
        cases: list[dict[str, Any]] = []
        try:
            trees = [self._tree(version) for version in self._package.versions]
            for number, tree in enumerate(trees):
                if number:
                    cases += self._newer_tests(trees[number - 1], tree)
                self._place(tree)
                whole = self._run("--semantest")
                self._ship()
            cases += self._mutants(trees[-1], mutants, random.Random(f"{seed} {self._package.name}"), whole["total"])
            return {"tests": whole["tests"], "seconds": whole["total"], "cases": cases, "shards": self._shards(whole)}
        finally:
            self._semantest_command("semantest-recorder", "stop")

    def _newer_tests(self, older: Path, newer: Path) -> Iterator[dict[str, Any]]:
        self._place(older)
        shutil.rmtree(self._work / self._package.tests)
        shutil.copytree(newer / self._package.tests, self._work / self._package.tests)
        yield from self._case("newer tests", newer.parent.name.removeprefix("source-"))

    def _mutants(self, tree: Path, number: int, dice: random.Random, seconds: float) -> Iterator[dict[str, Any]]:
        """Until so many were noticed; of each file as many as of any other, as far as there are."""
        found = 0
        for _ in range(number * 5):
            self._place(tree)
            code = self._work / self._package.code
            files = sorted(file for file in code.rglob("*.py") if "tests" not in file.relative_to(code).parts)
            where = mutate(dice.choice(files), dice)
            if where is None:
                continue
            for case in self._case("mutant", where, seconds):
                found += 1
                yield case
            if found == number:
                return

    def _case(self, kind: str, name: str, seconds: float | None = None) -> Iterator[dict[str, Any]]:
        plain = self._run()
        if not plain or plain["firstFailure"] is None:
            return
        snapshot = (self._semantest / "test-snapshot.json").read_text()
        kept = self._folder / "cases" / f"{kind}-{re.sub(r'[^A-Za-z0-9.]+', '-', name)}.json"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps({"plain": plain, "snapshot": snapshot}))
        sooner = self._run("--semantest-order", "likely-to-fail", "-x")
        budget = 0.25 * (seconds or plain["total"])
        chosen = self._run("--semantest-budget", f"{budget:.3f}s")
        if not sooner or not chosen or sooner["firstFailure"] is None:
            return
        yield {
            "kind": kind,
            "name": name,
            "failed": len(plain["failed"]),
            "defaultS": plain["firstFailure"],
            "likelyS": sooner["firstFailure"],
            "shorter": 1 - sooner["firstFailure"] / plain["firstFailure"],
            **replayed(plain, snapshot),
            "budgetS": budget,
            "budgetTookS": chosen["total"],
            "found": bool(chosen["failed"]),
        }

    def _tree(self, version: str) -> Path:
        return _source(Package(self._package.name, version, ""), self._folder / version)

    def _place(self, tree: Path) -> None:
        """Always the same folder, so that compiled files and paths are those of any other run."""
        shutil.rmtree(self._work, ignore_errors=True)
        shutil.copytree(tree, self._work)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "SEMAN"))}
        kept.pop("CI", None)
        return kept | {
            "PYTHONPATH": os.pathsep.join([str(self._work / self._package.root), str(ROOT / "benchmarks")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "SEMANTEST_DIR": str(self._semantest),
            "SELECTION_PROBE": str(self._folder / "probe.json"),
        }

    def _run(self, *arguments: str) -> dict[str, Any]:
        """What the probe saw; empty when the suite could not be collected."""
        probe = self._folder / "probe.json"
        probe.unlink(missing_ok=True)
        usual = ("-q", "-p", "selection_probe", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:rerunfailures")
        command = [str(self._python), "-m", "pytest", *usual, "-W", "ignore", self._package.tests, *arguments]
        with open(self._folder / "output.log", "wb") as output, suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command,
                cwd=self._work,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT_S,
                check=False,
            )
        found: dict[str, Any] = json.loads(probe.read_text()) if probe.exists() else {}
        return found if found.get("tests") else {}

    def _ship(self) -> None:
        """The history is there, and the snapshot of it: the recorder writes it at its end."""
        self._semantest_command("semantest", "sync")
        self._semantest_command("semantest-recorder", "stop")

    def _semantest_command(self, *command: str) -> None:
        program = self._python.with_name(command[0])
        subprocess.run(
            [str(program), *command[1:]], cwd=self._folder, env=self._environment(), capture_output=True, check=False
        )

    def _shards(self, whole: dict[str, Any]) -> dict[int, float]:
        """By how much the longest shard is longer than the ideal one."""
        snapshot = parse_snapshot((self._semantest / "test-snapshot.json").read_bytes())
        suite = with_history(collected_of(whole), snapshot)
        times = [candidate.own_ms for candidate in suite.candidates]
        found = {}
        for number in SHARDS:
            loads = [sum(times[at] for at in members) for members in shards(suite, number)]
            found[number] = max(loads) / max(sum(times) / number, *times) - 1
        return found


def replayed(plain: dict[str, Any], snapshot: str) -> dict[str, float]:
    """By how much sooner the first failure of a run would have come, by the durations of its tests."""
    suite = with_history(collected_of(plain), parse_snapshot(snapshot.encode()))
    names = [candidate.test.id for candidate in suite.candidates]
    failed, durations = set(plain["failed"]), plain["durations"]

    def first_failure(order: Sequence[int]) -> float:
        passed = takewhile(lambda at: names[at] not in failed, order)
        return sum((float(durations.get(names[at], 0.0)) + OVERHEAD_MS / 1000 for at in passed), 0.0)

    default = first_failure(range(len(names))) or OVERHEAD_MS / 1000
    shortest = sorted(range(len(names)), key=lambda at: suite.candidates[at].own_ms)
    return {
        "simulated": 1 - first_failure(ordered(suite, "likely-to-fail")) / default,
        "simulatedShortest": 1 - first_failure(shortest) / default,
    }


def collected_of(run: dict[str, Any]) -> list[Collected]:
    """What the probe saw of the tests that were collected."""
    found = []
    for name, places, code in run["collected"]:
        shares, variant = ast.literal_eval(places)
        found.append(Collected(name, name.partition("::")[0], shares, variant, code))
    return found


_SWAPS: dict[type[ast.AST], str] = {
    ast.Lt: ">=",
    ast.LtE: ">",
    ast.Gt: "<=",
    ast.GtE: "<",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}


def mutate(file: Path, dice: random.Random) -> str | None:
    """Changes one comparison, sum, difference or number in a function of the file; says where, ``None`` for nowhere."""
    text = file.read_text()
    lines = text.splitlines(keepends=True)
    found: list[tuple[int, int, int, str]] = []
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                found += _mutations(node, lines)
    if not found:
        return None
    row, start, end, instead = dice.choice(sorted(set(found)))
    line = lines[row].encode()
    lines[row] = (line[:start] + instead.encode() + line[end:]).decode()
    changed = "".join(lines)
    try:
        ast.parse(changed)
    except SyntaxError:
        return None
    file.write_text(changed)
    return f"{file.name}:{row + 1} {instead}"


def _mutations(node: ast.AST, lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and node.left.end_lineno == node.comparators[0].lineno:
        start, end = node.left.end_col_offset, node.comparators[0].col_offset
        swap = _SWAPS.get(type(node.ops[0]))
        if swap and start is not None and node.left.end_lineno is not None:
            between = lines[node.left.end_lineno - 1].encode()[start:end].decode()
            if "(" not in between and ")" not in between:
                yield node.left.end_lineno - 1, start, end, f" {swap} "
    elif isinstance(node, ast.Constant) and type(node.value) is int and node.end_col_offset is not None:
        yield node.lineno - 1, node.col_offset, node.end_col_offset, str(node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool and node.end_col_offset is not None:
        yield node.lineno - 1, node.col_offset, node.end_col_offset, str(not node.value)


def table(result: dict[str, Any]) -> str:
    """The numbers as text; spreads are quartiles."""
    head = f"{'suite':15}{'tests':>6}{'s':>6}  {'regressions':15}{'first failure s':>16}"
    lines = [f"{head}{'shorter by %':>15}{'by durations':>16}{'shortest first':>16}{'budget found':>14}"]
    every: list[dict[str, Any]] = []
    for name, found in result.items():
        every += found["cases"]
        lines += [
            _line(f"{name:15}{found['tests']:>6}{found['seconds']:>6.1f}", found["cases"], kind) for kind in _KINDS
        ]
    lines += [_line(f"{'all':27}", every, kind) for kind in _KINDS]
    lines += [_line(f"{'all':27}", every), "", "Longest shard beyond the ideal one (durations of the last release)"]
    for name, found in result.items():
        each = "".join(f"{number:>5} shards {100 * beyond:4.1f} %" for number, beyond in found["shards"].items())
        lines.append(f"{name:15}{each}")
    return "\n".join(line.rstrip() for line in lines)


_KINDS = ("newer tests", "mutant")


def _line(head: str, every: Sequence[dict[str, Any]], kind: str = "") -> str:
    cases = [case for case in every if kind in case["kind"]]
    line = f"{head}  {(kind or 'all') + f' {len(cases)}':15}"
    if not cases:
        return line
    times = f"{median(case['defaultS'] for case in cases):.2f} -> {median(case['likelyS'] for case in cases):.2f}"
    numbers = [_spread([case[name] for case in cases]) for name in ("shorter", "simulated", "simulatedShortest")]
    caught = f"{sum(case['found'] for case in cases)} of {len(cases)}"
    return f"{line}{times:>16}{numbers[0]:>15}{numbers[1]:>16}{numbers[2]:>16}{caught:>14}"


def _spread(shares: Sequence[float]) -> str:
    low, middle, high = quantiles(shares, n=4, method="inclusive") if len(shares) > 1 else (shares[0],) * 3
    return f"{100 * middle:.0f} ({100 * low:.0f}..{100 * high:.0f})"


if __name__ == "__main__":
    sys.exit(main())
