"""A page of somebody else in a real browser on the same machine, against a recorder that wants no token."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browsers.conftest import BROWSER
from tests.browsers.test_screenshots import FLAGS
from tests.recorder.server.running import DEADLINE_S, RunningServer

pytestmark = [pytest.mark.hazard(30), pytest.mark.usefixtures("playwright_is_here")]

EVIL, GOOD, REBOUND = "evil.example", "good.example", "rebound.example"
#: What tests attached: a program for a page that could read it, and a picture.
SCRIPT = b"document.title = 'read';"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
#: What a page can try; each gives a word for how it went. The last ones show that these ways work.
ATTEMPTS = """async ({ host, script, picture, patience }) => {
  const base = `http://${host}`, page = `${base}/api/v1/artifacts/`;
  const late = new Promise((resolve) => setTimeout(() => resolve("late"), patience));
  const element = (kind, fields) => new Promise((resolve) => {
    const made = Object.assign(document.createElement(kind), fields);
    made.onload = () => resolve("loaded");
    made.onerror = () => resolve("failed");
    document.body.append(made);
  });
  const asked = (address, options) => fetch(address, options).then((answer) => answer.type, () => "failed");
  const attempts = {
    read: () => asked(page + script),
    "read with a token": () => asked(page + script, { headers: { Authorization: "Bearer smt_x" } }),
    put: () => asked(page + script, { method: "PUT", body: "x" }),
    "blind post": () => asked(`${base}/blind`, { method: "POST", mode: "no-cors", body: '{"type": "event"}' }),
    "blind read": () => asked(page + script, { mode: "no-cors" }),
    script: () => element("script", { src: page + script }),
    picture: () => element("img", { src: page + picture }),
    socket: () => new Promise((resolve) => {
      const socket = new WebSocket(`ws://${host}/ws`);
      socket.onopen = () => { socket.close(); resolve("open"); };
      socket.onerror = () => resolve("failed");
    }),
    form: () => new Promise((resolve) => {
      const frame = document.createElement("iframe"), form = document.createElement("form");
      frame.name = form.target = "inside";
      form.action = `${base}/form`;
      form.method = "post";
      document.body.append(frame, form);
      frame.onload = () => resolve("answered");
      form.submit();
    }),
    "own script": () => element("script", { src: `/${script}` }),
    "own picture": () => element("img", { src: `/${picture}` }),
  };
  const found = {};
  for (const [name, attempt] of Object.entries(attempts)) found[name] = await Promise.race([attempt(), late]);
  return found;
}"""


def name_of(attachment: bytes) -> str:
    return hashlib.sha256(attachment).hexdigest()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answers = {f"/{name_of(SCRIPT)}": ("text/javascript", SCRIPT), f"/{name_of(PICTURE)}": ("image/png", PICTURE)}
        kind, answer = answers.get(self.path, ("text/html", b"<title>a page</title><body>"))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(answer)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def pages() -> Iterator[int]:
    """A web server of somebody else; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:  # a browser opens connections that it does not use
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def test_a_foreign_page_reaches_nothing_and_one_that_is_allowed_gets_its_socket(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing

    caplog.set_level(logging.WARNING)
    script, picture = name_of(SCRIPT), name_of(PICTURE)
    for name, attachment in ((script, SCRIPT), (picture, PICTURE)):
        place = tmp_path / "artifacts" / name[:2] / name
        place.parent.mkdir(parents=True)
        place.write_bytes(attachment)
    with ExitStack() as open_ones:
        port = open_ones.enter_context(pages())
        recorder = RunningServer(tmp_path / "x.db", anonymous=True, origins=[f"http://{GOOD}:{port}"])
        open_ones.callback(recorder.close)
        started = open_ones.enter_context(sync_playwright())
        arguments = [*FLAGS, "--host-resolver-rules=MAP *.example 127.0.0.1"]
        browser = started.chromium.launch(executable_path=BROWSER, args=arguments)
        open_ones.callback(browser.close)
        page = browser.new_page()
        page.set_default_timeout(DEADLINE_S * 1000)
        told = {"script": script, "picture": picture, "patience": DEADLINE_S * 1000}

        def attempt(origin: str, host: str) -> tuple[dict[str, str], set[tuple[str, str, str]]]:
            """What the page found, and what the recorder refused: method, path and why."""
            caplog.clear()
            page.goto(f"http://{origin}:{port}/")
            found: dict[str, str] = page.evaluate(ATTEMPTS, told | {"host": host})
            lines = [line.split(" ", 5) for line in caplog.messages if line.startswith("refused ")]
            return found, {(line[1], line[2].removeprefix("/api/v1/artifacts"), line[5]) for line in lines}

        evil = attempt(EVIL, f"127.0.0.1:{recorder.port}")
        neighbour = attempt("127.0.0.1", f"localhost:{recorder.port}")  # of another port, or another name
        allowed = attempt(GOOD, f"127.0.0.1:{recorder.port}")
        caplog.clear()
        answer = page.goto(f"http://{REBOUND}:{recorder.port}/api/v1/artifacts/{script}")
        assert answer is not None
        assert (answer.status, "this Host is not served here" in caplog.text) == (403, True)
    own = {"own script": "loaded", "own picture": "loaded", "form": "answered"}
    tried = ["read", "read with a token", "put", "blind post", "blind read", "script", "picture", "socket"]
    origin = "this Origin is not allowed; allow it with --allow-origin (a proxy in front must pass Host on)"
    site = "a page of another site asks for this"
    refused = {("GET", f"/{script}", origin), ("OPTIONS", f"/{script}", origin)}  # a put is not even tried
    refused |= {("POST", "/blind", origin), ("POST", "/form", origin), ("GET", "/ws", origin)}
    pulled = {("GET", f"/{script}", site), ("GET", f"/{picture}", site)}
    assert evil == neighbour == (dict.fromkeys(tried, "failed") | own, refused | pulled)
    # No CORS headers, also not for the one that is allowed.
    assert allowed == (dict.fromkeys(tried, "failed") | own | {"socket": "open"}, pulled)
