"""What recording costs the test process, beside the reporting plugins people use today.

One interleaved run (round robin, medians, ratios within a round). CPU is user + system time of the pytest process
alone, as the kernel accounts it: the detached shipper and recorder are other processes and not part of it.

    python -m benchmarks.overhead [--write] [--json FILE] [--rounds N] [--check]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.peers import CASES, INACTIVE, ROOT, BenchEnvironment, Case, bench_environment, clean_environment
from tests.children import Cost, Program, paired_difference, paired_ratio, round_robin
from tests.page_sections import machine, table, write_section

Costs = Mapping[str, Sequence[Cost]]
FILES = 50

GOAL_CPU_RATIO = 1.05
GOAL_MEMORY_MIB = 2.0
GOAL_INACTIVE_MS = 2.0
GOAL_ACTIVE_MS = 15.0


@dataclass(frozen=True)
class Measurement:
    """All costs of one benchmark run, and how large it was."""

    cpu: Costs
    memory: Costs
    startup: Costs
    cpu_tests: int
    memory_tests: int


def make_suite(folder: Path, tests: int) -> Path:
    """A folder of trivial tests, spread over up to ``FILES`` files."""
    (folder / "out").mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    files = min(FILES, tests)
    for number in range(files):
        count = tests // files + (number < tests % files)
        body = "\n\n".join(f"def test_{index}():\n    pass" for index in range(count))
        (folder / f"test_trivial_{number:02}.py").write_text(body + "\n")
    return folder


def measure(
    environment: BenchEnvironment, cases: Sequence[Case], suite: Path, rounds: int, recorder: Path
) -> dict[str, list[Cost]]:
    """The costs of each case on one suite."""
    variables = clean_environment(SEMANTEST_DIR=str(recorder), PYTEST_ADDOPTS="-p no:cacheprovider")
    programs = [Program(case.name, environment.command(case), suite, variables) for case in cases]
    return round_robin(programs, rounds)


def measure_everything(environment: BenchEnvironment, options: argparse.Namespace, folder: Path) -> Measurement:
    """All three benchmarks, with one recorder that is stopped at the end."""
    recorder = folder / ".semantest"
    cases = [case for case in CASES if not options.only or case.name in ("bare", "semantest", *options.only)]
    starting = (*CASES[:2], INACTIVE)
    try:
        cpu = measure(environment, cases, make_suite(folder / "cpu", options.tests), options.rounds, recorder)
        startup = measure(environment, starting, make_suite(folder / "startup", 1), options.startup_rounds, recorder)
        memory = measure(
            environment, cases, make_suite(folder / "memory", options.memory_tests), options.memory_rounds, recorder
        )
    finally:
        stop = [str(environment.python.parent / "semantest-recorder"), "stop", "--directory", str(recorder)]
        subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Measurement(cpu, memory, startup, options.tests, options.memory_tests)


def _cpu(costs: Costs, name: str) -> list[float]:
    return [cost.cpu_ms for cost in costs[name]]


def _wall(costs: Costs, name: str) -> list[float]:
    return [cost.wall_ms for cost in costs[name]]


def _peak(costs: Costs, name: str) -> float:
    return median(cost.peak_mib for cost in costs[name])


def overhead_table(measured: Measurement) -> str:
    """CPU and memory of every case, as Markdown."""
    rows = [
        (
            name,
            f"{median(_cpu(measured.cpu, name)):.0f}",
            f"{paired_ratio(_cpu(measured.cpu, name), _cpu(measured.cpu, 'bare')):.3f}",
            f"{median(_wall(measured.cpu, name)):.0f}",
            f"{_peak(measured.memory, name):.1f}",
            f"{_peak(measured.memory, name) - _peak(measured.memory, 'bare'):+.1f}",
        )
        for name in measured.cpu
    ]
    return table(("", "CPU ms", "CPU ratio", "wall ms", "peak MiB", "MiB over bare"), rows)


def startup_table(measured: Measurement) -> str:
    """What the plugin adds to a run of one test, as Markdown."""
    names = {"inactive": "installed, not active", "semantest": "`--semantest`"}
    rows = [
        (
            label,
            f"{paired_difference(_cpu(measured.startup, name), _cpu(measured.startup, 'bare')):+.1f}",
            f"{paired_difference(_wall(measured.startup, name), _wall(measured.startup, 'bare')):+.1f}",
        )
        for name, label in names.items()
    ]
    return table(("", "CPU ms over bare", "wall ms over bare"), rows)


def goals(measured: Measurement) -> list[tuple[str, float, float]]:
    """(what, measured, limit) of each goal of the project."""
    ratios = {name: paired_ratio(_cpu(measured.cpu, name), _cpu(measured.cpu, "bare")) for name in measured.cpu}
    ours = ratios.pop("semantest")
    peers = {name: ratio for name, ratio in ratios.items() if name != "bare"}
    bare_startup = _cpu(measured.startup, "bare")
    found = [
        ("CPU ratio", ours, GOAL_CPU_RATIO),
        (
            "memory over bare, MiB",
            _peak(measured.memory, "semantest") - _peak(measured.memory, "bare"),
            GOAL_MEMORY_MIB,
        ),
        ("inactive, CPU ms", paired_difference(_cpu(measured.startup, "inactive"), bare_startup), GOAL_INACTIVE_MS),
        (
            "active start-up, CPU ms",
            paired_difference(_cpu(measured.startup, "semantest"), bare_startup),
            GOAL_ACTIVE_MS,
        ),
    ]
    if peers:
        cheapest = min(peers, key=peers.__getitem__)
        found.insert(1, (f"CPU ratio below every peer ({cheapest})", ours, peers[cheapest]))
    return found


def section(measured: Measurement, environment: BenchEnvironment, options: argparse.Namespace) -> str:
    """The text of docs/benchmarks.md."""
    shown = ("pytest", "pytest-xdist", "pytest-semantest", "pytest-reportlog", "pytest-json-report", "pytest-html")
    versions = [f"{name} {environment.versions[name]}" for name in (*shown, "allure-pytest")]
    verdicts = [
        (what, f"{value:.3f}", f"{limit:.3f}", "yes" if value <= limit else "NO")
        for what, value, limit in goals(measured)
    ]
    return f"""## What recording costs the test process

