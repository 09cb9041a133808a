"""The log as JSON: requests and runs are fields, and a request is found by its id."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, ask
from tests.recorder.server.running import NOW, batch, run_start


def get(daemon: Daemon, path: str, request_id: str, *, known: bool = True) -> tuple[int, str | None, bytes]:
    headers = {"X-Request-Id": request_id}
    headers |= {"Authorization": f"Bearer {daemon.discovery['token']}"} if known else {}
    with closing(HTTPConnection(urlsplit(daemon.discovery["url"]).netloc, timeout=DEADLINE_S)) as connection:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers["X-Request-Id"], response.read()


def test_requests_and_runs_are_in_the_log_with_their_ids(serve: Callable[..., Daemon]) -> None:
    daemon = serve("--log-format", "json", "--log-level", "debug").ready()
    assert get(daemon, "/api/v1/status", "good-1")[:2] == (200, "good-1")
    status, given, body = get(daemon, "/api/v1/artifacts/none", "bad-2")
    assert (status, given, json.loads(body)["requestId"]) == (400, "bad-2", "bad-2")
    status, given, body = get(daemon, "/api/v1/status", "stranger-3", known=False)
    assert (status, given, json.loads(body)["requestId"]) == (401, "stranger-3", "stranger-3")
    assert get(daemon, "/healthz", 'no id: "')[1] not in ('no id: "', "", None)
    ended = {"type": "run/end", "timestamp": NOW, "payload": {"runId": "r1", "exitCode": 5, "stoppedEarly": False}}
    with closing(daemon.connect()) as connection:
        assert ask(connection, batch(1, [run_start("r1"), ended]))["type"] == "ack"
    lines = [json.loads(line) for line in daemon.end()[2].splitlines()]

    def said(**fields: Any) -> list[dict[str, Any]]:
        return [line for line in lines if fields.items() <= line.items()]

    (good,) = said(requestId="good-1", method="GET", route="/api/v1/status", status=200, name="owner")
    assert good["durationMs"] > 0
    assert good["level"] == "debug"
    (bad,) = said(requestId="bad-2", route="/api/v1/artifacts/{sha256}", status=400)
    assert bad["level"] == "info"
    assert said(requestId="stranger-3", path="/api/v1/status", status=401, level="warning")
    (over,) = [line for line in said(run="r1") if "is over" in line["message"]]
    assert over["state"] in over["message"]
    connected = [line for line in lines if "client" in line and line["message"].endswith("connected: no User-Agent")]
    assert connected, "what is said of a connection has the id of its handshake"
    assert all(line["requestId"] for line in connected)
