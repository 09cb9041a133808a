"""The projection of a run: no order of arrival may change it. That no restart does, holds tests/fuzz/projection.py."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .histories import History, histories, rows_of, rows_of_batches

seeds = st.integers(0, 2**32)
thorough = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@thorough
@given(histories(), seeds)
def test_the_order_between_sources_does_not_matter(history: History, seed: int) -> None:
    assert rows_of_batches(history, seed, reload=False).content() == rows_of(history).content()


@thorough
@given(histories(), seeds)
def test_it_does_not_matter_how_attempts_are_found(history: History, seed: int) -> None:
    expected = rows_of(history).content()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semantest_recorder.core.tables.CROWDED", 1)
        assert rows_of(history).content() == expected
        assert rows_of_batches(history, seed, reload=True).content() == expected
