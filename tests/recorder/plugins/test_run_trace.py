"""A run as a trace (pure): whatever the report says, the trace is whole, bounded and always the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.plugins.arguments import Step
from semantest_recorder.plugins.builtin.run_trace import RESULTS, Span, parent_of, read_run, spans_of, trace_id_of

times = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 2e12)
texts = st.none() | st.text(max_size=20) | st.just("\ud800 half a pair")
errors = st.none() | st.fixed_dictionaries({"message": texts, "type": texts, "stack": texts})
attempts = st.fixed_dictionaries(
    {
        "attempt": st.integers(1, 3),
        "source": st.sampled_from(("s.main", "s.gw0")),
        "outcome": st.none() | st.sampled_from((*FINAL_STATES, "unknown")),
        "startedMs": times,
        "durationMs": st.floats(allow_nan=False, allow_infinity=False),
        "phases": st.fixed_dictionaries({"setup": times, "call": times, "teardown": times}),
        "error": errors,
    }
)
tests = st.fixed_dictionaries(
    {
        "id": st.sampled_from(("a.py::one", "a.py::two", "b.py::three", "b.py::\ud800")),
        "state": st.sampled_from((*FINAL_STATES, "pending")),
        "suite": st.sampled_from(("a.py", "b.py")),
        "reason": texts,
        "attemptsDetail": st.lists(attempts, max_size=3),
    }
)
reports = st.fixed_dictionaries(
    {
        "run": st.fixed_dictionaries(
            {"id": st.just("r"), "state": st.just("failed"), "startedMs": times, "endedMs": times}
        ),
        "counts": st.just({"failed": 1}),
        "tests": st.lists(tests, max_size=4, unique_by=lambda test: str(test["id"])),
    }
)
steps = st.lists(
    st.builds(
        Step,
        test_id=st.sampled_from(("a.py::one", "b.py::three", "gone")),
        attempt=st.integers(1, 3),
        source=st.sampled_from(("s.main", "s.gw0")),
        step_id=st.sampled_from("abc"),
        parent_id=st.sampled_from(("", "a", "b", "c", "gone")),
        name=st.text(max_size=5),
        status=st.sampled_from(("passed", "failed", "open")),
        started_ms=times,
        ended_ms=times,
    ),
    max_size=5,
)


@given(reports, steps)
def test_a_trace_is_one_tree_without_a_span_twice_and_no_span_ends_before_it_begins(
    report: dict[str, Any], told: list[Step]
) -> None:
    spans = list(spans_of(read_run(report), told))
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans)
    for span in spans:
        assert 0 <= span.start_ns <= span.end_ns < 2**63
        above, seen = span, {span.span_id}
        while above.parent_id is not None:
            above = by_id[above.parent_id]
            assert above.span_id not in seen
            seen.add(above.span_id)
        assert above is spans[-1], "the run's own is above all"
    for span in spans:
        str(span.attributes).encode()
        span.name.encode()
    tested = [span for span in spans if "test.case.name" in span.attributes]
    assert len(tested) == len(report["tests"])
    assert spans == list(spans_of(read_run(report), told))


@given(reports, st.integers(1, 12))
def test_no_more_spans_are_made_than_allowed_and_what_is_left_out_is_told(report: dict[str, Any], most: int) -> None:
    def left_out(spans: list[Span]) -> int:
        found = spans[-1].attributes.get("semantest.spans.left_out", 0)
        assert isinstance(found, int)
        return found

    run = read_run(report)
    everything, some = list(spans_of(run, ())), list(spans_of(run, (), most=most))
    assert len(some) <= max(1, most)
    assert left_out(everything) == 0
    suites = [sum("test.suite.run.status" in span.attributes for span in spans) for spans in (everything, some)]
    assert len(some) + left_out(some) == len(everything) - (suites[0] - suites[1])


def test_every_final_state_has_a_result() -> None:
    assert set(RESULTS) == set(FINAL_STATES)


@pytest.mark.parametrize(
    ("given", "trace_id"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 0x4BF92F3577B34DA6A3CE929D0E0E4736),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_a_valid_traceparent_is_a_link(given: str | None, trace_id: int | None) -> None:
    run = read_run({"run": {"id": "r", "state": "passed", "traceparent": given}, "counts": {}, "tests": []})
    found = parent_of(run)
    assert (found.trace_id if found is not None else None) == trace_id


def test_two_runs_are_two_traces_and_one_run_is_the_same_for_ever() -> None:
    assert trace_id_of("r1") != trace_id_of("r2")
    assert f"{trace_id_of('20261121-093000-a1b2c3'):032x}" == "94b2da04a8c3e9c2e1ed832f4c44c795"
