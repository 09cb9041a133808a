"""Patterns of event types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.subscription import MAX_PATTERNS, InvalidPattern, Subscription


@pytest.mark.parametrize(
    ("pattern", "event_type", "wanted"),
    [
        ("*", "test/start", True),
        ("*", "anything", True),
        ("test/start", "test/start", True),
        ("test/start", "test/started", False),
        ("test/start", "test/suite/start", False),
        ("test/*", "test/start", True),
        ("test/*", "test/suite/start", True),
        ("test/*", "test.custom", True),
        ("test/*", "testing/start", False),
        ("test/*", "test", False),
        ("test.*", "test/start", True),
        ("test.*", "test.start", True),
        ("test/suite/*", "test/suite/end", True),
        ("test/suite/*", "test/start", False),
        ("custom/a.b", "custom/a.b", True),
        ("custom/a.b", "custom/aXb", False),
    ],
)
def test_patterns(pattern: str, event_type: str, wanted: bool) -> None:
    subscription = Subscription()
    subscription.add([pattern])
    assert subscription.matches(event_type) is wanted
    subscription.discard([pattern])
    assert not subscription.matches(event_type)
    assert not subscription


@pytest.mark.parametrize("pattern", ["", "te*st", "*/start", "/*", "**", "test*", "x" * 201])
def test_a_pattern_that_means_nothing_is_refused_and_changes_nothing(pattern: str) -> None:
    subscription = Subscription()
    subscription.add(["test/end"])
    with pytest.raises(InvalidPattern):
        subscription.add(["test/start", pattern])
    assert list(subscription) == ["test/end"]
    assert not subscription.matches("test/start")


def test_the_number_of_patterns_is_bounded() -> None:
    subscription = Subscription()
    subscription.add(str(n) for n in range(MAX_PATTERNS))
    subscription.add(["0"])
    with pytest.raises(InvalidPattern):
        subscription.add(["one more"])


_TYPES = st.lists(st.sampled_from(["test", "suite", "start", "x"]), min_size=1, max_size=3).map("/".join)
_PATTERNS = _TYPES | _TYPES.map(lambda t: t + "/*") | _TYPES.map(lambda t: t + ".*") | st.just("*")


@given(st.lists(_PATTERNS, max_size=6), st.lists(_PATTERNS, max_size=3), _TYPES)
def test_what_is_left_after_unsubscribing_matches_as_if_only_that_had_been_asked(
    added: list[str], dropped: list[str], event_type: str
) -> None:
    changed, fresh = Subscription(), Subscription()
    changed.add(added)
    changed.discard(dropped)
    fresh.add(pattern for pattern in added if pattern not in dropped)
    assert changed.matches(event_type) == fresh.matches(event_type)
    assert bool(changed) == bool(fresh)
