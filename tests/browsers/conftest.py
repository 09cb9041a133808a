"""A real Chromium for tests of screenshots: without one they are skipped loudly, and fail in CI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from tests.missing import skip_or_fail
from tests.plugin.conftest import record

__all__ = ["BROWSER", "DRIVER", "record"]

BROWSER = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"


def need(missing: list[str]) -> None:
    """Skips, or fails in CI, when anything is missing."""
    if missing:
        told = f"MISSING: {', '.join(missing)}"
        skip_or_fail(f"{told} (.ci/system-packages installs browsers, the group `test` the libraries)")


@pytest.fixture
def playwright_is_here() -> None:
    need_playwright()


def need_playwright() -> None:
    """Skips, or fails in CI, without Chromium or Playwright."""
    need([name for name in (BROWSER,) if not shutil.which(name)] + ([] if find_spec("playwright") else ["playwright"]))


@pytest.fixture
def selenium_is_here() -> None:
    programs = [name for name in (BROWSER, DRIVER) if not shutil.which(name)]
    need(programs + ([] if find_spec("selenium") else ["selenium"]))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium for the tests of a file."""
    need_playwright()
    from tests.browsers.html_pages import chromium  # noqa: PLC0415 - it takes from here what Chromium is

    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def signed_in(served: Any, browser: Any) -> Iterator[Any]:
    """Somebody signed in at what ``served`` of the file serves: to begin and to end costs a browser 2 s of CPU."""
    visitor = served.visitor(browser)
    yield visitor
    visitor.close()


@pytest.fixture
def visitor(signed_in: Any) -> Iterator[Any]:
    """The one who is signed in, as at first; at the end the page did nothing that it must not do."""
    yield signed_in
    wrong = signed_in.forget()
    assert wrong == []
