"""Ingest with the guard and the six built-in plugins against ingest without: events per second that are acknowledged.

The run of ``benchmarks/ingest.py`` goes through ``Writer.submit``, in turn: alone; behind the guard (types, limit,
content scan); behind guard and plugins. The goal is a share of 60 % for the last against the first. Hooks of tests that
are still to be called when all is acknowledged are not counted: ingest does not wait for them, either.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any, Protocol

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ingest import Frame, frames_of_a_run  # type: ignore[import-not-found,unused-ignore]

from semantest_recorder.core.batch import Batch, Committed, Verdict
from semantest_recorder.core.marking import noted
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.security import Security
from semantest_recorder.plugins.builtin import BUILTIN
from semantest_recorder.plugins.configuration import read_section
from semantest_recorder.plugins.dispatch import Dispatcher
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.plugins.writing import PluginWriter
from semantest_recorder.run_reading import RunReading
from semantest_recorder.store.writer import Writer, wall_ms

KINDS = ("alone", "guard", "plugins")


class Submitting(Protocol):
    """A writer, be it behind plugins."""

    def submit(self, batch: Batch, done: Callable[[Verdict], None]) -> None:
        """Queues the batch."""

    def close(self) -> None:
        """Ends."""


def main() -> int:
    """Prints the table, or with ``--json`` the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tests", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    frames = list(frames_of_a_run(options.tests, options.batch))
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for kind in KINDS:
                rates[kind].append(record(Path(folder) / f"{kind}{number}", frames, kind))
    result = figures(rates) | {name: getattr(options, name) for name in ("tests", "batch", "rounds")}
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


def record(folder: Path, frames: Sequence[bytes], kind: str) -> float:
    """Events per second, from the first frame to the last acknowledgement."""
    folder.mkdir()
    writer, close = writer_of(folder, kind)
    security = Security(Policy(max_events_per_second=100_000_000)) if kind != "alone" else None
    decoder = msgspec.json.Decoder(Frame)
    done, problems = Event(), list[Verdict]()
    last = decoder.decode(frames[-1])
    total: int = last.firstSeq + len(last.events) - 1

    def answer(verdict: Verdict) -> None:
        if not isinstance(verdict, Committed):
            problems.append(verdict)
        if problems or (isinstance(verdict, Committed) and verdict.seq == total):
            done.set()

    start = perf_counter()
    for frame in frames:
        message = decoder.decode(frame)
        batch = Batch(message.source, message.firstSeq, message.events, wall_ms())
        if security is not None:
            security.take("benchmark", len(batch.events), batch.received_ms)
            batch = noted(batch, security.marks(frame, batch.events))
        writer.submit(batch, answer)
    if not done.wait(600) or problems:
        raise SystemExit(f"not acknowledged: {problems}")
    seconds = perf_counter() - start
    writer.close()
    close()
    return total / seconds


def writer_of(folder: Path, kind: str) -> tuple[Submitting, Callable[[], None]]:
    """A writer on a new database, behind all built-in plugins if they are measured, and what ends these."""
    path = folder / "semantest.db"
    if kind != "plugins":
        return Writer(path), lambda: None
    enabled = [name for name in BUILTIN if name != "opentelemetry"]  # there is no collector here
    registry = PluginRegistry(read_section({"enabled": enabled, "console": {"tests": "bad"}}))
    registry.load([])
    reading = RunReading(path)
    dispatcher = Dispatcher(
        registry,
        folder,
        known=reading.known_source,
        read_summary=reading.summary,
        read_report=reading.report,
        read_pictures=reading.pictures,
    )
    dispatcher.start()
    return PluginWriter(Writer(path), dispatcher), dispatcher.close


def figures(rates: dict[str, list[float]]) -> dict[str, Any]:
    """Medians, and the median share of each round against the same round alone."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for kind, values in rates.items():
        shares = [value / alone for value, alone in zip(values, rates["alone"], strict=True)]
        found[kind] = {"median": round(statistics.median(values)), "share": round(statistics.median(shares), 3)}
    return found


def table(result: dict[str, Any]) -> str:
    """The numbers for people."""
    lines = [f"{result['tests']} tests, {result['rounds']} rounds: events acknowledged per second"]
    lines += [f"  {kind:<8} {result[kind]['median']:>9,}  {result[kind]['share']:.0%}" for kind in KINDS]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
