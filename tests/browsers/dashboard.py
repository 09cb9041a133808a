"""The dashboard of a real recorder in a real browser, signed in as people are."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.browsers.watched_page import WatchedPage
from tests.recorder.cli.command import semantest
from tests.recorder.cli_recorder.daemons import Daemon

#: What Chromium says of a refused address that a test asks for.
_HARMLESS = "Failed to load resource: the server responded with a status of 4"
_SIZE: Any = {"width": 1280, "height": 900}


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


class Visitor(WatchedPage):
    """Somebody with a page of the dashboard."""

    def __init__(self, browser: Any, served: ServedDashboard, **context: Any) -> None:
        super().__init__(browser, served.url, (_HARMLESS,), **{"viewport": _SIZE} | context)
        self._url = served.url
        self.page.goto(served.sign_in_address())
        self.page.wait_for_url("**/runs")

    def open(self, path: str) -> Any:
        """Goes to a page of ours and waits until its scripts have run; gives Playwright's page."""
        self.go(self._url + path)
        return self.page

    def forget(self) -> list[str]:
        """Undoes what was chosen on pages; gives, once, what they did that they must not do."""
        self.page.set_viewport_size(_SIZE)
        self.page.emulate_media(color_scheme="light")
        self.page.evaluate("localStorage.clear()")
        wrong, self.wrong = self.wrong, []
        return wrong

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


def run_path(run_id: str, rest: str = "") -> str:
    return f"/runs/{quote(run_id, safe='')}{rest}"
