"""What one recorded test costs, steadier than whole runs: the recording's hooks on and off in turn in one pytest.

The suite of trivial tests runs once; after every block of tests the hooks around each test are unregistered or
registered again, so both halves meet the same machine, the same memory and the same minute. What is measured is the
CPU time of pytest's own thread over each test's whole protocol. The shipper and the recorder run meanwhile, as they do.

    python -m benchmarks.per_test [--tests N] [--runs N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from statistics import median

import pytest

HOOKS = "semantest-tests"
BLOCK = 150
#: Tests after a switch that are not counted: pytest makes its list of hooks anew.
WARM_UP = 10
RESULT = "SEMANTEST_BENCH_RESULT"


class Toggling:
    """Times every test and switches the recording's hooks after each block."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager
        self._hooks: object = None
        self._count = 0
        self._times: dict[str, list[int]] = {"on": [], "off": []}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Around everything that pytest and its plugins do for one test."""
        block, place = divmod(self._count, BLOCK)
        if place == 0:
            self._switch(block)
        self._count += 1
        begin = time.thread_time_ns()
        result = yield
        spent = time.thread_time_ns() - begin
        if place >= WARM_UP:
            self._times["off" if block % 2 else "on"].append(spent)
        return result

    def _switch(self, block: int) -> None:
        if block % 2:
            self._hooks = self._plugins.unregister(name=HOOKS)
        elif block:
            self._plugins.register(self._hooks, HOOKS)

    def pytest_unconfigure(self) -> None:
        """Hand the medians over, in microseconds."""
        found = {name: median(times) / 1000 for name, times in self._times.items()}
        Path(os.environ[RESULT]).write_text(json.dumps(found))


def pytest_configure(config: pytest.Config) -> None:
    """This module is the plugin of its own measurement."""
    config.pluginmanager.register(Toggling(config))


def measure(tests: int, runs: int) -> list[dict[str, float]]:
    """Microseconds of CPU per test with the hooks ``on`` and ``off``, for each run."""
    # As a plugin this module is imported by the environment that is measured, which has not the benchmarks' modules.
    from benchmarks.overhead import make_suite  # noqa: PLC0415
    from benchmarks.peers import CASES, ROOT, bench_environment, clean_environment  # noqa: PLC0415

    environment = bench_environment(ROOT / ".venv-bench")
    case = next(case for case in CASES if case.name == "semantest")
    found = []
    with tempfile.TemporaryDirectory(prefix="semantest-bench-") as folder:
        suite = make_suite(Path(folder, "suite"), tests)
        recorder, result = Path(folder, "recorder"), Path(folder, "result.json")
        variables = clean_environment(
            SEMANTEST_DIR=str(recorder), PYTHONPATH=str(Path(__file__).parent), **{RESULT: str(result)}
        )
        command = [*environment.command(case), "-p", "per_test", "-p", "no:cacheprovider"]
        try:
            for _ in range(runs):
                subprocess.run(command, cwd=suite, env=variables, check=True, stdout=subprocess.DEVNULL)
                found.append(json.loads(result.read_text()))
        finally:
            stop = [str(environment.python.parent / "semantest-recorder"), "stop", "--directory", str(recorder)]
            subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return found


def main(given: Sequence[str] | None = None) -> int:
    """Measures and prints; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=6000, help="tests of each run")
    parser.add_argument("--runs", type=int, default=5, help="runs, one after the other")
    options = parser.parse_args(given)
    found = measure(options.tests, options.runs)
    print(f"{options.tests} trivial tests, hooks on and off in blocks of {BLOCK}, {options.runs} runs\n")
    print("CPU of a test's protocol      off        on      more")
    for run in found:
        print(f"{'':26}{run['off']:7.1f} us {run['on']:7.1f} us {run['on'] - run['off']:+6.1f} us")
    more = median(run["on"] - run["off"] for run in found)
    share = median(run["on"] / run["off"] for run in found)
    print(f"median: {more:+.1f} us, {share:.3f} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
