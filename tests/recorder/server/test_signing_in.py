"""Browsers at a real recorder: codes, cookies, links of other sites, and what a page may ask for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import websocket

from tests.recorder.cli.command import semantest
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon
from tests.recorder.pages.read_page import ReadPage
from tests.recorder.server.visiting import FORM, VISIT, ask, code_of, own, signed_in

pytestmark = [pytest.mark.hazard(30), pytest.mark.hazard(31)]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("visited") / ".semantest").ready()
    yield daemon
    daemon.end()


def test_a_code_buys_a_cookie_that_scripts_and_other_sites_do_not_get(recorder: Daemon) -> None:
    code = code_of(recorder)
    answer = ask(recorder, "POST", "/sign-in", own(recorder), {"code": code, "next": "/runs?limit=5"})
    assert (answer.status, answer.headers["Location"]) == (303, "/runs?limit=5")
    said = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in said.split(";")}
    assert ask(recorder, "GET", "/runs", VISIT | {"Cookie": answer.cookie}).status == 200
    again = ask(recorder, "POST", "/sign-in", own(recorder), {"code": code})
    assert "Set-Cookie" not in again.headers
    assert again.headers["Location"].startswith("/sign-in?wrong=code")


def test_a_token_signs_in_too_and_its_end_ends_that(recorder: Daemon) -> None:
    made = semantest("token", "create", "--name", "anna", "--role", "read", "--directory", recorder.folder)
    cookie = ask(recorder, "POST", "/sign-in", own(recorder), {"token": made.out.split()[-1]}).cookie
    assert ask(recorder, "GET", "/runs", VISIT | {"Cookie": cookie}).status == 200
    assert ask(recorder, "GET", "/api/v1/status", {"Cookie": cookie}).status == 200
    forbidden = ask(recorder, "POST", "/api/v1/aliases", own(recorder, cookie), {})
    assert forbidden.status == 403
    semantest("token", "revoke", "anna", "--directory", recorder.folder)
    assert ask(recorder, "GET", "/runs", VISIT | {"Cookie": cookie}).headers["Location"].startswith("/sign-in?next=")


def test_who_came_with_a_token_that_opens_no_page_is_led_to_another(recorder: Daemon) -> None:
    made = [
        semantest("token", "create", "--name", f"for-{role}", "--role", role, "--directory", recorder.folder)
        for role in ("ingest", "read")
    ]
    wrong, right = ({"token": one.out.split()[-1]} for one in made)
    cookie = ask(recorder, "POST", "/sign-in", own(recorder), wrong).cookie
    refused = ask(recorder, "GET", "/runs", VISIT | {"Cookie": cookie})
    assert refused.status == 403
    assert "this needs the role read, and the token &#39;for-ingest&#39; has ingest" in refused.text
    assert "<code>semantest token create --name NAME --role ingest --role read</code>" in refused.text
    assert '<a href="/sign-in">' in refused.text
    assert ask(recorder, "GET", "/sign-in", VISIT | {"Cookie": cookie}).status == 200
    cookie = ask(recorder, "POST", "/sign-in", own(recorder, cookie), right).cookie
    assert ask(recorder, "GET", "/runs", VISIT | {"Cookie": cookie}).status == 200


def test_a_wrong_token_signs_nobody_in(recorder: Daemon) -> None:
    for given in ({"token": "smt_no"}, {"token": ""}, {"code": "no"}, {}):
        answer = ask(recorder, "POST", "/sign-in", own(recorder), {**given, "next": "//evil.example"})
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Location"].endswith("&next=%2F")


def test_behind_a_proxy_that_hides_the_host_a_page_says_what_it_must_do(recorder: Daemon) -> None:
    form = VISIT | FORM | {"Origin": "https://recorder.example", "Sec-Fetch-Site": "same-origin"}
    refused = ask(recorder, "POST", "/sign-in", form, {"token": "smt_x"})
    assert (refused.status, refused.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "a proxy in front must pass Host on" in refused.text


def test_signing_out_ends_it_for_everybody_with_the_cookie(recorder: Daemon) -> None:
    cookie = signed_in(recorder)
    answer = ask(recorder, "POST", "/sign-out", own(recorder, cookie), {})
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert ask(recorder, "GET", "/runs", VISIT | {"Cookie": cookie}).status == 303


def test_a_link_with_a_code_of_another_token_takes_nobodys_place(recorder: Daemon) -> None:
    """Whoever sends such a link has somebody else act in his name."""
    token = semantest("token", "create", "--name", "adam", "--role", "read", "--directory", recorder.folder)
    cookie = ask(recorder, "POST", "/sign-in", own(recorder), {"token": token.out.split()[-1]}).cookie
    answer = ask(recorder, "POST", "/sign-in", own(recorder, cookie), {"code": code_of(recorder), "next": "/flaky"})
    assert "Set-Cookie" not in answer.headers
    page = ask(recorder, "GET", answer.headers["Location"], VISIT | {"Cookie": cookie}).text
    assert "signed in with another token already" in page
    assert 'href="/flaky"' in page
    assert ask(recorder, "POST", "/sign-out", own(recorder, cookie), {}).status == 303
    assert ask(recorder, "POST", "/sign-in", own(recorder, cookie), {"code": code_of(recorder)}).cookie
    again = signed_in(recorder)
    assert ask(recorder, "POST", "/sign-in", own(recorder, again), {"code": code_of(recorder)}).cookie  # the same token


def test_who_is_not_signed_in_is_sent_to_where_one_does_and_back(recorder: Daemon) -> None:
    answer = ask(recorder, "GET", "/runs?limit=5", VISIT)
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=%2Fruns%3Flimit%3D5")
    page = ask(recorder, "GET", answer.headers["Location"], VISIT)
    assert "semantest open" in page.text
    assert recorder.folder.parent.name not in page.text


def test_a_link_of_another_site_leads_to_the_page_but_nothing_else_of_it_does(recorder: Daemon) -> None:
    """The browser does not send the cookie along such a link: the page that is answered asks again."""
    foreign = VISIT | {"Sec-Fetch-Site": "cross-site"}
    answer = ask(recorder, "GET", "/runs", foreign)
    assert answer.status == 200
    assert 'http-equiv="refresh"' in answer.text
    cookie = signed_in(recorder)
    for path, said in (
        ("/runs", {"Sec-Fetch-Dest": "iframe"}),
        ("/runs", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
        ("/api/v1/status", {}),
    ):
        refused = ask(recorder, "GET", path, foreign | said | {"Cookie": cookie})
        assert refused.status == 403, path
    assert ask(recorder, "POST", "/runs", foreign | FORM | {"Cookie": cookie}, {}).status == 403


def test_with_a_cookie_alone_nothing_is_changed_and_no_socket_opened(recorder: Daemon) -> None:
    cookie = signed_in(recorder)
    assert ask(recorder, "POST", "/api/v1/sign-in-codes", FORM | {"Cookie": cookie}, {}).status == 403
    assert ask(recorder, "POST", "/api/v1/sign-in-codes", own(recorder, cookie), {}).status == 200
    url = recorder.discovery["url"].replace("http", "ws", 1) + "/ws"
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(url, cookie=cookie, suppress_origin=True, timeout=DEADLINE_S)
    socket = websocket.create_connection(url, cookie=cookie, origin=recorder.discovery["url"], timeout=DEADLINE_S)
    assert json.loads(socket.recv())["payload"]["type"] == "system.connected"
    socket.close()


def test_browsers_stay_signed_in_when_the_recorder_comes_back(tmp_path: Path) -> None:
    token = {"SEMANTEST_TOKEN": "smt_the-same-before-and-after"}
    first = Daemon(tmp_path / ".semantest", **token).ready()
    port = str(urlsplit(first.discovery["url"]).port)
    cookie = signed_in(first)
    first.end()
    again = Daemon(tmp_path / ".semantest", "--port", port, **token).ready()
    try:
        assert ask(again, "GET", "/runs", VISIT | {"Cookie": cookie}).status != 303
        assert (again.folder / "sign-ins.json").stat().st_mode & 0o777 == 0o600
    finally:
        again.end()


@pytest.mark.parametrize("content", ["", "{", '{"schema": 1, "signIns": [{"digest": "x"}]}'])
def test_a_file_that_cannot_be_used_signs_nobody_in_and_stops_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / "sign-ins.json").write_text(content)
    (tmp_path / "sign-ins.json").chmod(0o600)
    daemon = Daemon(tmp_path).ready()
    try:
        assert ask(daemon, "GET", "/runs", VISIT | {"Cookie": signed_in(daemon)}).status != 303
    finally:
        daemon.end()


NOT_SERVED = {
    "recorder.example:8765": "recorder.example:8765; allow it with <code>--allow-host recorder.example</code>",
    "[2001:db8::1]:80": "[2001:db8::1]:80; allow it with <code>--allow-host [2001:db8::1]:80</code>",
    "localhost:1": "localhost:1; a tunnel must begin at the port of the recorder, {port}",
    "<i>$(id)": "this Host is not served here; allow it with <code>--allow-host NAME</code>",
}


@pytest.mark.parametrize("host", NOT_SERVED)
def test_under_a_name_that_is_not_served_a_page_says_so_that_needs_nothing_else(recorder: Daemon, host: str) -> None:
    refused = ask(recorder, "GET", "/runs", VISIT | {"Host": host})
    assert refused.status == 403
    assert NOT_SERVED[host].format(port=urlsplit(recorder.discovery["url"]).port) in refused.text
    page = ReadPage(refused.text)
    assert (page.wrong, page.links, page.forms) == ([], [], [])
    style = refused.text.partition("<style>")[2].partition("</style>")[0]
    checksum = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{checksum}'" in refused.headers["Content-Security-Policy"]
    assert ask(recorder, "GET", "/runs", {"Host": host}).headers["Content-Type"] == "application/problem+json"
