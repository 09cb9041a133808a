"""The events of all sources in the order of their times, page by page."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.batch import Batch
from semantest_recorder.store.timeline import InvalidCursor, TimedEvent, cursor_of, events_between, newest_events

from .ingesting import begin, event, recording
from .memory_folder import memory_folder

#: Times of the events of each source, in the order of its log.
logs = st.lists(st.lists(st.integers(0, 60), max_size=50), min_size=1, max_size=5)


#: When the batches of all sources come, one after the other; late ones change no time.
receipts = st.lists(st.integers(0, 20) | st.just(1000), min_size=20, max_size=20)
BATCH = 3


def came_at(steps: list[int], seq: int) -> float:
    """When event ``seq`` of a source came."""
    return float(sum(steps[: (seq - 1) // BATCH + 1]))


def expected(times: list[list[int]], steps: list[int], start: float, end: float) -> list[tuple[float, str, int]]:
    found = []
    for number, own in enumerate(times):
        latest = -1.0
        for seq, told in enumerate([5, *own], 1):
            at = min(float(told), came_at(steps, seq))
            latest = max(latest, at)
            if start <= latest <= end:
                found.append((latest, f"r{number}.main", seq))
    return sorted(found)


@settings(max_examples=40, deadline=None)
@given(logs, receipts, st.integers(0, 40), st.integers(0, 40), st.integers(1, 7))
def test_every_event_of_the_range_comes_once_and_in_order(
    times: list[list[int]], steps: list[int], start: int, length: int, page: int
) -> None:
    with memory_folder() as folder:
        path = folder / "semantest.db"
        with recording(path) as recorder:
            for number, own in enumerate(times):
                events = [begin(f"r{number}", at=5.0), *(event("custom/x", float(at)) for at in own)]
                recorder.send_all(
                    [
                        Batch(f"r{number}.main", first, events[first - 1 : first - 1 + BATCH], came_at(steps, first))
                        for first in range(1, len(events) + 1, BATCH)
                    ]
                )
        end = start + length
        whole = [found[:3] for found in events_between(path, start, end)]
        assert whole == expected(times, steps, start, end)
        paged: list[TimedEvent] = []
        while True:
            after = cursor_of(paged[-1]) if paged else None
            found = [one for one, _n in zip(events_between(path, start, end, after), range(page), strict=False)]
            paged += found
            if len(found) < page:
                break
        assert [one[:3] for one in paged] == whole


@settings(max_examples=40, deadline=None)
@given(logs, st.integers(0, 30))
def test_the_newest_of_some_types(times: list[list[int]], limit: int) -> None:
    with memory_folder() as folder:
        path = folder / "semantest.db"
        with recording(path) as recorder:
            for number, own in enumerate(times):
                told = [event("custom/even" if at % 2 == 0 else "custom/odd", float(at)) for at in own]
                recorder.send_all([Batch(f"r{number}.main", 1, [begin(f"r{number}", at=5.0), *told], 1.0)])
        found = newest_events(path, "custom/even".__eq__, limit)
        assert [(one.source, one.seq) for one in found] == newest_even(times)[:limit]
        assert all(one.time_ms % 2 == 0 for one in found)


def newest_even(times: list[list[int]]) -> list[tuple[str, int]]:
    places = []
    for number, own in enumerate(times):
        at_ms = 10_000
        for at in range(len(own) - 1, -1, -1):
            if own[at] % 2 == 0:
                at_ms = min(at_ms, own[at])
                places.append((at_ms, f"r{number}.main", at + 2))
    return [place[1:] for place in sorted(places, reverse=True)]


def test_a_clock_that_is_ahead_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    ahead = [event("custom/x", 240_000.0), event("custom/y", 1e300)]
    with recording(path) as recorder:
        recorder.send_all([Batch("r.main", 1, [begin("r", at=1000.0)], 1000.0), Batch("r.main", 2, ahead, 1001.0)])
        recorder.send_all([Batch("r.main", 4, [event("custom/z", 1002.0)], 1002.0)])
        recorder.send_all([Batch("future.main", 1, [begin("future", at=1e300)], 1003.0)])
    found = [(one.source, one.seq, one.time_ms) for one in events_between(path, 0.0, 2000.0)]
    assert found == [
        ("r.main", 1, 1000.0),
        ("r.main", 2, 1001.0),
        ("r.main", 3, 1001.0),
        ("r.main", 4, 1002.0),
        ("future.main", 1, 1003.0),
    ]
    assert [one.seq for one in events_between(path, 1002.0, 1002.5)] == [4]


def test_a_cursor_that_was_not_given_out_is_told(tmp_path: Path) -> None:
    with recording(tmp_path / "semantest.db"):
        pass
    for wrong in ("", "x", "1:y:s", "1:2"):
        with pytest.raises(InvalidCursor, match="is no cursor"):
            list(events_between(tmp_path / "semantest.db", 0, 1, wrong))


@pytest.mark.hazard(23)
@pytest.mark.hazard(24)
def test_who_reads_page_by_page_and_stands_still_is_in_no_transaction(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    with recording(path) as recorder:
        recorder.send("r.main", 1, [begin("r"), *(event("custom/x", float(number)) for number in range(1000))])
        replay = events_between(path, 0.0, 2000.0)
        assert next(replay).seq == 1
        connection = recorder.writer._connection
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        recorder.send("r.main", 1002, [event("custom/x", 1.0)])
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        assert sum(1 for _ in replay) == 1001
