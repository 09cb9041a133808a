"""Host, Origin and token rules."""

from __future__ import annotations

import pytest

from semantest_recorder.core.access import ANONYMOUS, OWNER, AddressRules, Credentials, Denied, is_loopback, split_host

RULES = AddressRules(4711, hosts=["Build.Example", "proxy:81"], origins=["https://dash.example"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4711",
        "localhost:4711",
        "LOCALHOST:4711",
        "[::1]:4711",
        "127.1.2.3:4711",
        "build.example",
        "build.example:9",
        "proxy:81",
    ],
)
def test_hosts_that_mean_us(host: str) -> None:
    assert RULES.refuse([host], []) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4711",
        "localhost",
        "localhost:4712",
        "127.0.0.1",
        "localhost.evil.example:4711",
        "127.0.0.1.evil.example:4711",
        "localhost:4711:4711",
        "localhost:+4711",
        "localhost:４７１１",  # noqa: RUF001 - digits that int() would take
        "[::1]4711",
        "[::1",
        "::1:4711",
        "0.0.0.0:4711",
        "2130706433:4711",
        "proxy:82",
        "user@localhost:4711",
        " localhost:4711",
    ],
)
def test_foreign_hosts(host: str) -> None:
    denied = RULES.refuse([host], [])
    assert denied is not None
    assert denied.status == 403


@pytest.mark.parametrize("hosts", [[], ["localhost:4711", "localhost:4711"], ["localhost:4711", "evil"]])
def test_there_is_exactly_one_host(hosts: list[str]) -> None:
    assert RULES.refuse(hosts, []) is not None


@pytest.mark.parametrize(
    "origin", ["http://localhost:4711", "http://127.0.0.1:4711", "http://[::1]:4711", "https://dash.example"]
)
def test_own_and_allowed_origins(origin: str) -> None:
    assert RULES.refuse(["localhost:4711"], [origin]) is None


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "http://localhost",
        "http://localhost:4712",
        "https://localhost:4711",
        "http://localhost:4711/",
        "http://localhost:4711.evil.example",
        "http://evil.example:4711",
        "https://dash.example:443",
        "https://dash.example.evil",
        "https://DASH.example",
        "file://",
        "localhost:4711",
    ],
)
def test_foreign_origins(origin: str) -> None:
    denied = RULES.refuse(["localhost:4711"], [origin])
    assert denied is not None
    assert denied.status == 403


def test_two_origins_are_none() -> None:
    assert RULES.refuse(["localhost:4711"], ["http://localhost:4711"] * 2) is not None


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("a.localhost", False),
    ],
)
def test_is_loopback(name: str, answer: bool) -> None:
    assert is_loopback(name) is answer


@pytest.mark.parametrize(
    ("header", "parts"),
    [("a:1", ("a", 1)), ("A", ("a", None)), ("[::1]:9", ("::1", 9)), ("a:", None), (":1", None), ("a:123456", None)],
)
def test_split_host(header: str, parts: tuple[str, int | None] | None) -> None:
    assert split_host(header) == parts


TOKEN = "smt_0123456789abcdef"


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer  {TOKEN} "])
def test_the_token_makes_the_owner(header: str) -> None:
    assert Credentials(TOKEN).identify([header]) is OWNER


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        [TOKEN],
        [f"Basic {TOKEN}"],
        [f"Bearer {TOKEN[:-1]}"],
        [f"Bearer {TOKEN}x"],
        [f"Bearer {TOKEN.upper()}"],
        ["Bearer \udcff"],
        [f"Bearer {TOKEN}", f"Bearer {TOKEN}"],
    ],
)
def test_anything_else_is_refused_and_never_repeated(headers: list[str]) -> None:
    denied = Credentials(TOKEN).identify(headers)
    assert isinstance(denied, Denied)
    assert denied.status == 401
    assert TOKEN not in repr(denied)


def test_without_a_token_only_where_that_is_allowed_and_never_with_a_wrong_one() -> None:
    credentials = Credentials(TOKEN, anonymous=True)
    assert credentials.identify([]) is ANONYMOUS
    assert isinstance(credentials.identify(["Bearer wrong"]), Denied)
    assert {role.value for role in ANONYMOUS.roles} == {"ingest", "read"}


def test_the_token_is_not_kept() -> None:
    assert TOKEN not in repr(vars(Credentials(TOKEN)))
