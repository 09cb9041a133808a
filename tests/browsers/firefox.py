"""A real Firefox, driven by WebDriver BiDi: Playwright's is a patched one, and Selenium needs one more program."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, TextIO

from tests.browsers.watched_page import PATIENCE_MS

FIREFOX = "/usr/bin/firefox-esr"
_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_EVENTS = ["log.entryAdded", "network.beforeRequestSent"]

#: Waits within the page: true as soon as the condition holds.
_UNTIL = """
new Promise((resolve, reject) => {{
  const late = setTimeout(() => reject(new Error({what} + " did not come in\\n" + document.body.innerText)), {ms});
  const look = () => {{
    let holds = false;
    try {{ holds = Boolean({condition}); }} catch (error) {{ /* not there yet */ }}
    if (!holds) return setTimeout(look, 20);
    clearTimeout(late);
    resolve(true);
  }};
  look();
}})
"""


class Firefox:
    """One tab of a Firefox, and whatever its pages did that they must not do (``wrong``) beyond the site ``home``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._last = 0
        self.home = ""
        self.wrong: list[str] = []
        self._command("session.new", capabilities={})
        self._command("session.subscribe", events=_EVENTS)
        self._tab = self._command("browsingContext.getTree")["contexts"][0]["context"]

    def _command(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        self._connection.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            got: dict[str, Any] = json.loads(self._connection.recv(timeout=2 * PATIENCE_MS / 1000))
            if got["type"] == "event":
                self._note(got["method"], got["params"])
            elif got["id"] == self._last:
                assert got["type"] == "success", got
                return dict(got["result"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "log.entryAdded":
            self.wrong.append(str(told["text"]))
            return
        url = str(told["request"]["url"])
        if not url.startswith((self.home, "data:", "about:")):
            self.wrong.append(url)

    def open(self, address: str) -> None:
        """Goes to an address, or to a path of ``home``, and waits until the page's scripts have run."""
        url = self.home + address if address.startswith("/") else address
        self._command("browsingContext.navigate", context=self._tab, url=url, wait="complete")
        self.until("document.documentElement.hasAttribute('data-ready')")

    def tell(self, script: str) -> Any:
        """What an expression is worth in the page: a text, a number, whether it holds; promises are waited for."""
        target = {"context": self._tab}
        got = self._command("script.evaluate", expression=script, target=target, awaitPromise=True)
        assert got["type"] == "success", got["exceptionDetails"]["text"]
        return got["result"].get("value")

    def until(self, condition: str) -> None:
        """Waits until an expression holds in the page; it may come to another page by it."""
        self.tell(_UNTIL.format(condition=condition, what=json.dumps(condition), ms=PATIENCE_MS))

    def wait_for_page(self, part: str) -> None:
        """Waits until the tab shows a page with this in its address."""
        while part not in (url := self.url()):
            assert self._left(url), f"it stays at {url}"
        self.until("document.documentElement.hasAttribute('data-ready')")

    def url(self) -> str:
        tree = self._command("browsingContext.getTree", root=self._tab)
        return str(tree["contexts"][0]["url"])

    def _left(self, url: str) -> bool:
        """Whether the tab has left this address, at the latest when all patience is gone."""
        try:
            self.until(f"location.href !== {json.dumps(url)}")
        except AssertionError:  # the page went, and with it what waited in it
            return self.url() != url
        return True

    def press(self, *keys: str) -> None:
        """Presses and lets go keys one after the other."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._command("input.performActions", context=self._tab, actions=[source])

    def resize(self, width: int, height: int) -> None:
        self._command("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height})

    def violations(self) -> list[str]:
        """What axe says against the page by all of WCAG 2.2 AA, here with Firefox's own styles."""
        self.tell(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8") + "; true")
        options = json.dumps({"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        said = self.tell(
            f"axe.run(document, {options}).then(all => all.violations.map(one =>"
            " one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html).join(' ')).join('\\n'))"
        )
        return str(said).splitlines()


@contextmanager
def firefox() -> Iterator[Firefox]:
    """A browser with a profile of its own, both gone at the end."""
    from websockets.sync.client import connect  # noqa: PLC0415 - it may be missing

    with TemporaryDirectory(prefix="firefox") as profile:
        command = [FIREFOX, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        environment = os.environ | {"HOME": profile}
        process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        try:
            address = _address(process)
            with connect(
                f"{address}/session", max_size=None, compression=None, open_timeout=PATIENCE_MS / 1000
            ) as ready:
                yield Firefox(ready)
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[str]) -> str:
    """Where it listens, which it says on stderr; all else there is read away, lest it waits for a reader."""
    stderr = process.stderr
    assert stderr is not None
    for line in stderr:
        if found := _LISTENS.search(line):
            Thread(target=_read_away, args=(stderr,), daemon=True).start()
            return found[1]
    raise AssertionError(f"Firefox ended with {process.wait()} before it listened")


def _read_away(stream: TextIO) -> None:
    for _ in stream:
        pass


def is_here() -> bool:
    return Path(FIREFOX).exists()
