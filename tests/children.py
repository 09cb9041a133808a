"""Runs programs and tells what each cost by itself: CPU, wall time and peak memory from the kernel's own account."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


class ChildFailedError(Exception):
    """A measured program ended with another exit code than the one expected; its number would mean nothing."""


@dataclass(frozen=True)
class Cost:
    """What one process used: CPU and wall time in milliseconds, peak resident memory in MiB.

    Children it waited for are part of it; detached ones (Semantest's shipper and recorder) are not.
    """

    cpu_ms: float
    wall_ms: float
    peak_mib: float


@dataclass(frozen=True)
class Program:
    """A command to measure, with what must be removed before each run so that all runs do the same."""

    name: str
    command: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    exit_code: int = 0


def run(program: Program) -> Cost:
    """Runs the program once; raises ChildFailedError when it does not end as it should."""
    log = program.cwd / "last-output.log"
    with open(log, "wb") as output:
        begin = time.perf_counter()
        child = subprocess.Popen(
            program.command,
            cwd=program.cwd,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != program.exit_code:
        tail = log.read_text(errors="replace")[-3000:]
        raise ChildFailedError(f"{program.name}: exit code {child.returncode}, expected {program.exit_code}\n{tail}")
    return Cost((usage.ru_utime + usage.ru_stime) * 1000, wall * 1000, usage.ru_maxrss / 1024)


def round_robin(programs: Sequence[Program], rounds: int) -> dict[str, list[Cost]]:
    """Costs by program name, one per round.

    Every round runs each program once, in an order that rotates, so that a slow minute of the machine meets all of
    them. A first round, not counted, fills the caches.
    """
    costs: dict[str, list[Cost]] = {program.name: [] for program in programs}
    for number in range(rounds + 1):
        turn = number % len(programs)
        for program in (*programs[turn:], *programs[:turn]):
            cost = run(program)
            if number:
                costs[program.name].append(cost)
    return costs


def paired_ratio(costs: Sequence[float], baseline: Sequence[float]) -> float:
    """Median over the rounds of cost / baseline of the same round."""
    return median(cost / base for cost, base in zip(costs, baseline, strict=True))


def paired_difference(costs: Sequence[float], baseline: Sequence[float]) -> float:
    """Median over the rounds of cost - baseline of the same round."""
    return median(cost - base for cost, base in zip(costs, baseline, strict=True))
