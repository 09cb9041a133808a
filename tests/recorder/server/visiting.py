"""What a browser asks of a real recorder: visits, forms, codes and cookies."""

from __future__ import annotations

import http.client
import json
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VISIT = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def cookie(self) -> str:
        return self.headers["Set-Cookie"].partition(";")[0]


Headers = dict[str, str]


def ask(
    recorder: Daemon, method: str, path: str, headers: Headers, body: dict[str, str] | bytes | None = None
) -> Answer:
    place = urlsplit(recorder.discovery["url"]).netloc
    connection = http.client.HTTPConnection(place, timeout=DEADLINE_S)
    try:
        connection.request(method, path, urlencode(body) if isinstance(body, dict) else body, headers)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read().decode())
    finally:
        connection.close()


def own(recorder: Daemon, cookie: str = "") -> Headers:
    """What a browser says of a form of our own page."""
    return {"Origin": recorder.discovery["url"], "Sec-Fetch-Site": "same-origin", "Cookie": cookie, **FORM}


def code_of(recorder: Daemon) -> str:
    answer = ask(
        recorder, "POST", "/api/v1/sign-in-codes", {"Authorization": f"Bearer {recorder.discovery['token']}"}, {}
    )
    assert answer.status == 200, answer.text
    return str(json.loads(answer.text)["code"])


def signed_in(recorder: Daemon) -> str:
    """The cookie of a browser that has signed in."""
    return ask(recorder, "POST", "/sign-in", own(recorder), {"code": code_of(recorder)}).cookie
