"""Where a session goes, by the word of its shipper."""

from __future__ import annotations

import pytest

from pytest_semantest.protocol.destination import destination, is_on_this_host, is_same_recorder

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


@pytest.mark.parametrize("scheme", ["http://", "https://", "ws://", ""])
@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("[::ffff:127.0.0.1]", True),
        ("localhost", True),
        ("LocalHost", True),
        ("recorder.example", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("127.0.0.1@recorder.example", False),
        ("recorder.example@127.0.0.1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("[fe80::1]", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_an_address_on_this_host(scheme: str, host: str, here: bool) -> None:
    assert is_on_this_host(scheme + host) == here
    assert is_on_this_host(f"{scheme}{host}:8765/") == (here and host != "")
