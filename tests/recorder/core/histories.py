"""Random histories of a run, as its processes could have written them, and what stays of them in rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.rows import (
    AttemptRow,
    CrashRow,
    ResultRow,
    RunRow,
    SourceRow,
    SuiteRow,
    TestEventRow,
    WarningRow,
)
from semantest_recorder.core.run_state import RunState
from semantest_recorder.core.tables import Changes
from tests.choices import Choices, choices

RUN = "20261121-093000-a1b2c3"
TESTS = ("a.py::t0", "a.py::t1[x-1]", "a.py::TestX::t2", "b/c.py::t3", "b/c.py::t4[a[0]]", "d.py::t5")
FILES = ("e.py", "a.py")
QUARANTINES = [{"entry": "a.py", "reason": "r", "owner": o, "expires": "2026-12-20"} for o in ("ann", "bob")]
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "interrupted", "timeout")
CLIENT_EVENTS = (
    *("test/start", "test/start", "test/end", "test/passed", "test/failed", "test/skipped", "test/suite/start"),
    *("test/suite/end", "test/log", "test/step/start", "run/cancel"),
)
STATUS = {"passed": "passed", "xpassed": "passed", "skipped": "skipped", "xfailed": "skipped"}

History = dict[str, list[RawEvent]]


def event(kind: str, timestamp: float, **payload: Any) -> RawEvent:
    """An event as it comes off the wire; arguments that are ``None`` are left out, ``null_x=True`` gives null."""
    content = {name: value for name, value in payload.items() if value is not None}
    return RawEvent(kind, timestamp, msgspec.Raw(msgspec.json.encode(content)))


class Process:
    """Writes the events of one source, its clock going forward."""

    def __init__(self, choose: Choices, session: str, worker: str) -> None:
        self.choose, self.session, self.worker = choose, session, worker
        self.now = float(choose.number(1000, 1003))
        self.events: list[RawEvent] = []

    @property
    def source(self) -> str:
        return f"{self.session}.{self.worker}"

    def write(self, kind: str, **payload: Any) -> None:
        self.now += self.choose.of((0.0, 0.25, 1.0, 40.0))
        if self.events and self.choose.yes(40):
            kind, payload = "journal/gap", {"reason": "checksum does not fit"}
        elif self.events and self.choose.yes(60):
            payload = {"testId": 7, "attempt": "x", "worker": None, "tests": "no list"}
        self.events.append(event(kind, self.now, **payload))

    def begin(self, kind: str, **more: Any) -> None:
        names = {"runId": RUN, "session": self.session, "source": self.source, "worker": self.worker}
        self.write(kind, **names, pid=self.choose.number(1, 3), host="h", **more)

    def run_tests(self, tests: list[str]) -> None:
        for test_id in tests:
            for attempt in range(1, self.choose.number(1, 3) + 1):
                self.attempt(test_id, attempt)

    def attempt(self, test_id: str, number: int) -> None:
        choose = self.choose
        numbered = number if not choose.yes(10) else None
        line = choose.of((3, 3, 3, 4, None))
        timeout = choose.of((None, 10.0, 50.0))
        markers = choose.of(([], ["slow"]))
        if not choose.yes(20):
            file = test_id.partition("::")[0]
            self.write(
                "test/start",
                testId=test_id,
                attempt=numbered,
                file=file,
                line=line,
                markers=markers,
                timeout=timeout,
                quarantine=choose.of((None, None, *QUARANTINES)),
            )
        for _ in range(choose.number(0, 1)):
            outcome = choose.of(("passed", "failed", "skipped"))
            self.write("test/subtest", testId=test_id, attempt=numbered, outcome=outcome, description="[s]")
        if choose.yes():
            failed = {"message": "boom", "type": "E", "file": "a.py", "line": 7, "phase": "call"}
            self.write("test/phase", testId=test_id, attempt=numbered, phase="call", outcome="failed", error=failed)
        if choose.yes(6):
            return
        outcome = choose.of(OUTCOMES)
        self.write(
            "test/end",
            testId=test_id,
            attempt=numbered,
            outcome=outcome if not choose.yes(6) else None,
            status=STATUS.get(outcome, "failed"),
            duration=choose.of((0.0, 1.5)),
            phases=choose.of((None, {"setup": 0.5}, {"setup": 0.5, "call": 1.0, "teardown": 0.25})),
            error=choose.of((None, {"message": "bad", "phase": "teardown"})),
            reason=choose.of((None, "why")),
            willRetry=choose.of((None, True)),
            forgiven=choose.of((None, True)),
        )

    def observe(self, workers: list[str], tests: list[str]) -> None:
        """What controller and shipper say of workers: phases that last, deaths."""
        choose = self.choose
        if not workers:
            return
        test_id = choose.of((*tests, None))
        attempt = choose.of((None, 1, 2))
        phase = choose.of((None, "setup", "call", "teardown"))
        worker = choose.of(workers)
        if choose.yes():
            self.write("test/phase", worker=worker, testId=test_id, attempt=attempt, phase=phase)
            return
        self.write(
            "worker/crash",
            runId=RUN,
            worker=worker,
            reason=choose.of((None, "killed", "died")),
            testId=test_id,
            attempt=attempt,
            phase=phase,
            elapsed=choose.of((None, 9.0, 49.0)),
            lastOutput=choose.of((None, [{"stream": "stderr", "text": "last words"}])),
        )


def history_of(choose: Choices) -> History:
    """The events of every source of a run of one or two sessions, those of each source in order."""
    history: History = {}
    for session in ("s1", "s2")[: choose.number(1, 2)]:
        for process in _session(choose, session):
            history[process.source] = process.events
    for client in ("c1", "c2")[: choose.of((0, 0, 1, 2))]:
        process = _client(choose, client)
        history[process.source] = process.events
    return history


def histories() -> st.SearchStrategy[History]:
    """For Hypothesis: histories of up to some 150 events."""
    return choices(2000).map(history_of)


def _session(choose: Choices, session: str) -> Iterator[Process]:
    tests = choose.some(TESTS, 1)
    workers = [f"gw{number}" for number in range(choose.number(0, 3))]
    main = Process(choose, session, "main")
    main.begin("run/start", name=session, labels={"py": session, "n": 3})
    _plan(main, tests)
    share = {worker: [test_id for test_id in tests if choose.yes()] for worker in (workers or ["main"])}
    if not workers:
        main.run_tests(share["main"])
    for _ in range(choose.number(0, 2)):
        main.observe(workers, tests)
    if choose.yes():
        main.write("test/warning", category="W", message="careful", testId=tests[0], file="a.py", line=1)
    if choose.yes(10):
        main.write("run/cancel", reason="enough")
    if not choose.yes(5):
        main.write("run/end", runId=RUN, **_end(choose))
    yield main
    for worker in workers:
        if choose.yes(8):
            continue  # its journal never arrived
        process = Process(choose, session, worker)
        process.begin("worker/start")
        if choose.yes(6):
            process.write("collect/error", testId=choose.of(FILES), outcome="failed", error={"message": "x"})
        process.run_tests(share[worker])
        if not choose.yes(4):
            process.write("worker/end", runId=RUN, worker=worker, exitCode=0)
        yield process
    if choose.yes():
        yield _shipper(choose, session, [*workers, "main"], tests)


def _client(choose: Choices, session: str) -> Process:
    """What a client says beside the run's own processes."""
    client = Process(choose, session, "client")
    client.begin("client/start")
    for _ in range(choose.number(0, 8)):
        test_id = choose.of((*TESTS, "login", "strange"))
        number = choose.of((None, 1, 2))
        suite = choose.of((None, "Login", "Shop"))
        kind = choose.of(CLIENT_EVENTS)
        if kind.startswith("test/suite"):
            client.write(kind, suiteId=suite or "a.py", suiteName=choose.of((None, "A", "B")))
        elif kind == "run/cancel":
            client.write(kind, reason="enough", timeout=choose.of((None, True)))
        else:
            client.write(kind, testId=test_id, attempt=number, suiteId=suite, outcome=None, status="failed", reason="r")
    if choose.yes():
        client.write("worker/end", runId=RUN, worker="client")
    return client


