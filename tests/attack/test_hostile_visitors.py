"""Requests that no browser would send, and addresses that no page has, at the pages of a real recorder."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from multiprocessing import Pipe, get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import url2pathname

import pytest
import websocket

from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import START, Recording
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, end_of, environment
from tests.recorder.cli_recorder.daemons import ask as say
from tests.recorder.server.visiting import VISIT, ask, own, signed_in

pytestmark = pytest.mark.hazard(30)


NOBODY = 65534
SCRIPT = "<script>alert(1)</script>"
EVIL = f"{SCRIPT}\"'><svg onload=x>\r\nSet-Cookie: a=b\x00\x1b[2J\u202e{{{{7*7}}}}"
#: Of runs; the last is what people call the newest one.
IDS = ("..", ".", "a/b", "a?b#c", "%2e%2e", "//evil.example", "javascript:alert(1)", SCRIPT, "last")
LONG = "tests/test_long.py::test_long[" + "x" * 100_000 + "]"
HOSTILE = f"tests/test_{SCRIPT}.py::test_evil[{EVIL.replace(chr(0), '')}]"


def hostile_run(number: int, run_id: str) -> Recording:
    """A run of which every text is hostile; its tests pass and fail in turn."""
    recording = Recording(f"2026112{number}-093000-a1b2c3", start_ms=START + number * 86_400_000.0, run_id=run_id)
    git = {"commit": f"{number}" * 40, "branch": EVIL, "dirty": False}
    ci = {"provider": "github", "buildUrl": "javascript:alert(1)", "branch": EVIL}
    recording.start(labels={EVIL: EVIL}, name=EVIL)
    recording.add("main", "run/context", {"runId": run_id, "git": git, "ci": ci})
    recording.plan(HOSTILE, LONG)
    error = {"message": EVIL, "type": EVIL, "stack": EVIL, "phase": "call"}
    failed: dict[str, Any] = {"outcome": "failed", "error": error}
    for test in (HOSTILE, LONG):
        recording.test(test, **(failed if number % 2 else {}))
    recording.end(number % 2)
    return recording


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("attacked") / "<b>" / ".semantest"
    for number, run_id in enumerate(IDS, 1):
        hostile_run(number, run_id).store(folder)
    daemon = Daemon(folder).ready()
    yield daemon
    daemon.end()


_PART = b'Content-Disposition: form-data; name="token"; filename="f"\r\nContent-Encoding: gzip'
_PACKED = b"--x\r\n" + _PART + b"\r\n\r\n%b\r\n--x--\r\n"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data; boundary=x", _PACKED % gzip.compress(bytes(10_000_000)), 415),
        ("multipart/form-data", b"x", 415),
        ("text/plain", b"token=x", 415),
        ("application/x-www-form-urlencoded; charset=none-such", b"token=x", 303),
        ("application/x-www-form-urlencoded; charset=unicode_escape", b"token=\\ud800&next=/\\ud800", 303),
        ("application/x-www-form-urlencoded", b"token=\xff%ff&code=\xed\xa0\x80", 303),
        ("application/x-www-form-urlencoded", b"token=" + b"x" * 20_000, 413),
        ("application/x-www-form-urlencoded", b"a&" * 5_000, 400),
    ],
)
def test_a_form_of_a_stranger_costs_nothing_and_breaks_nothing(
    recorder: Daemon, kind: str, body: bytes, status: int
) -> None:
    user = own(recorder, signed_in(recorder))
    for path, headers in (("/sign-in", {}), ("/settings/tokens", user), ("/alerts/silence", user)):
        answer = ask(recorder, "POST", path, {**headers, "Content-Type": kind}, body)
        assert answer.status == (400 if path != "/sign-in" and status == 303 else status), (path, answer.text)
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("query", ["path=x", "state=x", "self=x&visit=x", "limit_=1&limit=2", "%ff=%ed%a0%80&%0d=%0a"])
def test_a_page_may_be_asked_with_parameters_of_any_name(recorder: Daemon, query: str) -> None:
    visit = VISIT | {"Cookie": signed_in(recorder)}
    for page in (
        "runs",
        "flaky",
        "slowest",
        "slower",
        "trends",
        "tests",
        "test",
        "runs/last",
        "settings",
        "alerts",
        "sign-in",
    ):
        assert ask(recorder, "GET", f"/{page}?{query}", visit).status in (200, 400, 404), page
    for path in ("/settings/tokens", "/alerts/silence"):
        answer = ask(recorder, "POST", f"{path}?{query}", own(recorder, signed_in(recorder)), {"name": "a b"})
        assert answer.status == 400, path


def test_a_page_is_not_kept_for_another_address_that_is_like_its_own(recorder: Daemon) -> None:
    """Else a link of a stranger would decide what the next one sees."""
    visit = VISIT | {"Cookie": signed_in(recorder)}
    assert ask(recorder, "GET", "/trends?by_=week", visit).status == 400
    by_run = ask(recorder, "GET", "/trends?branch=", visit).text
    by_week = ask(recorder, "GET", "/trends?by=week", visit).text
    assert ('<th scope="col">Run</th>' in by_run, '<th scope="col">Week</th>' in by_week) == (True, True)


def test_no_page_and_no_export_of_hostile_runs_breaks_or_runs_anything(recorder: Daemon) -> None:
    visit = VISIT | {"Cookie": signed_in(recorder)}
    pages = ["/runs", "/flaky", "/slowest", "/slower", "/trends", "/tests?q=<script", "/settings"]
    pages += [f"/test?{urlencode({'id': HOSTILE, 'branch': branch})}" for branch in ("", "no\r\nsuch")]
    below = ("", "/tests", "/suites", "/timeline", "/details")
    pages += [f"/runs/{quote(run_id, safe='')}{rest}" for run_id in IDS for rest in below]
    for page in pages:
        answer = ask(recorder, "GET", page, visit)
        assert answer.status == (404 if "such" in page else 200), (page, answer.text)
        assert not re.search(r"<script>|<svg onload|\x00|\x1b|href=.javascript", answer.text), page
    for page in ("/runs", "/flaky", "/slowest", "/trends", "/tests"):
        for kind in ("csv", "json"):
            answer = ask(recorder, "GET", f"{page}?format={kind}", visit)
            assert answer.status == 200
            assert re.fullmatch(r'attachment; filename="[a-z-]+\.(csv|json)"', answer.headers["Content-Disposition"])


def test_no_argument_of_a_browser_that_is_opened_has_the_code(recorder: Daemon, tmp_path: Path) -> None:
    """Every user of the machine sees the arguments of programs."""
    told = tmp_path / "told"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{told}"\n')
    browser.chmod(0o700)
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "semantest_recorder.cli.semantest", "open", "--directory", str(recorder.folder)]
    subprocess.run(command, stdout=terminal, env=environment(BROWSER=f"{browser} %s"), timeout=DEADLINE_S, check=True)
    os.close(terminal)
    code = os.read(screen, 10_000).decode().strip().partition("#code=")[2]
    os.close(screen)
    assert code
    assert code not in told.read_text()
    page = Path(url2pathname(urlsplit(told.read_text().strip()).path))
    assert page.stat().st_mode & 0o777 == 0o600
    assert code in page.read_text()
    assert "Set-Cookie" in ask(recorder, "POST", "/sign-in", own(recorder), {"code": code}).headers


def test_the_sockets_of_a_browser_that_signs_out_are_closed(recorder: Daemon) -> None:
    url = recorder.discovery["url"]
    cookie, other = signed_in(recorder), signed_in(recorder)
    sockets = []
    for one in (cookie, other):
        socket = websocket.create_connection(
            f"{url.replace('http', 'ws', 1)}/ws", cookie=one, origin=url, timeout=DEADLINE_S
        )
        assert json.loads(socket.recv())["payload"]["type"] == "system.connected"
        sockets.append(socket)
    assert ask(recorder, "POST", "/sign-out", own(recorder, cookie), {}).status == 303
    assert end_of(sockets[0]) == (1008, "the browser signed out, or its token has ended")
    assert say(sockets[1], "{")["code"] == "INVALID_MESSAGE"
    sockets[1].close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for once")
def test_a_cookie_that_another_user_of_the_machine_got_hold_of_is_none(recorder: Daemon) -> None:
    """A browser sends it to every port of the host that its user comes to."""
    headers = {"Cookie": signed_in(recorder)}
    assert ask(recorder, "GET", "/api/v1/status", headers).status == 200
    assert said_to(NOBODY, recorder, "GET", "/api/v1/status", headers)[0] == 401


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer smt_secret" + b"x" * 9_000 + b"\r\n\r\n",
        b"GET /runs HTTP/1.1\r\nHost: x\r\n" + b"X-Y: smt_secret\r\n" * 500 + b"\r\n",
        b"GET /runs HTTP/1.1\r\nHost: x\r\nsmt_secret\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nsmt_secret",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nsmt_secret",
        b"\x16\x03\x01 smt_secret\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_in_our_form_and_quoted_nowhere(recorder: Daemon, sent: bytes) -> None:
    place = urlsplit(recorder.discovery["url"])
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=DEADLINE_S) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
        answer = bytearray()
        with suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert b"aiohttp" not in head
    assert b"smt_secret" not in answer
    assert json.loads(body)["code"] == "INVALID_REQUEST"
    assert ask(recorder, "GET", "/healthz", {}).status == 200


def test_what_pages_load_is_compressed_for_who_takes_it_and_caches_know(recorder: Daemon) -> None:
    address = re.findall(r'href="(/static/[^"]+dashboard.css)"', ask(recorder, "GET", "/sign-in", VISIT).text)[0]
    place = urlsplit(recorder.discovery["url"]).netloc
    bodies = []
    for accepted, coding in (("gzip", "gzip"), ("identity", None)):
        with closing(HTTPConnection(place, timeout=DEADLINE_S)) as connection:
            connection.request("GET", address, headers={"Accept-Encoding": accepted})
            response = connection.getresponse()
            assert response.getheader("Content-Encoding") == coding
            assert response.getheader("Vary") == "Accept-Encoding"
            bodies.append(response.read())
    assert gzip.decompress(bodies[0]) == bodies[1]


def test_a_picture_that_a_browser_kept_is_not_for_who_signs_in_there_next(recorder: Daemon) -> None:
    content = b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>"
    sha256 = hashlib.sha256(content).hexdigest()
    place = recorder.folder / "artifacts" / sha256[:2] / sha256
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    place_of = urlsplit(recorder.discovery["url"]).netloc
    for path in (f"/pictures/{sha256}", f"/api/v1/artifacts/{sha256}"):
        with closing(HTTPConnection(place_of, timeout=DEADLINE_S)) as connection:
            connection.request("GET", path, headers={"Cookie": signed_in(recorder)})
            headers = connection.getresponse().headers
            assert headers["Cache-Control"] == "no-store" or "Cookie" in headers["Vary"], path
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("role", ["ingest", "operate"])
def test_who_may_not_read_is_given_nothing_that_others_were(recorder: Daemon, role: str) -> None:
    """Answers are kept, and told apart by their ETag: neither is for who has no right to them."""
    owner = {"Authorization": f"Bearer {recorder.discovery['token']}"}
    command = ("token", "create", "--name", f"low-{role}", "--role", role, "--directory", recorder.folder)
    low = {"Authorization": f"Bearer {semantest(*command).out.split()[-1]}"}
    for path in ("/api/v1/runs", "/api/v1/runs/last/report", "/api/v1/analytics/trends", "/trends", "/runs?text=a"):
        given = ask(recorder, "GET", path, owner)
        assert given.status == 200
        assert "private" in given.headers["Cache-Control"] or given.headers["Cache-Control"] == "no-store"
        for tag in (given.headers.get("Etag", "*"), "*"):
            refused = ask(recorder, "GET", path, low | {"If-None-Match": tag})
            assert (refused.status, refused.headers["Cache-Control"]) == (403, "no-store"), path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for once")
def test_a_link_that_another_user_of_the_machine_made_signs_nobody_in(recorder: Daemon) -> None:
    """Else one who has a token could have others act in his name; and who saw a code of theirs could be them."""
    token = {"Authorization": f"Bearer {recorder.discovery['token']}"}
    status, body, _ = said_to(NOBODY, recorder, "POST", "/api/v1/sign-in-codes", token)
    assert status == 200
    form = own(recorder) | {"Content-Type": "application/x-www-form-urlencoded"}
    other = said_to(NOBODY - 1, recorder, "POST", "/sign-in", form, urlencode(json.loads(body)))
    assert (other[0], "Set-Cookie" in other[2]) == (303, False)


def said_to(
    user: int, recorder: Daemon, method: str, path: str, headers: dict[str, str], body: str | None = None
) -> tuple[int, str, dict[str, str]]:
    """What another user of the machine is answered: status, body and headers."""
    place = urlsplit(recorder.discovery["url"]).netloc
    near, far = Pipe()

    def ask_as_user() -> None:
        os.setuid(user)
        with closing(HTTPConnection(place, timeout=DEADLINE_S)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            far.send((response.status, response.read().decode(), dict(response.headers)))

    other = get_context("fork").Process(target=ask_as_user)
    other.start()
    try:
        assert near.poll(DEADLINE_S)
        told: tuple[int, str, dict[str, str]] = near.recv()
        return told
    finally:
        other.join(DEADLINE_S)
