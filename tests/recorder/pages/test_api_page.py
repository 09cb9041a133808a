"""``/api`` shows people what ``openapi.json`` tells programs."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

from tests.recorder.cli_recorder.daemons import Daemon
from tests.recorder.server.visiting import VISIT, ask


def test_every_route_of_the_document_is_on_the_page(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path).ready()
    try:
        token = {"Authorization": f"Bearer {daemon.discovery['token']}"}
        document = json.loads(ask(daemon, "GET", "/api/v1/openapi.json", token).text)
        page = unescape(ask(daemon, "GET", "/api", VISIT | token).text)
        assert [path for path in document["paths"] if f">{path}<" not in page] == []
    finally:
        daemon.end()
