"""What pages of one run ask, compared with all rows of the run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from semantest_recorder.answers.errors import NoRunOfTest, Unanswered
from semantest_recorder.answers.run_details import events_of_run, run_details
from semantest_recorder.answers.run_export import write_export
from semantest_recorder.answers.run_tests import (
    Bounds,
    ResultFilter,
    WindowOrder,
    all_tests,
    workers_of_run,
)
from semantest_recorder.answers.run_tests import (
    window_of_tests as window_of,
)
from semantest_recorder.answers.run_timeline import attempt_times, run_timeline
from semantest_recorder.answers.suites_of_run import SuiteTrees
from semantest_recorder.core.batch import Batch, RawEvent
from semantest_recorder.core.rows import ResultRow
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.writer import Writer
from tests.histories.database import build
from tests.histories.suite import Suite


class Recorded:
    """The last run of a made-up history, and all its rows."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.reader = Reader(database)
        self.id = self.reader.run("last").id
        self.results = self.reader.results(self.id)
        self.attempts = self.reader.attempts(self.id)

    def windows(self, wanted: ResultFilter, order: WindowOrder, most: int) -> Iterator[list[str]]:
        rows = window_of(self.database, self.id, wanted, order, Bounds(), most).rows
        while rows:
            yield [row.test_id for row in rows]
            rows = window_of(self.database, self.id, wanted, order, Bounds(after=rows[-1].test_id), most).rows


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    database = tmp_path_factory.mktemp("history") / "semantest.db"
    build(database, Suite(3, 600, 5))
    return Recorded(database)


SORTED: dict[WindowOrder, Callable[[ResultRow], Any]] = {
    "plan": lambda row: row.position,
    "duration": lambda row: -row.duration_ms,
    "name": lambda row: row.test_id,
}


@pytest.mark.parametrize("order", ["plan", "duration", "name"])
def test_windows_together_are_all_tests_in_order(recorded: Recorded, order: WindowOrder) -> None:
    found = [test_id for window in recorded.windows(ResultFilter(), order, 70) for test_id in window]
    assert len(found) == len(set(found)) == len(recorded.results)
    of = {row.test_id: row for row in recorded.results}
    keys = [SORTED[order](of[test_id]) for test_id in found]
    assert keys == sorted(keys)
    assert [row.test_id for row in all_tests(recorded.database, recorded.id, ResultFilter(), order)] == found


def test_the_worst_are_first(recorded: Recorded) -> None:
    states = [row.state for row in all_tests(recorded.database, recorded.id, ResultFilter(), "state")]
    assert states[0] not in ("passed", "skipped")
    assert len([1 for one, other in pairwise(states) if one != other]) == len(set(states)) - 1


@pytest.mark.parametrize("order", ["plan", "state", "duration", "name"])
def test_a_window_before_a_test_is_the_one_that_led_to_it(recorded: Recorded, order: WindowOrder) -> None:
    first, second, *_ = list(recorded.windows(ResultFilter(), order, 50))
    before = window_of(recorded.database, recorded.id, ResultFilter(), order, Bounds(before=second[0]), 50).rows
    assert [row.test_id for row in before] == first
    *_, last = list(recorded.windows(ResultFilter(), order, len(recorded.results) - 7))
    end = window_of(recorded.database, recorded.id, ResultFilter(), order, Bounds(end=True), 7).rows
    assert [row.test_id for row in end] == last


FILTERS: list[tuple[ResultFilter, Callable[[ResultRow], bool]]] = [
    (ResultFilter(states=("failed", "flaky")), lambda row: row.state in ("failed", "flaky")),
    (ResultFilter(worker="gw1"), lambda row: row.worker == "gw1"),
    (ResultFilter(suite="tests/api"), lambda row: row.test_id.startswith("tests/api/")),
    (
        ResultFilter(suite="tests/api/test_module_0001.py::TestGroup1", states=("passed",)),
        lambda row: row.test_id.startswith("tests/api/test_module_0001.py::TestGroup1::") and row.state == "passed",
    ),
    (ResultFilter(text="CASE_0001"), lambda row: "case_0001" in row.test_id),
    (ResultFilter(text="[eu-1"), lambda row: "[eu-1" in row.test_id),
    (ResultFilter(text="%"), lambda row: "%" in row.test_id),
    (ResultFilter(text="staging"), lambda row: "staging" in (row.reason or "")),
    (ResultFilter(marker="slow"), lambda row: "slow" in row.markers),
]


@pytest.mark.parametrize(("wanted", "fits"), FILTERS)
def test_filters_let_through_what_fits(
    recorded: Recorded, wanted: ResultFilter, fits: Callable[[ResultRow], bool]
) -> None:
    found = [row.test_id for row in all_tests(recorded.database, recorded.id, wanted, "plan")]
    assert found == [row.test_id for row in recorded.results if fits(row)]
    but_states = {row.test_id for row in all_tests(recorded.database, recorded.id, wanted._replace(states=()), "plan")}
    states = Counter(row.state for row in recorded.results if row.test_id in but_states)
    counted = window_of(recorded.database, recorded.id, wanted, "plan", Bounds(), len(recorded.results), counted=True)
    assert counted.states == states
    assert [row.test_id for row in counted.rows] == found


