"""What a display asks of a run that goes on: what comes next, how fast it is, when it will be over."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState
from semantest_recorder.core.watched_run import WatchedRun
from tests.recorder.cli.recording import RUN, Recording

NOW = 1_000_000.0


def take(watched: WatchedRun, recording: Recording) -> None:
    """All that the recording has and the run does not know yet."""
    for worker, bodies in recording.bodies.items():
        source = f"{recording.session}.{worker}"
        events = [msgspec.json.decode(body, type=RawEvent) for body in bodies]
        if events:
            watched.take(source, 1, events)


def begun(*tests: str, usual: dict[str, float] | None = None) -> tuple[WatchedRun, Recording]:
    watched, recording = WatchedRun(RunState(RUN), usual), Recording()
    recording.start()
    recording.plan(*tests)
    take(watched, recording)
    watched.settle(NOW)
    return watched, recording


def test_what_comes_next_goes_by_the_plan() -> None:
    watched, recording = begun("b::1", "a::2", "a::3", "a::4")
    assert watched.waiting(2) == ["b::1", "a::2"]
    recording.test("a::2")
    recording.begin("b::1")
    take(watched, recording)
    watched.settle(NOW)
    assert watched.waiting(9) == ["a::3", "a::4"]
    assert [attempt.test_id for attempt in watched.attempts()] == ["b::1"]


def test_the_end_is_expected_by_what_the_rest_usually_takes() -> None:
    watched, recording = begun("a::1", "a::2", "a::3", usual={"a::1": 1000.0, "a::2": 3000.0})
    assert watched.left_ms(NOW) == pytest.approx(6000.0), "what is not known is taken to be as the others"
    recording.test("a::1")
    recording.test("a::3")
    take(watched, recording)
    watched.settle(NOW + 1)
    assert watched.left_ms(NOW) == pytest.approx(3000.0)
    recording.test("a::2", "failed")
    take(watched, recording)
    watched.settle(NOW + 2)
    assert watched.left_ms(NOW) is None


def test_no_end_is_expected_when_all_that_is_left_lasts_longer_than_usual() -> None:
    watched, recording = begun("a::1", "a::2", usual={"a::1": 1000.0, "a::2": 3000.0})
    recording.begin("a::1")
    take(watched, recording)
    watched.settle(NOW)
    (attempt,) = watched.attempts()
    began = attempt.started_ms
    assert began is not None
    assert watched.left_ms(began + 60_000) == pytest.approx(4000.0), "another test is still to come"
    recording.test("a::2")
    take(watched, recording)
    watched.settle(NOW)
    assert watched.left_ms(began + 900) == pytest.approx(1000.0)
    assert watched.left_ms(began + 60_000) is None


def test_without_a_history_the_rate_tells() -> None:
    watched, recording = begun("a::1", "a::2", "a::3", "a::4")
    assert (watched.rate(NOW + 2000), watched.left_ms(NOW + 2000)) == (None, None)
    recording.test("a::1")
    recording.test("a::2")
    take(watched, recording)
    watched.settle(NOW + 2000)
    assert watched.rate(NOW + 4000) == 0.5
    assert watched.left_ms(NOW + 4000) == pytest.approx(4000.0)
    assert watched.rate(NOW + 20_000) is None


def test_one_that_failed_is_bad_until_it_passes() -> None:
    watched, recording = begun("a::1")
    for outcome, bad in (("failed", ["a::1"]), ("passed", []), ("failed", ["a::1"])):
        recording.test("a::1", outcome, attempt=len(recording.bodies["main"]))
        take(watched, recording)
        watched.settle(NOW)
        assert [row.test_id for row in watched.bad(5)] == bad, outcome


@given(cuts=st.lists(st.integers(1, 12), max_size=6), again=st.booleans())
def test_however_it_comes_it_is_the_same(cuts: list[int], again: bool) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a::1", "a::2", "a::3")
    recording.test("a::1")
    recording.test("a::2", "failed")
    recording.begin("a::3")
    events = [msgspec.json.decode(body, type=RawEvent) for body in recording.bodies["main"]]
    source = f"{RUN}.main"
    pieces, whole = WatchedRun(RunState(RUN)), WatchedRun(RunState(RUN))
    whole.take(source, 1, events)
    whole.settle(NOW)
    assert WatchedRun(RunState(RUN)).take(source, 3, events[2:]) == "gap"
    at = 0
    for cut in [*cuts, len(events)]:
        begin = 0 if again else at
        pieces.take(source, begin + 1, events[begin : at + cut])
        pieces.settle(NOW)
        at = min(at + cut, len(events))
    assert dict(pieces.numbers) == dict(whole.numbers)
    assert pieces.waiting(9) == whole.waiting(9)
    assert pieces.bad(9) == whole.bad(9)
    assert pieces.attempts() == whole.attempts()