def _plan(main: Process, tests: list[str]) -> None:
    size = main.choose.number(1, 4)
    if main.choose.yes(4):
        place = {"index": main.choose.number(1, 2), "of": 2}
        left_out = {"budget": main.choose.number(0, 2)}
        main.write("run/selection", collected=len(tests), checksum="c", shard=place, leftOut=left_out)
    for offset in range(0, len(tests), size):
        main.write("run/plan", tests=tests[offset : offset + size], offset=offset, total=len(tests), deselected=1)


def _end(choose: Choices) -> dict[str, Any]:
    return {
        "exitCode": choose.of((0, 0, 1, 2, 5, None)),
        "stoppedEarly": choose.yes(),
        "stopReason": choose.of((None, "stopping after 1 failures", "Ctrl-C")),
        "interrupted": choose.of((None, True, False)),
        "dropped": choose.of((None, None, None, 2)),
    }


def _shipper(choose: Choices, session: str, workers: list[str], tests: list[str]) -> Process:
    shipper = Process(choose, session, "shipper")
    shipper.begin("shipper/start")
    shipper.write("run/context", git={"branch": session})
    for _ in range(choose.number(0, 3)):
        shipper.observe(workers, tests)
    if choose.yes(4):
        shipper.write("run/end", runId=RUN, interrupted=True, stopReason="pytest died")
    return shipper


