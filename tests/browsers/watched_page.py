"""A page in a browser, whatever it does that it must not do, and what keeps people out of it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

PATIENCE_MS = 60_000
#: WCAG 2.2 AA, and what axe thinks is good practice.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


class WatchedPage:
    """A page in a context of its own; what it logs, asks of others or lets tests do stands in ``wrong``.

    ``own`` is how addresses begin that it may ask, ``harmless`` how lines of its console may.
    """

    def __init__(self, browser: Any, own: str, harmless: tuple[str, ...] = (), **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self._own = own
        self._harmless = harmless
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if not message.text.startswith(self._harmless):
            self.wrong.append(message.text)

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self._own, "data:image/")):
            self.wrong.append(request.url)

    def go(self, address: str) -> None:
        """Goes there and waits until the scripts of the page have run."""
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    def violations(self, *rules: str) -> list[str]:
        """What axe says against the page, by these rules, else by ``RULES``."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
        # Without resultTypes it writes a selector of every node that is right, which takes longer than all rules.
        options = {"runOnly": rules or RULES, "resultTypes": ["violations"]}
        found = self.page.evaluate("async options => (await axe.run(document, options)).violations", options)
        return [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:3]}" for one in found]

    def close(self) -> None:
        self.context.close()
