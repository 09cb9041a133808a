"""Beyond loopback only with tokens and TLS (HAZARDS 32)."""

from __future__ import annotations

from itertools import product

import pytest

from semantest_recorder.core.access import AddressRules
from semantest_recorder.core.exposure import refuse_exposure

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
