"""The dashboard of a real recorder in a real browser, signed in as people are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.browsers.html_pages import PATIENCE_MS
from tests.recorder.cli.command import semantest
from tests.recorder.cli_recorder.daemons import Daemon

#: What a page must never log, and what Chromium says of a refused address that a test asks for.
_HARMLESS = "Failed to load resource: the server responded with a status of 4"


class ServedDashboard:
    """A recorder that serves the folder until ``close``."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.daemon = Daemon(folder, *options).ready()
        self.url = str(self.daemon.discovery["url"])

    def sign_in_address(self, *goal: str) -> str:
        """What ``semantest open`` prints."""
        said = semantest("open", *goal, "--no-browser", "--directory", self.folder)
        assert said.code == 0, said.err
        return said.out.strip()

    def visitor(self, browser: Any, **context: Any) -> Visitor:
        """A browser of its own that is signed in."""
        return Visitor(browser, self, **context)

    def close(self) -> None:
        self.daemon.end()


class Visitor:
    """Somebody with a page of the dashboard, and whatever that page did that it must not do (``wrong``)."""

    def __init__(self, browser: Any, served: ServedDashboard, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)
        self._url = served.url
        self.page.goto(served.sign_in_address())
        self.page.wait_for_url("**/runs")

    def _console(self, message: Any) -> None:
        if not message.text.startswith(_HARMLESS):
            self.wrong.append(message.text)

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self._url, "data:image/")):
            self.wrong.append(request.url)

    def open(self, path: str) -> Any:
        """Goes to a page of ours and waits until its scripts have run; gives Playwright's page."""
        self.page.goto(self._url + path)
        self.page.wait_for_selector("html[data-ready]", state="attached")
        return self.page

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    def violations(self, *rules: str) -> list[str]:
        """What axe says against the page, by these rules, else by all of WCAG 2.2 AA and its best practices."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        wanted = rules or ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
        found = self.page.evaluate("options => axe.run(document, options)", {"runOnly": list(wanted)})["violations"]
        return [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:3]}" for one in found]

    def faults(self, path: str) -> list[str]:
        """What keeps somebody from reading a page, light and dark (colours only), and on a phone."""
        self.open(path)
        found: list[str] = []
        for width, scheme, rules in ((1280, "light", ()), (1280, "dark", ("color-contrast",)), (360, "light", ())):
            self.page.set_viewport_size({"width": width, "height": 800})
            self.page.emulate_media(color_scheme=scheme)
            found += [f"{width} {scheme}: {one}" for one in self.violations(*rules)]
            found += [f"{width}: it can be scrolled sideways"] if self.is_too_wide() else []
        return found

    def is_too_wide(self) -> bool:
        """Whether the page can be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def close(self) -> None:
        self.context.close()


def run_path(run_id: str, rest: str = "") -> str:
    return f"/runs/{quote(run_id, safe='')}{rest}"
