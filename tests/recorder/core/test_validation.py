"""What is wrong with an event, all of it; and no event, however strange, that breaks the validator."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.content_scan import is_suspicious, suspicious_fields
from semantest_recorder.core.policy import InvalidPolicy, Policy
from semantest_recorder.core.validation import CLOCK_TOLERANCE_MS, REQUIREMENTS, EventValidator

NOW = 1_763_683_200_000.0
GOOD: dict[str, Any] = {"id": "1", "type": "custom/x", "timestamp": NOW, "payload": {}}
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def codes(event: object, size: int = 100, **policy: Any) -> list[str]:
    validator = EventValidator(Policy().changed(policy))
    return [problem.code for problem in validator.validate(event, size, NOW)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"id": 7}, []),
        ({"id": ""}, ["MISSING_ID"]),
        ({"id": None}, ["MISSING_ID"]),
        ({"type": ""}, ["MISSING_TYPE"]),
        ({"type": 5}, ["MISSING_TYPE"]),
        ({"timestamp": None}, ["MISSING_TIMESTAMP"]),
        ({"timestamp": "now"}, ["INVALID_TIMESTAMP"]),
        ({"timestamp": True}, ["INVALID_TIMESTAMP"]),
        ({"timestamp": float("nan")}, ["INVALID_TIMESTAMP"]),
        ({"timestamp": NOW + CLOCK_TOLERANCE_MS}, []),
        ({"timestamp": NOW + CLOCK_TOLERANCE_MS + 1}, ["INVALID_TIMESTAMP"]),
        ({"timestamp": NOW - CLOCK_TOLERANCE_MS - 1}, ["INVALID_TIMESTAMP"]),
        ({"type": "test/start"}, ["MISSING_TEST_ID", "MISSING_TEST_NAME"]),
        ({"type": "test/end", "payload": {"testId": "t", "status": "great", "duration": float("inf")}},
         ["MISSING_TEST_STATUS", "INVALID_DURATION"]),
        ({"type": "test/end", "payload": {"testId": "t", "status": "passed", "duration": 0}}, []),
        ({"type": "system/client/connect", "payload": {}}, ["MISSING_CLIENT_ID", "MISSING_CLIENT_TYPE"]),
        ({"type": "test/start", "payload": "no object"}, ["MISSING_TEST_ID", "MISSING_TEST_NAME"]),
    ],
)  # fmt: skip
def test_the_problems_of_an_event(change: dict[str, Any], expected: list[str]) -> None:
    assert codes({**GOOD, **change}) == expected


def test_size_and_types_are_those_of_the_policy() -> None:
    assert codes(GOOD, size=2000, maxEventSize=1000) == ["EVENT_TOO_LARGE"]
    assert codes(GOOD, blockedEventTypes=["custom/*"]) == ["EVENT_TYPE_BLOCKED"]
    assert codes(GOOD, allowedEventTypes=["test/*"]) == ["EVENT_TYPE_NOT_ALLOWED"]
    assert codes(GOOD, allowedEventTypes=["custom/x"]) == []
    with pytest.raises(InvalidPolicy, match="use an exact event type"):
        Policy().changed({"blockedEventTypes": ["te*st"]})


@pytest.mark.parametrize("key", ["allowedClients", "blockedEventTypes"])
def test_a_policy_of_undecodable_bytes_is_refused(key: str) -> None:
    with pytest.raises(InvalidPolicy, match="not UTF-8"):
        Policy().changed({key: ["ci\udcff"]})


@given(json_values, st.sampled_from(sorted(REQUIREMENTS)))
def test_whatever_comes_is_judged(value: Any, kind: str) -> None:
    for event in (value, {**GOOD, "payload": value}, {**GOOD, "type": kind, "payload": value}, {**GOOD, "id": value}):
        assert isinstance(codes(event), list)


@pytest.mark.parametrize(
    "text",
    [
        *("<SCRIPT src=x>", "javascript:alert(1)", "<img onerror = x>", "eval (x)", "';  DROP TABLE runs"),
        *("../../etc/passwd", "1 UNION  SELECT 2", "document.cookie", "window .open"),
    ],
)
def test_signs_of_an_injection(text: str) -> None:
    assert is_suspicious(f"before {text} after")
    assert codes({**GOOD, "payload": {"a": [{"b": text}]}}) == ["SUSPICIOUS_CONTENT"]
    assert codes({**GOOD, "payload": {"a": text}}, scanContent=False) == []
    assert codes({**GOOD, "payload": {"error": {"message": text, "stack": [text]}}}) == [], "text of the tested program"
    assert list(suspicious_fields({"p": {"a": [1, text]}}, "")) == [".p.a[1]"]


@pytest.mark.parametrize("text", ["evaluate this", "the dropped table", "a window opens", "..", "on = off"])
def test_plain_words_are_none(text: str) -> None:
    assert not is_suspicious(text)
