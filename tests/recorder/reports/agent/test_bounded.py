"""Structured answers within a budget."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.reports.agent.bounded import bounded
from semantest_recorder.reports.agent.tokens import LEAST_TOKENS, tokens

_NAMES = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=60,
)


@settings(max_examples=60)
@given(st.dictionaries(_NAMES.filter(lambda name: name != "leftOut"), _VALUES, max_size=8), st.integers(20, 2000))
def test_never_above_the_budget_and_whole_when_there_is_room(value: dict[str, Any], most: int) -> None:
    found = bounded(value, most)
    assert tokens(json.dumps(found)) <= most
    assert "leftOut" in found or found.keys() == value.keys()


def test_what_is_missing_is_counted_by_its_place() -> None:
    value = {"run": "r1", "causes": [{"tests": [f"test_{at}_{other}" for at in range(30)]} for other in range(3)]}
    found = bounded(value, LEAST_TOKENS)
    shown = [len(cause["tests"]) for cause in found["causes"]]
    assert found["run"] == "r1"
    assert len(shown) == 3
    assert found["leftOut"] == {"causes.tests": 90 - sum(shown)}
    assert bounded(value, 10_000) == value


def test_a_text_is_inert_and_a_long_one_is_cut() -> None:
    found = bounded({"text": "\x1b[31mred\u202e " + "x" * 5000, "caf\xe9": 1}, LEAST_TOKENS)
    assert found["text"].startswith("red xxx")
    assert found["text"].endswith("...")
    assert found["caf\xe9"] == 1
    assert bounded({str(at): "x" * 60 for at in range(500)}, LEAST_TOKENS) == {"leftOut": {"": 500}}
