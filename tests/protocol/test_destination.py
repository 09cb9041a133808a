"""Where a session goes, by the word of its shipper."""

from __future__ import annotations

import pytest

from pytest_semantest.protocol.destination import destination, is_same_recorder

OWN, NAMED, OTHER = "http://127.0.0.1:4242", "https://recorder.example:8700", "http://127.0.0.1:8765"


@pytest.mark.parametrize("own", [OWN, None, 7], ids=["own known", "no own one", "nonsense"])
@pytest.mark.parametrize(
    ("told", "bound", "untold"),
    [
        ({}, None, OTHER),
        ({"recorder": None, "named": None}, None, OTHER),
        ({"recorder": NAMED, "named": None}, None, OTHER),
        ({"recorder": NAMED, "named": False}, None, None),
        ({"recorder": NAMED, "named": True}, NAMED, NAMED),
        ({"recorder": None, "named": True}, None, OTHER),
        ({"recorder": ["x"], "named": True}, None, OTHER),
        ({"recorder": NAMED, "named": "yes"}, None, OTHER),
    ],
)
def test_the_recorder_that_was_named_else_the_own_one(
    told: dict[str, object], bound: str | None, untold: str | None, own: object
) -> None:
    assert destination(told, own) == bound
    assert destination(told, own, OTHER) == untold


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_the_own_recorder_by_its_address_is_the_own_one(slash: str) -> None:
    assert destination({"recorder": OWN + slash, "named": True}, OWN) is None
    assert destination({}, f"{OWN}/", OWN + slash) is None
    assert is_same_recorder(OWN + slash, OWN)
    assert not is_same_recorder(OWN + slash, None)
    assert is_same_recorder(None, None)
