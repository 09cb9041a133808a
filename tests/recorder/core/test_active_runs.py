"""Where what clients say goes: random clients, runs and events against the rules of the design page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.active_runs import HOLDER_RUNS_MAX, IMPLICIT_GRACE_MS, ActiveRuns
from semantest_recorder.core.batch import LIVE, NEXT_SEQ, Batch, Committed, RawEvent
from semantest_recorder.core.own_events import LEASE_MS
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.run_config import RunConfig
from semantest_recorder.core.run_state import RunState


class Store:
    """Applies batches as the writer does, and tells the runs what became of them."""

    def __init__(self) -> None:
        self.states: dict[str, RunState] = {}
        self.seqs: dict[str, int] = {}
        self.runs = ActiveRuns(self.states.__contains__)
        self.now = 1000.0

    def take(self, batch: Batch) -> list[RawEvent]:
        assert batch.first_seq == NEXT_SEQ
        assert batch.source.startswith(LIVE)
        assert ":" not in batch.source
        assert batch.opening is not None
        run_id = msgspec.json.decode(batch.opening.payload)["runId"]
        events = batch.events if batch.source in self.seqs else [batch.opening, *batch.events]
        if events:
            state = self.states.setdefault(run_id, RunState(run_id))
            first = self.seqs.get(batch.source, 0) + 1
            state.apply_all(batch.source, first, events)
            self.seqs[batch.source] = first + len(events) - 1
            state.settle()
            self.runs.note(Committed(batch.source, 0, run_id, "", run_state=state.run.state), self.now)
        return events

    def pytest_begins(self, run_id: str, worker: str = "main") -> None:
        state = self.states.setdefault(run_id, RunState(run_id))
        opening = {"runId": run_id, "session": run_id, "worker": worker}
        kind = {"main": "run/start", "shipper": "shipper/start"}.get(worker, "worker/start")
        event = RawEvent(kind, self.now, msgspec.Raw(msgspec.json.encode(opening)))
        state.apply(f"{run_id}.{worker}", 1, event)
        state.settle()
        verdict = Committed(f"{run_id}.{worker}", 1, run_id, worker, [event], run_state=state.run.state)
        self.runs.note(verdict, self.now)


def write(store: Store, kind: str, payload: dict[str, Any], run: str | None = None, client: str = "c1") -> list[str]:
    event = RawEvent(kind, store.now, msgspec.Raw(msgspec.json.encode(payload)))
    written = store.runs.write(event, payload, run, client, store.now)
    return [found.type for batch in (written.batch, *written.after) for found in store.take(batch)]


steps = st.lists(
    st.tuples(
        st.sampled_from(("start", "pytest", "end", "cancel", "forbidden", "event", "fail", "leave", "later")),
        st.sampled_from(("a", "b:1", "p")),
        st.sampled_from(("c1", "c2")),
        st.booleans(),
    ),
    max_size=40,
)


def act(store: Store, action: str, run_id: str, client: str, named: bool) -> list[str]:
    """One step of a history; the types of what clients said in it. Raises ``Refusal``."""
    match action:
        case "start":
            store.take(store.runs.start(RunConfig(run_id, retries=1, fail_fast=named), store.now, client=client))
        case "pytest" if run_id not in store.states:
            store.pytest_begins(run_id)
        case "end":
            store.take(store.runs.end(run_id, store.now))
        case "cancel":
            store.take(store.runs.cancel(run_id, "why", store.now))
        case "forbidden":
            known = {run.run_id for run in store.runs}
            with pytest.raises(Refusal, match="needs the role operate"):
                write(store, "run/cancel", {"runId": run_id}, client=client)
            assert {run.run_id for run in store.runs} == known, "what is refused begins no run"
        case "event" | "fail":
            kind = "test/failed" if action == "fail" else "custom/x"
            return write(store, kind, {"testId": "t"} | ({"runId": run_id} if named else {}), client=client)
        case "leave":
            assert store.runs.leave(client, [], store.now) == []
        case "later":
            store.now += IMPLICIT_GRACE_MS + 1
            for batch in store.runs.due(store.now):
                store.take(batch)
    return []


@given(steps)
def test_every_word_of_a_client_lands_in_one_run_that_can_be_closed(taken: list[tuple[str, str, str, bool]]) -> None:
    store, said, refused = Store(), list[str](), set[str]()
    for action, run_id, client, named in taken:
        store.now += 10.0
        try:
            said += act(store, action, run_id, client, named)
        except Refusal as refusal:
            refused.add(refusal.code)
    assert refused <= {"RUN_EXISTS", "RUN_NOT_FOUND", "RUN_OF_PYTEST"}
    words = sum(kind in ("test/failed", "custom/x") for kind in said)
    assert words == sum(action in ("event", "fail") for action, *_rest in taken), "no event is lost or doubled"
    for run in store.runs:
        assert store.states[run.run_id].run.state == "running", "what is over is forgotten"
        if run.is_clients:
            store.take(store.runs.end(run.run_id, store.now))
            assert store.states[run.run_id].run.state in ("passed", "failed")
    assert all(run.origin == "pytest" for run in store.runs)


def test_one_token_begins_so_many_runs_also_when_the_recorder_starts_again() -> None:
    store = Store()
    for number in range(HOLDER_RUNS_MAX):
        store.take(store.runs.start(RunConfig(f"r{number}"), store.now, client="c", holder="ci"))
    again = ActiveRuns(store.states.__contains__)
    for state in store.states.values():
        again.load(state.run, store.now)
    for runs in (store.runs, again):
        with pytest.raises(Refusal, match="1000 runs that ci began go on"):
            runs.start(RunConfig("more"), store.now, client="d", holder="ci")
        event = RawEvent("custom/x", store.now, msgspec.Raw(b"{}"))
        with pytest.raises(Refusal, match="1000 runs that ci began go on"):
            runs.write(event, {"runId": "more"}, None, "d", store.now, holder="ci")
        runs.start(RunConfig("another's"), store.now, client="d", holder="other")
        runs.start(RunConfig("owner's"), store.now, client="d")
    store.take(store.runs.end("r0", store.now))
    store.runs.start(RunConfig("more"), store.now, client="c", holder="ci")


def test_retries_and_fail_fast_in_the_order_of_what_is_written() -> None:
    store = Store()
    store.take(store.runs.start(RunConfig("r", retries=1, fail_fast=True), store.now, client="c1"))
    failed = {"testId": "t", "status": "failed", "duration": 1}
    assert write(store, "test/end", failed) == ["test/end", "test/retry"]
    assert store.states["r"].tests["t"].result.state == "running"
    assert write(store, "test/end", {**failed, "attempt": 2}) == ["test/end", "run/cancel", "run/end"]
    assert store.states["r"].run.state == "cancelled"


@pytest.mark.hazard(6)
def test_a_pytest_that_gives_no_sign_and_that_nobody_sends_is_dead_until_it_speaks_again() -> None:
    store = Store()
    store.pytest_begins("p")
    store.now += LEASE_MS + 1
    assert store.runs.due(store.now, {"p"}) == [], "somebody sends it: it may take its time"
    (batch,) = store.runs.due(store.now)
    assert [event.type for event in store.take(batch)] == ["client/start", "worker/crash"]
    run = store.states["p"].run
    assert (run.state, list(store.runs)) == ("interrupted", [])
    end = RawEvent("run/end", store.now, msgspec.Raw(b'{"exitCode":0}'))
    store.states["p"].apply("p.main", 2, end)
    store.states["p"].settle()
    assert store.states["p"].run.state == "passed", "its journal came after all"


@pytest.mark.hazard(6)
@pytest.mark.parametrize("workers", [("main", "gw0", "gw1"), ("gw0",), ("shipper",), ("main", "shipper", "gw0")])
def test_what_gave_no_sign_is_over_whichever_of_its_journals_came(workers: Sequence[str]) -> None:
    store = Store()
    for worker in workers:
        store.pytest_begins("p", worker)
    store.now += LEASE_MS + 1
    for batch in store.runs.due(store.now):
        store.take(batch)
    assert (store.states["p"].run.state, list(store.runs)) == ("interrupted", [])
    assert list(store.runs.due(store.now + 2 * LEASE_MS)) == [], "it is told once"


@pytest.mark.parametrize("kind", ["run/plan", "run/end", "run/cancel"])
def test_clients_do_not_speak_for_pytest(kind: str) -> None:
    store = Store()
    store.pytest_begins("p")
    with pytest.raises(Refusal):
        write(store, kind, {"runId": "p"})
    assert write(store, "test/log", {"testId": "t"}) == ["client/start", "test/log"]
    assert store.states["p"].run.state == "running"


def test_a_run_start_of_a_client_starts_a_run() -> None:
    store = Store()
    assert write(store, "run/start", {"runId": "mine", "name": "Mine", "config": {"retries": 2}}) == ["run/start"]
    run = store.runs.get("mine")
    assert run is not None
    assert (run.config.retries, store.states["mine"].run.name) == (2, "Mine")
    with pytest.raises(Refusal, match="already"):
        write(store, "run/start", {"runId": "mine"})
