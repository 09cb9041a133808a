"""The state that ``semantest watch`` keeps: database first, then events, whatever the stream leaves out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantest_recorder.cli.live_feed import LiveEvent
from semantest_recorder.cli.live_run import LiveRun
from semantest_recorder.core.batch import RawEvent
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import RUN, START, Recording, green_run, small_run


def live_events(recording: Recording) -> list[LiveEvent]:
    """The events of the recording in the order of their time, as the feed gives them."""
    found = [
        LiveEvent(f"{recording.session}.{worker}", seq, msgspec.json.decode(body, type=RawEvent), msgspec.Raw(body))
        for worker, bodies in recording.bodies.items()
        for seq, body in enumerate(bodies, 1)
    ]
    return sorted(found, key=lambda live: live.event.timestamp)


def part(recording: Recording, count: int) -> Recording:
    """Its first ``count`` events."""
    shorter = Recording(recording.session)
    shorter.now = recording.now
    for live in live_events(recording)[:count]:
        shorter.bodies.setdefault(live.source.rpartition(".")[2], []).append(bytes(live.frame))
    return shorter


def workers_run() -> Recording:
    recording = Recording()
    recording.start()
    recording.start("gw0")
    recording.plan("a.py::test_one", "a.py::test_two", "a.py::test_three")
    recording.start("gw1")
    recording.test("a.py::test_one", worker="gw0")
    recording.begin("a.py::test_two", worker="gw1")
    recording.test("a.py::test_three", "failed", worker="gw0")
    recording.end(0, "gw0")
    return recording


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Databases that have the first n events of ``workers_run``, n being the index."""
    whole = workers_run()
    found = [tmp_path_factory.mktemp("none")]
    for count in range(1, len(live_events(whole)) + 1):
        folder = tmp_path_factory.mktemp(f"first-{count}")
        part(whole, count).store(folder)
        found.append(folder)
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_overlap_and_any_repetition_come_to_the_same(folders: list[Path], data: st.DataObject) -> None:
    events = live_events(workers_run())
    have = data.draw(st.integers(1, len(events)))
    first = data.draw(st.integers(0, have))
    live = LiveRun(folders[have], RUN)
    for event in events[first:]:
        live.take(event)
        if data.draw(st.booleans()):
            assert not live.take(event), "known already"
    whole = LiveRun(folders[-1], RUN)
    assert live.view(START + 1e6) == whole.view(START + 1e6)
    assert live.view(START + 1e6).counts.running == 1


def test_a_hole_in_the_stream_is_filled_from_the_database(tmp_path: Path) -> None:
    recording = small_run()
    events = live_events(recording)
    part(recording, 3).store(tmp_path)
    live = LiveRun(tmp_path, RUN)
    assert not live.closed
    (tmp_path / "semantest.db").unlink()
    recording.store(tmp_path)
    assert live.take(events[-1])
    assert live.closed
    assert live.view(START).counts.flaky == 1


def test_events_of_another_run_are_ignored(tmp_path: Path) -> None:
    part(small_run(), 3).store(tmp_path)
    live = LiveRun(tmp_path, RUN)
    for event in live_events(green_run("20261121-111111-eeeeee")):
        assert not live.take(event)
    assert live.view(START).counts.total == 4


def test_what_has_finished_is_told_once(tmp_path: Path) -> None:
    recording = small_run()
    part(recording, 3).store(tmp_path)
    live = LiveRun(tmp_path, RUN)
    told: list[tuple[str, str]] = []
    for event in live_events(recording):
        live.take(event)
        told += [(row.test_id, row.state) for row in live.finished()]
    assert told == [
        ("a.py::test_ok", "passed"),
        ("a.py::test_bad", "failed"),
        ("b.py::test_flaky", "flaky"),
        ("b.py::test_skip[1-x]", "skipped"),
    ]


def test_usual_times_go_on_over_a_rename(tmp_path: Path) -> None:
    earlier = Recording("earlier", start_ms=START - 3_600_000)
    earlier.start()
    earlier.test("a.py::test_old")
    earlier.end()
    earlier.store(tmp_path)
    now = Recording()
    now.start()
    now.begin("a.py::test_new")
    now.store(tmp_path)
    assert semantest("alias", "add", "a.py::test_old", "a.py::test_new", "--directory", tmp_path).code == 0
    (running,) = LiveRun(tmp_path, RUN).view(now.now).running
    assert (running.test_id, running.usual_ms) == ("a.py::test_new", 5.0)
