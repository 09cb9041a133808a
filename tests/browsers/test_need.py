"""A machine without a browser: skipped where people work, a failure in CI."""

from __future__ import annotations

import pytest

from tests.browsers.conftest import need


def test_what_is_missing_skips_loudly_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    need([])
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="MISSING: /usr/bin/chromium, selenium"):
        need(["/usr/bin/chromium", "selenium"])
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="in CI nothing may be skipped"):
        need(["/usr/bin/chromium"])
