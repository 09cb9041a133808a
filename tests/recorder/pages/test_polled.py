"""Pages that scripts ask for again and again."""

from __future__ import annotations

from multidict import MultiDict

from semantest_recorder.core.access import Identity
from semantest_recorder.pages.page import Visit, polled


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
