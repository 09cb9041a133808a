"""Answers are kept while they hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from semantest_recorder.answers.kept import Kept


def test_an_answer_is_found_again_when_its_stamp_has_changed() -> None:
    kept, made = Kept[str](1000, len), list[str]()

    def make(text: str) -> str:
        made.append(text)
        return text

    assert kept.get("/flaky", 1, lambda: make("old")) == "old"
    assert kept.get("/flaky", 1, lambda: make("not made")) == "old"
    assert kept.get("/flaky", 2, lambda: make("new")) == "new"
    assert kept.get("/slowest", 2, lambda: make("other")) == "other"
    assert made == ["old", "new", "other"]


def test_what_was_not_asked_for_longest_makes_room() -> None:
    kept = Kept[str](10, len)
    for page in ("a", "b", "c"):
        kept.get(page, 1, lambda: "12345")
    assert kept.get("a", 1, lambda: "made") == "made"
    assert kept.get("c", 1, lambda: "not made") == "12345"


def test_an_answer_that_is_too_large_is_given_and_not_kept() -> None:
    kept = Kept[str](10, len)
    assert kept.get("large", 1, lambda: "x" * 11) == "x" * 11
    assert kept.known("large", 1) is None
    kept.get("small", 1, lambda: "12345")
    kept.get("large", 1, lambda: "x" * 11)
    assert kept.known("small", 1) == "12345", "for what cannot be kept nothing has to go"


def test_there_are_no_more_answers_than_may_be() -> None:
    """A thousand questions may have no answer to speak of."""
    kept = Kept[str](1000, len, number=2)
    for question in "abc":
        kept.get(question, 1, lambda: "")
    assert [kept.known(question, 1) for question in "abc"] == [None, "", ""]


def test_those_who_ask_at_once_have_it_found_once() -> None:
    kept, found, began = Kept[str](3), list[str](), Barrier(3, timeout=60)

    def ask(_number: int) -> str:
        began.wait()
        return kept.get("/flaky", 1, lambda: found.append("found") or "answer")  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(3))) == ["answer"] * 3
    assert found == ["found"]


def test_what_could_not_be_found_is_looked_for_again() -> None:
    kept = Kept[int](3)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            kept.get("question", 1, lambda: 1 // 0)
    assert kept.get("question", 1, lambda: 7) == 7
