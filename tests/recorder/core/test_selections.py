"""What sessions selected, and whether the shards of a run are whole."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState
from semantest_recorder.core.selections import Shards, selections_of, shards_of

TESTS = ("a.py::1", "a.py::2", "b.py::3", "b.py::4")


def event(kind: str, **payload: Any) -> RawEvent:
    return RawEvent(kind, 1.0, msgspec.Raw(msgspec.json.encode(payload)))


def selection(shard: tuple[int, int] | None, checksum: str = "c", budget: int = 0, **more: Any) -> RawEvent:
    place = {} if shard is None else {"shard": {"index": shard[0], "of": shard[1]}, "checksum": checksum}
    left_out = {"budget": budget, "shard": 0}
    return event("run/selection", collected=len(TESTS), leftOut=left_out, **place, **more)


def session(run: RunState, name: str, tests: tuple[str, ...], *told: RawEvent, worker: bool = False) -> None:
    """One session whose tests pass; ``worker``: an xdist worker tells what it selected, as it does."""
    opening = {"runId": "run", "session": name}
    source = f"{name}.gw0" if worker else f"{name}.main"
    if worker:
        run.apply_all(source, 1, [event("worker/start", worker="gw0", **opening), *told])
        run.apply(source, 2 + len(told), event("worker/end", worker="gw0"))
    events = [event("run/start", worker="main", **opening), *(() if worker else told)]
    events.append(event("run/plan", tests=list(tests), offset=0, total=len(tests)))
    events += [event("test/end", testId=test, attempt=1, outcome="passed", duration=1.0) for test in tests]
    run.apply_all(f"{name}.main", 1, [*events, event("run/end", runId="run", exitCode=0)])
    run.settle()


def shards(run: RunState) -> Shards | None:
    rows = [source.row for source in run.sources.values()]
    return shards_of(rows, run.planned)


@pytest.mark.parametrize("worker", [False, True])
def test_shards_that_are_whole(worker: bool) -> None:
    run = RunState("run")
    session(run, "s1", TESTS[:3], selection((1, 2)), worker=worker)
    assert shards(run) == Shards(of=2, seen=[1], missing=[2], alike=True, lost=0, doubled=0)
    assert run.run.state == "passed"  # another shard may be on its way
    session(run, "s2", TESTS[3:], selection((2, 2)), worker=worker)
    found = shards(run)
    assert found == Shards(of=2, seen=[1, 2], missing=[], alike=True, lost=0, doubled=0)
    assert found is not None
    assert found.is_closed
    assert run.run.state == "passed"


def test_a_test_in_no_shard_is_not_green() -> None:
    run = RunState("run")
    session(run, "s1", TESTS[:2], selection((1, 2)))
    session(run, "s2", TESTS[1:3], selection((2, 2)))
    assert shards(run) == Shards(of=2, seen=[1, 2], missing=[], alike=True, lost=1, doubled=1)
    assert run.run.state == "failed"


@pytest.mark.parametrize("other", [selection((2, 2), "another"), selection((3, 3))])
def test_shards_of_different_tests_are_not_green(other: RawEvent) -> None:
    run = RunState("run")
    session(run, "s1", TESTS[:2], selection((1, 2)))
    session(run, "s2", TESTS[2:], other)
    found = shards(run)
    assert found is not None
    assert not found.alike
    assert run.run.state == ("passed" if found.missing else "failed")


def test_a_shard_that_ran_again_doubles_and_loses_nothing() -> None:
    run = RunState("run")
    for name, tests, number in (("s1", TESTS[:2], 1), ("s2", TESTS[2:], 2), ("s3", TESTS[2:], 2)):
        session(run, name, tests, selection((number, 2)))
    assert shards(run) == Shards(of=2, seen=[1, 2], missing=[], alike=True, lost=0, doubled=2)
    assert run.run.state == "passed"


def test_what_a_budget_left_out_of_a_shard_twice_hides_no_other_test() -> None:
    run = RunState("run")
    for name in ("s1", "s2"):
        session(run, name, TESTS[:1], selection((1, 2), budget=1))
    session(run, "s3", TESTS[2:3], selection((2, 2)))
    assert shards(run) == Shards(of=2, seen=[1, 2], missing=[], alike=True, lost=1, doubled=1)
    assert run.run.state == "failed"


def test_what_a_budget_left_out_is_counted_once_for_each_session() -> None:
    run = RunState("run")
    session(run, "s1", TESTS[:1], selection((1, 2), budget=1), worker=True)
    session(run, "s2", TESTS[2:], selection((2, 2)), worker=True)
    assert run.run.left_out == 1
    assert shards(run) == Shards(of=2, seen=[1, 2], missing=[], alike=True, lost=0, doubled=0)
    assert run.run.state == "passed"


def test_a_session_that_is_no_shard_leaves_nothing_to_judge() -> None:
    run = RunState("run")
    session(run, "s1", TESTS[:1], selection((1, 2)))
    session(run, "s2", TESTS, selection(None, order="failed-first"))
    assert shards(run) is None
    assert [one.selection.order for one in selections_of(source.row for source in run.sources.values())] == [
        None,
        "failed-first",
    ]


@pytest.mark.parametrize("payload", [{}, {"collected": -1}, {"collected": 1, "shard": 3}])
def test_a_selection_of_a_wrong_shape(payload: dict[str, Any]) -> None:
    run = RunState("run")
    session(run, "s1", TESTS, event("run/selection", **payload))
    assert shards(run) is None
    assert [unread.seq for unread in run.take().unread] == [2]


@pytest.mark.parametrize("worker", ["client", "shipper"])
def test_nobody_else_tells_what_a_session_selected(worker: str) -> None:
    run = RunState("run")
    session(run, "s1", TESTS, selection((1, 1)))
    opening = event("run/start", runId="run", session="s1", worker=worker)
    run.apply_all(f"s1.{worker}", 1, [opening, selection((2, 2), budget=3)])
    run.settle()
    assert run.run.left_out == 0
    found = shards(run)
    assert found is not None
    assert found.of == 1
