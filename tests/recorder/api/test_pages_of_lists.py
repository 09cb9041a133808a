"""Cursors: every entry stands on one page, whatever the order, and no cursor fits another question."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.answers.cursor import InvalidCursor, cursor_of, place_of
from semantest_recorder.answers.results import ResultOrder
from semantest_recorder.answers.runs import RunOrder
from semantest_recorder.store.run_list import Place
from tests.recorder.api.asking import Api, served
from tests.recorder.cli.recording import Recording

KEYS = st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=200)
TIES = st.integers(-(2**63), 2**63 - 1)


@given(KEYS, TIES, st.text())
def test_a_cursor_leads_back_to_its_place(key: float | str, tie: int, question: str) -> None:
    cursor = cursor_of(Place(key, tie), question)
    assert place_of(cursor, question) == Place(key, tie)
    with pytest.raises(InvalidCursor, match="another question"):
        place_of(cursor, question, "more")


@given(st.text(min_size=150) | st.text("\x00\U0010ffff", min_size=200), TIES)
def test_a_cursor_fits_into_an_address_whatever_its_key(key: str, tie: int) -> None:
    cursor = cursor_of(Place(key, tie), "question")
    assert len(cursor) <= 2000
    assert place_of(cursor, "question") == Place(key[:200], tie)


@given(st.text() | st.from_regex(r"\A[A-Za-z0-9_-]{1,40}\Z"))
def test_what_was_not_given_out_is_no_cursor(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        place_of(cursor, "runs")


@pytest.mark.parametrize("order", get_args(RunOrder))
def test_pages_of_runs_have_each_run_once(long: Api, order: str) -> None:
    whole = [run["id"] for run in long.json("/api/v1/runs", sort=order, limit=1000)["runs"]]
    pages = list(long.pages("/api/v1/runs", "runs", sort=order, limit=5))
    assert [len(page) for page in pages] == [5, 5, 4]
    assert [run["id"] for page in pages for run in page] == whole
    assert len(set(whole)) == 14


@pytest.mark.parametrize("order", get_args(ResultOrder))
def test_pages_of_results_have_each_test_once(long: Api, order: str) -> None:
    path = "/api/v1/runs/last/results"
    whole = long.json(path, sort=order, limit=1000)
    pages = [test["id"] for page in long.pages(path, "tests", sort=order, limit=30) for test in page]
    assert pages == [test["id"] for test in whole["tests"]]
    assert len(set(pages)) == whole["total"] == len(long.json("/api/v1/runs/last/report")["tests"])


def test_pages_of_events_have_each_event_once(long: Api) -> None:
    path = "/api/v1/runs/last/events"
    whole = [(event["source"], event["seq"]) for page in long.pages(path, "events", limit=1000) for event in page]
    assert [(event["source"], event["seq"]) for page in long.pages(path, "events", limit=83) for event in page] == whole
    ends = [event["seq"] for page in long.pages(path, "events", type="test/end", limit=7) for event in page]
    assert len(ends) >= len(long.json("/api/v1/runs/last/report")["tests"]) - 5
    assert len(whole) == len(set(whole)) > 2 * len(ends)


@pytest.mark.parametrize(("length", "number", "limit"), [(3_000, 7, 2), (100_000, 90, 1000)])
def test_pages_of_tests_with_long_names_have_each_test_once(
    length: int, number: int, limit: int, tmp_path: Path
) -> None:
    """A cursor has to fit into an address, and a page into some megabytes, however many entries it was to have."""
    recording = Recording()
    tests = [f"t.py::test[{'x' * length}{place:03d}]" for place in range(number)]
    recording.start()
    recording.plan(*tests)
    for test in tests:
        recording.test(test)
    recording.end(0)
    recording.store(tmp_path / ".semantest")
    api = served(tmp_path / ".semantest")
    try:
        for path, more in (("/api/v1/tests", {}), ("/api/v1/runs/last/results", {"sort": "id"})):
            pages = list(api.pages(path, "tests", limit=limit, **more))
            assert [test["id"] for page in pages for test in page] == tests
            assert len(pages) > 1
    finally:
        api.server.close()


def test_a_cursor_of_another_question_is_refused(long: Api) -> None:
    cursor = long.json("/api/v1/runs", limit=1)["next"]
    for query in ({"sort": "started"}, {"state": "failed"}, {"q": "a"}):
        assert long.problem("/api/v1/runs", cursor=cursor, **query)[:2] == (400, "INVALID_REQUEST")
    assert long.json("/api/v1/runs", limit=7, fields="id", cursor=cursor)["runs"]
