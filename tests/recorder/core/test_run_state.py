"""The projection of a run: no order of arrival and no restart may change it."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES, WIRE_STATUS
from pytest_semantest.protocol.identity import suite_of
from semantest_recorder.core.run_state import RunState

from .histories import RUN, History, Rows, batches_of, histories, rows_of

seeds = st.integers(0, 2**32)
thorough = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def replayed(history: History, seed: int, *, reload: bool) -> Rows:
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


@thorough
@given(histories(), seeds)
def test_the_order_between_sources_does_not_matter(history: History, seed: int) -> None:
    assert replayed(history, seed, reload=False).content() == rows_of(history).content()


@thorough
@given(histories(), seeds)
def test_a_run_loaded_from_its_rows_goes_on_as_if_never_unloaded(history: History, seed: int) -> None:
    assert replayed(history, seed, reload=True).content() == rows_of(history).content()


@thorough
@given(histories(), seeds)
def test_it_does_not_matter_how_attempts_are_found(history: History, seed: int) -> None:
    expected = rows_of(history).content()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semantest_recorder.core.tables.CROWDED", 1)
        assert rows_of(history).content() == expected
        assert replayed(history, seed, reload=True).content() == expected


@thorough
@given(histories())
def test_the_ledger_closes(history: History) -> None:
    rows = rows_of(history)
    states = Counter(row.state for row in rows.results.values())
    assert sum(states.values()) == len(rows.results)
    if rows.run.state != "running":
        assert set(states) <= set(FINAL_STATES)
        assert rows.run.ended_ms is not None
    if rows.run.state == "passed":
        assert not BAD_STATES & set(states)
        assert rows.run.gaps == 0
    for suite in rows.suites.values():
        mine = [row for row in rows.results.values() if (row.suite_id or suite_of(row.test_id)) == suite.suite_id]
        wire = Counter(WIRE_STATUS[row.state] for row in mine)
        assert suite.total == len(mine)
        assert (suite.passed, suite.failed, suite.skipped) == (wire["passed"], wire["failed"], wire["skipped"])
        assert suite.done == suite.passed + suite.failed + suite.skipped
