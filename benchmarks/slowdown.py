"""What a recorder in trouble costs a suite: pytest beside one that is stopped, absent or throttling.

Each round runs the suite once per state, in an order that rotates: ``bare`` (without the plugin), ``healthy``,
``stopped`` (SIGSTOP before pytest starts), ``absent`` (an address where nobody listens) and ``throttling``
(``--events-per-second``). Every run has a folder and a recorder of its own, which is up before pytest starts and is
gone, with the shipper, when pytest has ended. CPU and wall time are those of the pytest process; at its end it waits
for the last acknowledgement, 2 s at most. ``unwaited`` is the wall time of other runs in the same round, with
``--semantest-flush-timeout=0``.

    python -m benchmarks.slowdown [--tests 5000] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from statistics import median

import psutil

from benchmarks.overhead import make_suite
from benchmarks.peers import CASES, ROOT, BenchEnvironment, bench_environment, clean_environment
from tests.children import Cost, Program, paired_ratio, run

STATES = ("bare", "healthy", "stopped", "absent", "throttling")
#: By default, and without pytest's wait for the last acknowledgement.
WAITS: Mapping[str, tuple[str, ...]] = {"": (), " unwaited": ("--semantest-flush-timeout=0",)}
_LIMIT = "SEMANTEST_POLICY_MAX_EVENTS_PER_SECOND"


def main(given: Sequence[str] | None = None) -> int:
    """Measures and prints; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events-per-second", type=int, default=100, help="what a throttling recorder takes")
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv-bench", help="made when it is not there")
    parser.add_argument("--json", action="store_true", help="print every single cost as JSON")
    options = parser.parse_args(given)
    environment = bench_environment(options.environment.absolute())
    with tempfile.TemporaryDirectory(prefix="semantest-bench-") as folder:
        suite = make_suite(Path(folder, "suite"), options.tests)
        costs = measure(environment, suite, options.rounds, options.events_per_second)
    if options.json:
        print(json.dumps({name: [vars(cost) for cost in found] for name, found in costs.items()}))
        return 0
    print(
        f"{options.tests} trivial tests, {options.rounds} rounds in turn, throttled to {options.events_per_second}/s\n"
    )
    print(table(costs))
    return 0


def measure(environment: BenchEnvironment, suite: Path, rounds: int, limit: int) -> dict[str, list[Cost]]:
    """Costs by state, and by state and wait, one per round; a first round fills the caches."""
    names = [state + wait for wait in WAITS for state in STATES if state != "bare" or not wait]
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            state, _, wait = name.partition(" ")
            cost = run_beside(environment, suite, state, WAITS[f" {wait}" if wait else ""], limit)
            if number:
                costs[name].append(cost)
    return costs


def run_beside(environment: BenchEnvironment, suite: Path, state: str, options: Sequence[str], limit: int) -> Cost:
    """One run of the suite beside a recorder in that state."""
    case = CASES[0] if state == "bare" else CASES[1]
    with (
        tempfile.TemporaryDirectory(prefix="semantest-bench-") as folder,
        recorder(environment, Path(folder, ".semantest"), state, limit) as variables,
    ):
        command = [*environment.command(case), "-p", "no:cacheprovider", *(() if state == "bare" else options)]
        return run(Program(state, command, suite, clean_environment(**variables)))


@contextmanager
def recorder(environment: BenchEnvironment, folder: Path, state: str, limit: int) -> Iterator[dict[str, str]]:
    """The variables of a pytest beside a recorder in that state; neither it nor the shipper outlives this."""
    if state == "bare":
        yield {}
        return
    variables = {"SEMANTEST_DIR": str(folder)}
    if state == "absent":
        try:
            yield variables | {"SEMANTEST_URL": f"http://127.0.0.1:{unused_port()}"}
        finally:
            end_shippers(folder)
        return
    limits = {_LIMIT: str(limit)} if state == "throttling" else {}
    serve = [str(environment.python), "-m", "semantest_recorder.cli.recorder", "serve", "--directory", str(folder)]
    daemon = subprocess.Popen(
        serve, env=clean_environment(**limits), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder.parent
    )
    try:
        if daemon.stdout is None or not daemon.stdout.readline():
            raise SystemExit("the recorder did not start")
        if state == "stopped":
            daemon.send_signal(signal.SIGSTOP)
        yield variables
    finally:
        end_shippers(folder)
        daemon.kill()
        daemon.wait()


def unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


def end_shippers(folder: Path) -> None:
    """Those of the folder's sessions would go on trying."""
    for told in folder.glob("sessions/*/ship.json"):
        with suppress(OSError, ValueError, KeyError, psutil.Error):
            pid = int(json.loads(told.read_bytes())["pid"])
            os.kill(pid, signal.SIGKILL)
            psutil.Process(pid).wait(10)


def table(costs: Mapping[str, Sequence[Cost]]) -> str:
    """Medians, and ratios of the same round, as text."""
    head = f"{'':14}{'CPU ms':>9}{'of bare':>9}{'of healthy':>12}{'wall ms':>10}{'unwaited':>10}{'of bare':>9}"
    lines = [head]
    bare = costs["bare"]
    for state in STATES:
        own, unwaited = costs[state], costs.get(f"{state} unwaited", costs[state])
        cpu = [cost.cpu_ms for cost in own]
        lines.append(
            f"{state:14}{median(cpu):9.0f}{paired_ratio(cpu, [cost.cpu_ms for cost in bare]):9.3f}"
            f"{paired_ratio(cpu, [cost.cpu_ms for cost in costs['healthy']]):12.3f}"
            f"{median(cost.wall_ms for cost in own):10.0f}{median(cost.wall_ms for cost in unwaited):10.0f}"
            f"{paired_ratio([cost.wall_ms for cost in unwaited], [cost.wall_ms for cost in bare]):9.3f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
