"""The projection of a run: no order of arrival and no restart may change it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.projection import check_ledger

from .histories import History, histories, rows_of, rows_of_batches

seeds = st.integers(0, 2**32)
thorough = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@thorough
@given(histories(), seeds)
def test_the_order_between_sources_does_not_matter(history: History, seed: int) -> None:
    assert rows_of_batches(history, seed, reload=False).content() == rows_of(history).content()


@thorough
@given(histories(), seeds)
def test_a_run_loaded_from_its_rows_goes_on_as_if_never_unloaded(history: History, seed: int) -> None:
    assert rows_of_batches(history, seed, reload=True).content() == rows_of(history).content()


@thorough
@given(histories(), seeds)
def test_it_does_not_matter_how_attempts_are_found(history: History, seed: int) -> None:
    expected = rows_of(history).content()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semantest_recorder.core.tables.CROWDED", 1)
        assert rows_of(history).content() == expected
        assert rows_of_batches(history, seed, reload=True).content() == expected


@thorough
@given(histories())
def test_the_ledger_closes(history: History) -> None:
    check_ledger(rows_of(history))
