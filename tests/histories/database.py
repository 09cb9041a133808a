"""A database with a long history, built by the recorder's own ingest: what commands are measured on.

``--runs`` runs of ``--tests`` tests (``tests/histories/suite.py`` says what becomes of them) go through the writer
in the batches of sessions with four xdist workers each: git and CI context on two thirds of them, retries, flaky tests,
regressions that come with a run and are mended by another, renamed and moved tests, new and deleted ones, slow trends,
skips, warnings, a crashed worker and an interrupted run now and then. The default is a million results.

    python -m tests.histories.database [--runs 100] [--tests 10000] [--seed 1] [--directory FOLDER]

What was built is kept in FOLDER/.semantest and used again as long as schema and numbers are the same; the path of that
folder is printed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from threading import Semaphore
from time import perf_counter
from typing import Any, Final
from zlib import crc32

import msgspec

from semantest_recorder.core.batch import Batch, Committed, RawEvent, Verdict
from semantest_recorder.store.schema import creation_script
from semantest_recorder.store.writer import Writer
from tests.histories.suite import Fate, Suite

#: Changed with every change of what is built.
STORY: Final = 1
BENCH: Final = Path(__file__).resolve().parents[2] / ".bench"
BATCH = 500
WORKERS = ("gw0", "gw1", "gw2", "gw3")
#: 2026-08-01 06:00 UTC, and how far apart runs are: six hours.
FIRST_MS, APART_MS = 1_785_564_000_000.0, 6 * 3_600_000.0
_PLANNED = 500
#: Batches that wait for the writer at most.
_WAITING = 64


def main() -> int:
    """Builds it, unless it is there; prints the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_history_options(parser)
    options = parser.parse_args()
    print(history_folder(options.runs, options.tests, options.seed, options.directory))
    return 0


def add_history_options(parser: argparse.ArgumentParser) -> None:
    """``--runs``, ``--tests``, ``--seed`` and ``--directory``, as ``history_folder`` takes them."""
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, help="default: .bench/history-RUNSxTESTS-SEED of this repository")


def history_folder(runs: int = 100, tests: int = 10_000, seed: int = 1, place: Path | None = None) -> Path:
    """The ``.semantest`` folder with that history, built now if it is not there."""
    place = place or BENCH / f"history-{runs}x{tests}-{seed}"
    folder, note = place / ".semantest", place / "built.json"
    schema = crc32(creation_script().encode())
    wanted = {"story": STORY, "schema": schema, "runs": runs, "tests": tests, "seed": seed}
    if note.exists() and json.loads(note.read_text()) == wanted:
        return folder
    note.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    build(folder / "semantest.db", Suite(runs, tests, seed))
    note.write_text(json.dumps(wanted))
    return folder


def build(database: Path, suite: Suite) -> None:
    """Records every run of the suite. Raises ``SystemExit`` when something is not acknowledged."""
    writer, free, refused = Writer(database), Semaphore(_WAITING), list[Verdict]()

    def answer(verdict: Verdict) -> None:
        if not isinstance(verdict, Committed):
            refused.append(verdict)
        free.release()

    began = perf_counter()
    for number in range(suite.runs):
        session = Session(suite, number)
        session.record()
        for source, events in session.events.items():
            for start in range(0, len(events), BATCH):
                free.acquire()
                chunk = events[start : start + BATCH]
                writer.submit(Batch(f"{session.id}.{source}", start + 1, chunk, chunk[-1].timestamp), answer)
        free.acquire()  # main has ended when everybody else has
        end = session.end()
        writer.submit(Batch(f"{session.id}.main", len(session.events["main"]) + 1, [end], end.timestamp), answer)
        print(f"\r{number + 1} of {suite.runs} runs, {perf_counter() - began:.0f} s", end="", file=sys.stderr)
        if refused:
            break
    writer.close()
    print(file=sys.stderr)
    if refused:
        raise SystemExit(f"not acknowledged: {refused[0]}")


