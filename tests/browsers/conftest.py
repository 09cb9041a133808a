"""A real Chromium for tests of screenshots: without one they are skipped loudly, and fail in CI."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest

from tests.plugin.conftest import record

__all__ = ["BROWSER", "DRIVER", "record"]

BROWSER = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"


def need(missing: list[str]) -> None:
    """Skips, or fails in CI, when anything is missing."""
    if not missing:
        return
    told = f"MISSING: {', '.join(missing)} (.ci/system-packages installs browsers, the group `test` the libraries)"
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(told)
    pytest.fail(f"{told}; in CI nothing may be skipped for it")


@pytest.fixture
def playwright_is_here() -> None:
    need([name for name in (BROWSER,) if not shutil.which(name)] + ([] if find_spec("playwright") else ["playwright"]))


@pytest.fixture
def selenium_is_here() -> None:
    programs = [name for name in (BROWSER, DRIVER) if not shutil.which(name)]
    need(programs + ([] if find_spec("selenium") else ["selenium"]))
