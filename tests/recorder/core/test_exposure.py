"""Beyond loopback only with tokens and TLS (HAZARDS 32)."""

from __future__ import annotations

from itertools import product

import pytest

from semantest_recorder.core.access import AddressRules
from semantest_recorder.core.exposure import refuse_exposure, refuse_names

pytestmark = pytest.mark.hazard(32)

LOOPBACK = ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"]
BEYOND = ["0.0.0.0", "::", "192.168.1.5", "recorder.example", "fe80::1", "*", "127.0.0.1.nip.io"]


@pytest.mark.parametrize("host", [*LOOPBACK, *BEYOND])
def test_the_rule(host: str) -> None:
    for tls, terminated, anonymous, names in product([False, True], [False, True], [False, True], [(), ("r.example",)]):
        refusal = refuse_exposure(host, tls=tls, terminated=terminated, anonymous=anonymous, allowed_hosts=names)
        allowed = not (tls and terminated) and not (anonymous and (terminated or host in BEYOND))
        if host in BEYOND:
            allowed = allowed and (tls or terminated) and (bool(names) or host not in ("0.0.0.0", "::", "*"))
        assert (refusal is None) == allowed
        assert refusal is None or "\n" not in refusal


@pytest.mark.parametrize(
    "host",
    [
        "tests",
        "recorder.example",
        "recorder.example:8765",
        "a_b.example.",
        "10.0.0.7",
        "10.0.0.7:80",
        "::1",
        "[::1]:80",
    ],
)
def test_a_host_that_can_match_is_taken(host: str) -> None:
    assert refuse_names([host], []) is None
    rules = AddressRules(1, [host])
    header = f"[{host}]" if host == "::1" else host
    assert rules.refuse([header], []) is None


@pytest.mark.parametrize(
    "host", ["a/b", "https://a", "a b", "*.example", "*", "", "a:b", "a:123456", "[a]", "x@y", "ä"]
)
def test_a_host_that_can_never_match_is_refused_with_an_example(host: str) -> None:
    refusal = refuse_names(["recorder.example", host], [])
    assert refusal is not None
    assert f"{host!r} matches no Host" in refusal
    assert "recorder.example:8765" in refusal


@pytest.mark.parametrize(
    "origin", ["https://ci.example", "http://127.0.0.1:8080", "https://[::1]:1", "chrome-extension://abcdef", "null"]
)
def test_an_origin_that_can_match_is_taken(origin: str) -> None:
    assert refuse_names([], [origin]) is None
    assert AddressRules(1, ["h"], [origin]).refuse(["h"], [origin]) is None


@pytest.mark.parametrize(
    "origin",
    [
        "foo",
        "*",
        "",
        "ci.example",
        "https://ci.example/",
        "https://CI.example",
        "HTTPS://ci.example",
        "https://",
        "https://ci.example:443",
        "http://ci.example:80",
        "https://a@b",
        "https://*.example",
        "https://a b",
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_an_example(origin: str) -> None:
    refusal = refuse_names([], [origin])
    assert refusal is not None
    assert f"{origin!r} matches no Origin" in refusal
    assert "such as https://ci.example" in refusal


PUBLIC = AddressRules({8443: "https", 40001: "http"}, ["recorder.example"])
BEHIND = AddressRules({8765: "http"}, ["recorder.example"], terminated=True)


@pytest.mark.parametrize(
    ("rules", "host", "origin", "fits"),
    [
        (PUBLIC, "recorder.example:8443", None, True),
        (PUBLIC, "recorder.example:8443", "https://recorder.example:8443", True),
        (PUBLIC, "RECORDER.example:8443", "https://recorder.example:8443", True),
        (PUBLIC, "recorder.example:8443", "http://recorder.example:8443", False),
        (PUBLIC, "recorder.example:8443", "https://recorder.example:9999", False),
        (PUBLIC, "recorder.example:8443", "https://evil.example:8443", False),
        (PUBLIC, "evil.example:8443", None, False),
        (PUBLIC, "127.0.0.1:8443", "https://127.0.0.1:8443", True),
        (PUBLIC, "127.0.0.1:8443", "http://127.0.0.1:8443", False),
        (PUBLIC, "127.0.0.1:40001", "http://localhost:40001", True),
        (PUBLIC, "127.0.0.1:40001", "https://localhost:40001", False),
        (BEHIND, "recorder.example", "https://recorder.example", True),
        (BEHIND, "recorder.example", "http://recorder.example", False),
        (BEHIND, "recorder.example", "https://recorder.example:444", False),
        (BEHIND, "127.0.0.1:8765", "http://127.0.0.1:8765", True),
        (BEHIND, "127.0.0.1", None, False),
    ],
)
def test_hosts_and_origins_where_tls_is_spoken(rules: AddressRules, host: str, origin: str | None, fits: bool) -> None:
    assert (rules.refuse([host], [origin] if origin else []) is None) == fits


@pytest.mark.parametrize(
    ("rules", "origin", "advice"),
    [
        (AddressRules(8765, ["recorder.example"]), "https://recorder.example", "--tls-terminated"),
        (AddressRules(8765, ["recorder.example"]), "http://recorder.example", "pages come by https only"),
        (BEHIND, "http://recorder.example", "pages come by https only"),
        (BEHIND, "https://other.example", "must pass Host on"),
    ],
)
def test_who_set_a_proxy_up_wrong_is_told_what_is_wrong(rules: AddressRules, origin: str, advice: str) -> None:
    denied = rules.refuse(["recorder.example"], [origin])
    assert denied is not None
    assert "allow it with --allow-origin" in denied.detail
    assert advice in denied.detail