{machine(versions)}

CPU is user + system time of the pytest process alone on {measured.cpu_tests:,} trivial tests, medians of
{options.rounds} interleaved rounds; ratios are medians of the ratio to bare within a round. Bare is the same
environment with `-p no:semantest`; pytest-xdist and pytest-rerunfailures are loaded in all of them, other plugins only
in their own row. Wall time includes Semantest's wait for the last acknowledgement. Memory is the peak of the pytest
process at {measured.memory_tests:,} tests (median of {options.memory_rounds}).

{overhead_table(measured)}

Start-up, on a suite of one test (medians of {options.startup_rounds} paired differences, recorder already running):

{startup_table(measured)}

{table(("goal", "measured", "limit", "reached"), verdicts)}
"""


def as_json(measured: Measurement, environment: BenchEnvironment) -> dict[str, object]:
    """All single costs, for own evaluations."""

    def plain(costs: Costs) -> dict[str, list[dict[str, float]]]:
        return {name: [vars(cost) for cost in found] for name, found in costs.items()}

    return {
        "versions": dict(environment.versions),
        "cpu": plain(measured.cpu),
        "memory": plain(measured.memory),
        "startup": plain(measured.startup),
        "goals": [{"goal": what, "measured": value, "limit": limit} for what, value, limit in goals(measured)],
    }


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds of the CPU benchmark")
    parser.add_argument("--startup-rounds", type=int, default=40, help="interleaved rounds of the start-up benchmark")
    parser.add_argument("--memory-rounds", type=int, default=3, help="interleaved rounds of the memory benchmark")
    parser.add_argument("--tests", type=int, default=5000, help="tests of the CPU benchmark")
    parser.add_argument("--memory-tests", type=int, default=20000, help="tests of the memory benchmark")
    parser.add_argument(
        "--only", action="append", metavar="CASE", help="only this case beside bare and semantest; may be repeated"
    )
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv-bench", help="made when it is not there")
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single cost")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a goal is not reached")
    return parser.parse_args(given)


def main() -> int:
    """Measures, prints, writes; gives the exit code."""
    options = arguments()
    environment = bench_environment(options.environment.absolute())
    with tempfile.TemporaryDirectory(prefix="semantest-bench-") as folder:
        measured = measure_everything(environment, options, Path(folder))
    text = section(measured, environment, options)
    print(text)
    if options.write:
        write_section("overhead", text)
    if options.json:
        options.json.write_text(json.dumps(as_json(measured, environment), indent=1) + "\n")
    missed = [what for what, value, limit in goals(measured) if value > limit]
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
