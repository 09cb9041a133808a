"""What is counted: every value is in exactly one range, and in all that are above it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.measures import LATENCY_S, Histogram


@given(st.lists(st.floats(0, 1e6) | st.sampled_from(LATENCY_S)))
def test_a_histogram_counts_every_value_once_and_a_bound_belongs_to_its_range(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    reading = histogram.read()
    assert len(reading.counts) == len(reading.bounds) + 1
    for place, bound in enumerate([*reading.bounds, math.inf]):
        assert sum(reading.counts[: place + 1]) == sum(value <= bound for value in values)
    assert math.isclose(reading.total, math.fsum(values), rel_tol=1e-9, abs_tol=1e-9)
