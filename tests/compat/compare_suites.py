"""Runs the suites of well-known packages bare and with ``--semantest`` and compares them test by test.

Everything is cached below the user's cache folder: inside this checkout its conftest would be the suites' as well. The
exit code is 1 when recording changed an outcome, an exit code or pytest's last line, or when Semantest's report differs
from the JUnit file of the same run. A test that differs between two bare runs is flaky by itself: it is listed and not
counted.

    python -m tests.compat.compare_suites [--only NAME]... [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.compat.outcomes import Difference, Observed, compare_report, compare_runs, counted, unstable
from tests.compat.packages import PACKAGES, SHORT, Package
from tests.compat.workbench import (
    IndexUnavailableError,
    SuiteBrokenError,
    Workbench,
    build_wheel,
    prepare,
    read_report,
    run_suite,
)

MODES = {"-n 0": ("-n", "0"), "-n 2": ("-n", "2")}
OWN = "own"
EXTRA_BARE_RUNS = 2


@dataclass(frozen=True)
class Comparison:
    """One suite in one mode: how large, how long (seconds), what differed."""

    package: str
    mode: str
    tests: int
    exit_code: int
    bare_seconds: float
    recorded_seconds: float
    differences: list[Difference]
    flaky_by_itself: list[str]


def modes_of(package: Package) -> dict[str, tuple[str, ...]]:
    """pytest arguments by mode."""
    return {**MODES, OWN: ()} if package.own_distribution else dict(MODES)


def compare_mode(bench: Workbench, mode: str, arguments: Sequence[str]) -> Comparison:
    """Runs the suite both ways in one mode; more bare runs only when something differs.

    Raises SuiteBrokenError when it cannot be observed, or does not even run to its end without us.
    """
    tag = mode.strip("-").replace(" ", "")
    bare, bare_seconds = _timed(bench, f"{tag}-bare", arguments, recorded=False)
    if bare.exit_code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise SuiteBrokenError(f"{bench.package.name} {tag}: the bare suite ends with exit code {bare.exit_code}")
    recorded, recorded_seconds = _timed(bench, f"{tag}-recorded", arguments, recorded=True)
    differences = compare_runs(bare, recorded)
    by_themselves: frozenset[str] = frozenset()
    if differences:
        again = [
            run_suite(bench, f"{tag}-bare-{number}", arguments, recorded=False) for number in range(EXTRA_BARE_RUNS)
        ]
        by_themselves = unstable([bare, *again])
    report = read_report(bench, f"{tag}-recorded")
    found = [*counted(differences, by_themselves), *compare_report(recorded, report)]
    return Comparison(
        package=bench.package.pin,
        mode=mode,
        tests=sum(map(len, recorded.outcomes.values())),
        exit_code=recorded.exit_code,
        bare_seconds=round(bare_seconds, 1),
        recorded_seconds=round(recorded_seconds, 1),
        differences=found,
        flaky_by_itself=sorted(by_themselves),
    )


def compare_package(package: Package, folder: Path, wheel: Path) -> list[Comparison]:
    """All modes of one package; raises IndexUnavailableError, SuiteBrokenError."""
    bench = prepare(package, folder, wheel)
    return [compare_mode(bench, mode, arguments) for mode, arguments in modes_of(package).items()]


def line_of(comparison: Comparison) -> str:
    """One line of the printed table, and what differed below it."""
    head = (
        f"{comparison.package:26} {comparison.mode:5} {comparison.tests:7} testcases   exit {comparison.exit_code}   "
        f"bare {comparison.bare_seconds:6.1f} s   recorded {comparison.recorded_seconds:6.1f} s   "
        f"{len(comparison.differences)} differences"
    )
    details = [f"    {difference}" for difference in comparison.differences[:20]]
    details += [f"    flaky by itself, not counted: {what}" for what in comparison.flaky_by_itself[:20]]
    return "\n".join((head, *details))


def _timed(bench: Workbench, name: str, arguments: Sequence[str], *, recorded: bool) -> tuple[Observed, float]:
    begin = time.perf_counter()
    observed = run_suite(bench, name, arguments, recorded=recorded)
    return observed, time.perf_counter() - begin


def user_cache() -> Path:
    """Where programs of this user keep what they can make again (XDG base directories)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def main() -> int:
    """Compares, prints; gives the exit code."""
    known = {package.name: package for package in (*PACKAGES, SHORT)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=sorted(known), help="only this package; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all comparisons")
    parser.add_argument(
        "--cache", type=Path, default=user_cache() / "semantest-compat", help="environments and sources"
    )
    options = parser.parse_args()
    cache: Path = options.cache.absolute()
    comparisons: list[Comparison] = []
    broken = 0
    try:
        wheel = build_wheel(cache / "wheel")
    except IndexUnavailableError as error:
        print(f"error: the project's wheel could not be built: {error}", file=sys.stderr)
        return 2
    for name in options.only or known:
        try:
            for comparison in compare_package(known[name], cache / name, wheel):
                comparisons.append(comparison)
                print(line_of(comparison), flush=True)
        except (IndexUnavailableError, SuiteBrokenError) as error:
            broken += 1
            print(f"{known[name].pin}: NOT COMPARED: {error}", file=sys.stderr, flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(comparison) for comparison in comparisons], indent=1) + "\n")
    different = sum(len(comparison.differences) for comparison in comparisons)
    print(f"{len(comparisons)} comparisons, {different} differences, {broken} packages not compared")
    return 1 if different or broken else 0


if __name__ == "__main__":
    sys.exit(main())
