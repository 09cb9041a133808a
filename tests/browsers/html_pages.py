"""Exported pages in a real browser, opened from their file as people do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.browsers.conftest import BROWSER
from tests.browsers.test_screenshots import FLAGS
from tests.browsers.watched_page import PATIENCE_MS, WatchedPage


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class OpenPage(WatchedPage):
    """A page that was opened from a file."""

    def __init__(self, browser: Any, file: Path, hash_: str = "", **context: Any) -> None:
        super().__init__(browser, file.as_uri(), **context)
        self.go(file.as_uri() + hash_)

    def rows(self) -> list[str]:
        """The names in the list of tests, as far as they are in the page."""
        return list(self.page.locator("#list .test-name").all_inner_texts())

    def wait_for_rows(self, *names: str) -> None:
        """Until these are all the names in the list: the browser tells the page later that its address has changed."""
        from playwright.sync_api import expect  # noqa: PLC0415

        expect(self.page.locator("#list .test-name")).to_have_text(list(names), timeout=PATIENCE_MS)

    def shown(self) -> str:
        """The id of the test that is looked at, when its attempts are there."""
        self.page.locator("#pane .attempts").wait_for()
        return self.text("#pane .test-id")


def hash_of(**fields: str) -> str:
    return "#" + "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