class Rows:
    """What a store would hold after each ``take``."""

    def __init__(self) -> None:
        self.run = RunRow(RUN)
        self.sources: dict[str, SourceRow] = {}
        self.results: dict[str, ResultRow] = {}
        self.attempts: dict[tuple[str, str, int], AttemptRow] = {}
        self.suites: dict[str, SuiteRow] = {}
        self.warnings: dict[tuple[str, int], WarningRow] = {}
        self.crashes: dict[tuple[str, int], CrashRow] = {}
        self.test_events: dict[tuple[str, int], TestEventRow] = {}
        self.unread: set[tuple[str, int]] = set()

    def put(self, changes: Changes) -> None:
        changes = _copy(changes)
        self.run = changes.run or self.run
        self.sources |= {row.source: row for row in changes.sources}
        self.results |= {row.test_id: row for row in changes.results}
        for gone in changes.gone:
            self.attempts.pop((gone.test_id, gone.source, gone.attempt), None)
        self.attempts |= {(row.test_id, row.source, row.attempt): row for row in changes.attempts}
        for suite_id in changes.gone_suites:
            self.suites.pop(suite_id, None)
        self.suites |= {row.suite_id: row for row in changes.suites}
        self.warnings |= {(row.source, row.seq): row for row in changes.warnings}
        self.crashes |= {(row.reporter, row.seq): row for row in changes.crashes}
        self.test_events |= {(row.source, row.seq): row for row in changes.test_events}
        self.unread |= {(row.source, row.seq) for row in changes.unread}

    def load(self) -> RunState:
        copy = _copy(self)
        return RunState.load(
            copy.run,
            copy.sources.values(),
            copy.results.values(),
            copy.attempts.values(),
            copy.suites.values(),
            copy.crashes.values(),
        )

    def content(self) -> dict[str, Any]:
        """Everything in an order of its own."""
        content: dict[str, Any] = {"run": self.run, "unread": sorted(self.unread)}
        for name in ("sources", "results", "attempts", "suites", "warnings", "crashes", "test_events"):
            content[name] = dict(sorted(getattr(self, name).items()))
        return content


def _copy(value: Any) -> Any:
    if isinstance(value, Rows):
        copy = Rows()
        for name, held in vars(value).items():
            setattr(copy, name, _copy(held))
        return copy
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, set):
        return set(value)
    return msgspec.convert(msgspec.to_builtins(value), type(value))


def rows_of(history: History) -> Rows:
    """The rows when each source comes as a whole, in the order of the names."""
    state, rows = RunState(RUN), Rows()
    for source in sorted(history):
        state.apply_all(source, 1, history[source])
    state.settle()
    rows.put(state.take())
    return rows


def rows_of_batches(history: History, seed: int, *, reload: bool) -> Rows:
    """The rows when they come as ``batches_of`` says; with ``reload`` the run is loaded anew now and then."""
    chance = random.Random(seed)
    state, rows = RunState(RUN), Rows()
    for source, first, events in batches_of(history, seed):
        state.apply_all(source, first, events)
        if chance.random() < 0.7:
            state.settle()
            rows.put(state.take())
            if reload and chance.random() < 0.5:
                state = rows.load()
    state.settle()
    rows.put(state.take())
    return rows


def batches_of(history: History, seed: int) -> list[tuple[str, int, list[RawEvent]]]:
    """The same events in batches of random sizes, those of each source in order, otherwise mixed by ``seed``."""
    chance = random.Random(seed)
    waiting = dict.fromkeys(history, 0)
    batches = []
    while waiting:
        source = chance.choice(sorted(waiting))
        start = waiting[source]
        stop = min(start + chance.randint(1, 5), len(history[source]))
        batches.append((source, start + 1, history[source][start:stop]))
        waiting[source] = stop
        if stop == len(history[source]):
            del waiting[source]
    return batches