def test_messages_of_errors_are_looked_through(recorded: Recorded) -> None:
    failed = next(one for one in recorded.attempts if one.error_message)
    text = str(failed.error_message)
    found = all_tests(recorded.database, recorded.id, ResultFilter(text=text), "plan")
    with_it = {one.test_id for one in recorded.attempts if text.lower() in (one.error_message or "").lower()}
    assert {row.test_id for row in found} == with_it
    assert any(row.error_message == text and row.error_type == failed.error_type for row in found)


def test_what_is_not_there_is_told(recorded: Recorded) -> None:
    with pytest.raises(NoRunOfTest):
        window_of(recorded.database, recorded.id, ResultFilter(), "plan", Bounds(after="nothing"), 5)
    for ask in (run_timeline, attempt_times, run_details):
        with pytest.raises(RunNotFound):
            ask(recorded.database, "nothing")
    with pytest.raises(RunNotFound):
        SuiteTrees(recorded.database).of("nothing")
    with pytest.raises(Unanswered, match="no event 4 of nobody"):
        events_of_run(recorded.database, recorded.id, "", ("nobody", 4), 5, 5)
    assert workers_of_run(recorded.database, recorded.id) == ["main", "gw0", "gw1", "gw2", "gw3"]


def test_suites_have_all_their_tests(recorded: Recorded) -> None:
    trees = SuiteTrees(recorded.database)
    root = trees.of(recorded.id)
    assert root.states == Counter(row.state for row in recorded.results)
    assert root.duration_ms == pytest.approx(sum(row.duration_ms for row in recorded.results))
    assert trees.of(recorded.id) is root


def test_a_tree_is_made_anew_when_its_run_went_on(tmp_path: Path) -> None:
    database = tmp_path / "semantest.db"
    build(database, Suite(1, 60, 5))
    trees, run_id = SuiteTrees(database), Reader(database).run("last").id
    before = trees.of(run_id)
    writer = Writer(database)
    start = {"testId": "new.py::test_new", "attempt": 1}
    more = Batch(f"{run_id}.late", 1, [RawEvent("test/start", 1.0, msgspec.Raw(msgspec.json.encode(start)))], 1.0)
    hello = {"runId": run_id, "session": run_id, "source": f"{run_id}.late", "worker": "late"}
    more.events.insert(0, RawEvent("worker/start", 1.0, msgspec.Raw(msgspec.json.encode(hello))))
    done = Event()
    writer.submit(more, lambda _verdict: done.set())
    assert done.wait(60)
    writer.close()
    assert trees.of(run_id).total == before.total + 1


@pytest.mark.parametrize("part", [(0.0, None), (1000.0, 2500.0)])
def test_the_timeline_has_every_attempt(recorded: Recorded, part: tuple[float, float | None]) -> None:
    found = run_timeline(recorded.database, recorded.id, *part)
    assert found is not None
    begin = found.begin_ms if part[1] is not None else 0.0
    times: dict[str, float] = defaultdict(float)
    for one in recorded.attempts:
        if one.started_ms is not None and begin <= one.started_ms < found.end_ms:
            times[one.worker] += one.duration_ms
    told: dict[str, float] = defaultdict(float)
    names = {lane.key: lane.worker for lane in found.lanes}
    for block in found.blocks:
        told[names[block.lane]] += block.busy_ms
    for bar in found.bars:
        if bar.started_ms >= begin:
            told[names[bar.lane]] += bar.duration_ms
    assert told == pytest.approx(times)
    assert {block.worst for block in found.blocks} <= {one.outcome for one in recorded.attempts}
    assert len(attempt_times(recorded.database, recorded.id)) == len(recorded.attempts)


def test_the_log_of_the_run_has_what_is_not_about_tests(recorded: Recorded) -> None:
    found, after = [], None
    while portion := events_of_run(recorded.database, recorded.id, "", after, 4, 100):
        found += portion
        after = portion[-1].source, portion[-1].seq
    assert len({(one.source, one.seq) for one in found}) == len(found)
    assert [one.time_ms for one in found] == sorted(one.time_ms for one in found)
    assert {one.type for one in found} == {
        *("run/start", "run/plan", "run/context", "run/end", "worker/start", "worker/end", "shipper/start"),
    }
    assert all(len(one.payload) <= 100 for one in found)
    plans = events_of_run(recorded.database, recorded.id, "run/plan", None, 100, 100)
    assert plans == [one for one in found if one.type == "run/plan"]


def test_details_tell_of_warnings_by_what_they_say(recorded: Recorded) -> None:
    details = run_details(recorded.database, recorded.id)
    assert details.run.id == recorded.id
    assert sum(one.times for one in details.warnings) == sum(one.count for one in recorded.reader.warnings(recorded.id))


def test_an_export_has_every_test(recorded: Recorded) -> None:
    file = BytesIO()
    write_export(recorded.database, recorded.id, "json", file)
    report = msgspec.json.decode(file.getvalue())
    assert [test["id"] for test in report["tests"]] == [row.test_id for row in recorded.results]
    with pytest.raises(KeyError):
        write_export(recorded.database, recorded.id, "docx", file)
