from __future__ import annotations

from multidict import MultiDict

from semantest_recorder.core.access import Identity
from semantest_recorder.pages.kept_pages import KeptPages
from semantest_recorder.pages.page import Visit, polled


def test_a_page_is_made_again_when_its_stamp_has_changed() -> None:
    kept, made = KeptPages(1000), list[str]()

    def make(text: str) -> str:
        made.append(text)
        return text

    assert kept.get("/flaky", 1, lambda: make("old")) == "old"
    assert kept.get("/flaky", 1, lambda: make("not made")) == "old"
    assert kept.get("/flaky", 2, lambda: make("new")) == "new"
    assert kept.get("/slowest", 2, lambda: make("other")) == "other"
    assert made == ["old", "new", "other"]


def test_what_was_not_asked_for_longest_makes_room() -> None:
    kept = KeptPages(10)
    for page in ("a", "b", "c"):
        kept.get(page, 1, lambda: "12345")
    assert kept.get("a", 1, lambda: "made") == "made"
    assert kept.get("c", 1, lambda: "not made") == "12345"


def test_a_page_that_is_too_large_is_given_and_not_kept() -> None:
    kept = KeptPages(10)
    assert kept.get("large", 1, lambda: "x" * 11) == "x" * 11
    assert kept.get("large", 1, lambda: "again") == "again"
    assert kept.get("large", 1, lambda: "not made") == "again"


def test_what_scripts_ask_for_is_made_once_in_two_seconds() -> None:
    now = 10.0
    stamp = polled("poll", lambda: now)
    person, script = (
        Visit("/runs", {}, MultiDict(query), Identity("ana", frozenset())) for query in ({}, {"poll": "1"})
    )
    assert stamp(person) is None, "people get a new page"
    first = stamp(script)
    now = 11.9
    assert stamp(script) == first
    now = 12.0
    assert stamp(script) != first
