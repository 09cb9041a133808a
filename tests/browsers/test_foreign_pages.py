"""A page of somebody else in a real browser on the same machine, against a recorder that wants no token."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browsers.conftest import BROWSER
from tests.browsers.test_screenshots import FLAGS
from tests.recorder.server.running import DEADLINE_S, RunningServer

pytestmark = [pytest.mark.hazard(30), pytest.mark.usefixtures("playwright_is_here")]

EVIL, GOOD, REBOUND = "evil.example", "good.example", "rebound.example"
FOUND = b"attached by a test"
#: What a page can try; each gives a word for how it went.
ATTEMPTS = """async ({ host, artifact }) => {
  const base = `http://${host}`, page = `${base}/api/v1/artifacts/${artifact}`;
  const element = (kind, fields) => new Promise((resolve) => {
    const made = Object.assign(document.createElement(kind), fields);
    made.onload = () => resolve("loaded");
    made.onerror = () => resolve("failed");
    document.body.append(made);
  });
  const asked = (address, options) => fetch(address, options).then((answer) => answer.type, () => "failed");
  return {
    read: await asked(page),
    "read with a token": await asked(page, { headers: { Authorization: "Bearer smt_x" } }),
    put: await asked(page, { method: "PUT", body: "x" }),
    "blind post": await asked(base, { method: "POST", mode: "no-cors", body: '{"type": "event"}' }),
    "blind read": await asked(page, { mode: "no-cors" }),
    script: await element("script", { src: page }),
    picture: await element("img", { src: page }),
    socket: await new Promise((resolve) => {
      const socket = new WebSocket(`ws://${host}/ws`);
      socket.onopen = () => { socket.close(); resolve("open"); };
      socket.onerror = () => resolve("failed");
    }),
    form: await new Promise((resolve) => {
      const frame = document.createElement("iframe"), form = document.createElement("form");
      frame.name = form.target = "inside";
      form.action = `${base}/`;
      form.method = "post";
      document.body.append(frame, form);
      frame.onload = () => resolve(frame.contentDocument === null ? "closed" : "open");
      form.submit();
    }),
  };
}"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>a page</title><body>")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def pages() -> Iterator[int]:
    """A web server of somebody else; its port."""
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_foreign_page_reaches_nothing_and_one_that_is_allowed_gets_its_socket(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing

    caplog.set_level(logging.WARNING)
    with pages() as port:
        recorder = RunningServer(tmp_path / "x.db", anonymous=True, origins=[f"http://{GOOD}:{port}"])
        name = hashlib.sha256(FOUND).hexdigest()
        place = tmp_path / "artifacts" / name[:2] / name
        place.parent.mkdir(parents=True)
        place.write_bytes(FOUND)
        arguments = [*FLAGS, "--host-resolver-rules=MAP *.example 127.0.0.1"]
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=BROWSER, args=arguments)
            page = browser.new_page()
            page.set_default_timeout(DEADLINE_S * 1000)

            def attempt(origin: str, host: str) -> dict[str, Any]:
                page.goto(f"http://{origin}:{port}/")
                found: dict[str, Any] = page.evaluate(ATTEMPTS, {"host": host, "artifact": name})
                return found

            evil = attempt(EVIL, f"127.0.0.1:{recorder.port}")
            neighbour = attempt("127.0.0.1", f"localhost:{recorder.port}")  # of another port, or another name
            allowed = attempt(GOOD, f"127.0.0.1:{recorder.port}")
            answer = page.goto(f"http://{REBOUND}:{recorder.port}/api/v1/artifacts/{name}")
            rebound = None if answer is None else answer.status
            browser.close()
        recorder.close()
    nothing = dict.fromkeys(["read", "read with a token", "put", "script", "picture", "socket"], "failed")
    # The answers to these are errors, and the page cannot see even that.
    assert evil == neighbour == nothing | {"blind post": "failed", "blind read": "failed", "form": "closed"}
    assert allowed["socket"] == "open"
    assert allowed["read"] == "failed", "no CORS headers, also not for it"
    assert rebound == 403
    refused = {(line.split()[1], line.rpartition(": ")[2]) for line in caplog.messages if line.startswith("refused ")}
    origin, host = "this Origin is not allowed; allow it with --allow-origin", "this Host is not served here"
    assert {("GET", origin), ("POST", origin), ("OPTIONS", origin)} <= refused, "a put is not even tried"
    assert ("GET", "a page of another site asks for this") in refused
    assert any(reason.startswith(host) for _method, reason in refused)
