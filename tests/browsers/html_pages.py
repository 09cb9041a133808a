"""Exported pages in a real browser, opened from their file as people do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.browsers.conftest import BROWSER
from tests.browsers.test_screenshots import FLAGS

PATIENCE_MS = 60_000


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


class OpenPage:
    """A page that was opened from a file, and whatever it did that it must not do."""

    def __init__(self, browser: Any, file: Path, hash_: str = "", **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)
        self._own = file.as_uri()
        self.page.goto(self._own + hash_)
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self._own, "data:image/")):
            self.wrong.append(request.url)

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).inner_text())

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

    def close(self) -> None:
        self.context.close()


def hash_of(**fields: str) -> str:
    return "#" + "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
