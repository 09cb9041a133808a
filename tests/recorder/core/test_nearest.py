"""The nearest of many names, which clients may choose."""

from __future__ import annotations

from semantest_recorder.core.nearest import nearest

OTHERS = [f"nightly-{number:06d}" for number in range(10_000)]


def test_a_mistyped_name_is_found_among_many_by_how_it_begins() -> None:
    assert nearest("release-42x", [*OTHERS, "release-42"], 0.5) == ["release-42"]
    assert nearest("nightly-004242x", OTHERS, 0.9)[0] == "nightly-004242"


def test_among_few_a_mistake_may_be_at_the_beginning() -> None:
    assert nearest("elease-42", [*OTHERS[:40], "release-42"], 0.8) == ["release-42"]


def test_of_many_names_few_are_compared_and_long_ones_never() -> None:
    assert nearest("elease-42", [*OTHERS, "release-42"], 0.8) == []
    assert nearest("a" * 101, ["a" * 100], 0.5) == []
    assert nearest("a" * 100, ["a" * 101], 0.5) == []