class Session:
    """The events of one run, by worker."""

    def __init__(self, suite: Suite, number: int) -> None:
        self.suite, self.number = suite, number
        self._random = Random(f"{suite.seed} session {number}")
        self._start = FIRST_MS + number * APART_MS + self._random.randrange(3_600_000)
        stamp = datetime.fromtimestamp(self._start / 1000, UTC).strftime("%Y%m%d-%H%M%S")
        self.id = f"{stamp}-{sha256(f'{suite.seed} {number}'.encode()).hexdigest()[:6]}"
        #: What goes wrong with the run itself.
        self._crashed, self._interrupted = number % 40 == 31, number % 40 == 17
        self.events: dict[str, list[RawEvent]] = {"main": [], "shipper": []}
        self._clocks = dict.fromkeys(WORKERS, self._start + 1500.0)
        self._bad = False

    def record(self) -> None:
        """All events but the last one of main."""
        tests = [self.suite.test_id(slot, self.number) for slot in range(len(self.suite.slots))]
        self._open(tests)
        ran = len(tests) * 6 // 10 if self._interrupted else len(tests)
        for slot, fate in enumerate(self.suite.fates(self.number)):
            if slot < ran:
                self._test(tests[slot], slot, fate)
        self._close_workers(tests)

    def end(self) -> RawEvent:
        """The last event of main."""
        payload: dict[str, Any] = {"runId": self.id, "exitCode": int(self._bad), "stoppedEarly": self._interrupted}
        if self._interrupted:
            payload |= {"exitCode": 2, "interrupted": True, "stopReason": "KeyboardInterrupt"}
        return _event("run/end", max(self._clocks.values()) + 300, payload)

    def _open(self, tests: list[str]) -> None:
        on_ci = self._random.random() < 0.66
        host = f"ci-runner-{self._random.randrange(4)}" if on_ci else "laptop"
        for worker in ("main", *WORKERS, "shipper"):
            kind = {"main": "run/start", "shipper": "shipper/start"}.get(worker, "worker/start")
            names = {"runId": self.id, "session": self.id, "source": f"{self.id}.{worker}", "worker": worker}
            process = {"pid": 4000 + self.number * 10 + len(self.events), "host": host}
            facts = self._facts() if worker == "main" else {}
            self._add(worker, kind, self._start, names | process | facts)
        for offset in range(0, len(tests), _PLANNED):
            chunk = tests[offset : offset + _PLANNED]
            plan = {"tests": chunk, "offset": offset, "total": len(tests), "deselected": 0}
            self._add("main", "run/plan", self._start + 1400, plan)
        self._add("shipper", "run/context", self._start + 900, self._context(on_ci))

    def _facts(self) -> dict[str, Any]:
        return {
            "labels": {"suite": "full", "team": ("core", "shop")[self.number % 2]},
            "rootdir": "/home/dev/shop",
            "cwd": "/home/dev/shop",
            "args": ["tests", "-n", "4"],
            "pytestVersion": "9.2.0",
            "pluginVersion": "0.1.0",
            "pythonVersion": "3.13.1",
            "platform": "linux",
            "distribution": {"workers": 4, "mode": "load"},
            "retries": {"count": 1, "policy": "all"},
        }

    def _context(self, on_ci: bool) -> dict[str, Any]:
        branch = "main" if self.number % 5 else f"feature/{('checkout', 'search', 'fees')[self.number % 3]}"
        commit = sha256(f"{self.suite.seed} commit {self.number // 2}".encode()).hexdigest()[:40]  # two runs of each
        authors = ("Ada Example", "Bo Example", "Cy Example")
        git = {
            "commit": commit,
            "branch": branch,
            "dirty": not on_ci,
            "remote": "https://example.org/shop.git",
            "subject": f"Change {self.number // 2} of the shop",
            "author": authors[self.number // 2 % 3],
        }
        context: dict[str, Any] = {"git": git}
        if on_ci:
            url = f"https://ci.example.org/builds/{self.number}"
            ci = {"provider": "github", "branch": branch, "commit": commit, "buildUrl": url, "jobId": str(self.number)}
            context["ci"] = ci
        packages = {"pytest": "9.2.0", "requests": f"2.32.{self.number // 30}"}
        python = {"python": "3.13.1", "implementation": "CPython", "platform": "Linux-6.18-x86_64"}
        return context | {"environment": python | {"packages": packages}}

    def _test(self, test_id: str, slot: int, fate: Fate) -> None:
        worker = WORKERS[slot // 4 % 4]
        file, name = test_id.partition("::")[0], test_id.rpartition("::")[2]
        line, fingerprint = slot % 50 * 9 + 12, self.suite.fingerprint(slot, self.number)
        events, now = self.events[worker], self._clocks[worker]
        for attempt, outcome in enumerate(fate.outcomes, 1):
            start = (
                f'{{"testId":"{test_id}","attempt":{attempt},"testName":"{name}","file":"{file}","line":{line},'
                f'"markers":[],"fingerprint":"{fingerprint}"}}'
            )
            events.append(RawEvent("test/start", now, msgspec.Raw(start.encode())))
            now = round(now + fate.duration_ms + 0.3, 3)
            if outcome in ("passed", "xfailed", "skipped") and fate.reason is None:
                end = self._passed(test_id, attempt, fate.duration_ms)
            else:
                end = self._other(test_id, attempt, outcome, fate)
            if outcome in ("failed", "error"):
                self._details(worker, test_id, attempt, now)
            events.append(RawEvent("test/end", now, msgspec.Raw(end.encode())))
        self._bad = self._bad or fate.outcomes[-1] in ("failed", "error")
        self._clocks[worker] = now
        if slot % 397 == 0:
            warning = {
                "testId": test_id,
                "category": "DeprecationWarning",
                "file": "shop/rates.py",
                "line": slot // 397,
            }
            self._add(
                worker, "test/warning", now, warning | {"message": f"rate_{slot} is deprecated", "when": "runtest"}
            )

    def _details(self, worker: str, test_id: str, attempt: int, now: float) -> None:
        """What a failing test told of itself."""
        names = {"testId": test_id, "attempt": attempt}
        self._add(worker, "test/log", now - 0.2, names | {"level": "warn", "message": "the card was refused"})
        content = sha256(f"{self.id} {test_id} {attempt}".encode()).hexdigest()
        file = {"name": "basket.json", "mediaType": "application/json", "kind": "attachment", "size": 2048}
        self._add(worker, "test/attachment", now - 0.1, names | file | {"sha256": content})

    @staticmethod
    def _passed(test_id: str, attempt: int, duration: float) -> str:
        setup, call = round(duration * 0.15, 3), round(duration * 0.8, 3)
        return (
            f'{{"testId":"{test_id}","attempt":{attempt},"status":"passed","outcome":"passed","duration":{duration:.3f},'
            f'"phases":{{"setup":{setup},"call":{call},"teardown":{duration - setup - call:.3f}}}}}'
        )

    @staticmethod
    def _other(test_id: str, attempt: int, outcome: str, fate: Fate) -> str:
        """``test/end`` of an attempt that did not simply pass."""
        status = "skipped" if outcome in ("skipped", "xfailed") else "failed"
        phase = "setup" if outcome in ("error", "skipped") else "call"
        spent = {"setup": fate.duration_ms} if phase == "setup" else {"setup": 0.1, "call": fate.duration_ms - 0.1}
        payload: dict[str, Any] = {
            "testId": test_id,
            "attempt": attempt,
            "status": status,
            "outcome": outcome,
            "duration": round(fate.duration_ms, 3),
            "phases": spent,
        }
        if fate.reason is not None:
            payload["reason"] = fate.reason
        if fate.failure is not None and status == "failed":
            kind, message, source = fate.failure
            stack = f"    def test(basket):\n>       {source}\nE       {kind}: {message}\n\nshop/basket.py:81: {kind}"
            error = {"message": message, "type": kind, "stack": stack, "file": "shop/basket.py", "line": 81}
            payload["error"] = error | {"phase": phase}
            payload["logs"] = [{"stream": "stdout", "phase": phase, "text": "charging the card\nno answer\n"}]
            if attempt < len(fate.outcomes):
                payload["willRetry"] = True
        return json.dumps(payload, separators=(",", ":"))

    def _close_workers(self, tests: list[str]) -> None:
        for worker in WORKERS:
            now = self._clocks[worker] + 50
            if self._crashed and worker == "gw2":
                self._crash(worker, tests[0], now)
            else:
                self._add(worker, "worker/end", now, {"runId": self.id, "worker": worker, "exitCode": int(self._bad)})

    def _crash(self, worker: str, test_id: str, now: float) -> None:
        """The worker dies in a test that others had run already."""
        start = {"testId": test_id, "attempt": 1, "testName": "crashed", "file": test_id.partition("::")[0], "line": 1}
        self._add(worker, "test/start", now, start)
        reason = {"runId": self.id, "worker": worker, "reason": "the worker crashed", "testId": test_id}
        self._add("main", "worker/crash", now + 900, reason)
        self._bad = True

    def _add(self, worker: str, kind: str, timestamp: float, payload: dict[str, Any]) -> None:
        self.events.setdefault(worker, []).append(_event(kind, timestamp, payload))


def _event(kind: str, timestamp: float, payload: dict[str, Any]) -> RawEvent:
    return RawEvent(kind, timestamp, msgspec.Raw(msgspec.json.encode(payload)))


if __name__ == "__main__":
    sys.exit(main())
