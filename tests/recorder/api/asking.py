"""A server with the API on a recorded history, and a client that asks it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from semantest_recorder.api.routes import Sources, api_routes
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.one_command import command
from semantest_recorder.server.routes import Route
from semantest_recorder.token_book import TokenBook
from tests.recorder.server.running import DEADLINE_S, TOKEN, RunningServer


class Answer(NamedTuple):
    """What came back; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)


class Api:
    """The API of a running server."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def send(
        self, method: str, path: str, body: object = None, *, token: str = TOKEN, headers: dict[str, str] | None = None
    ) -> Answer:
        told = {"Authorization": f"Bearer {token}"} | (headers or {})
        content = None
        if body is not None:
            content = json.dumps(body)
            told.setdefault("Content-Type", "application/json")
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=DEADLINE_S)) as connection:
            connection.request(method, path, content, told)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    def get(self, path: str, **query: Any) -> Answer:
        return self.send("GET", path + (f"?{urlencode(query, doseq=True)}" if query else ""))

    def json(self, path: str, **query: Any) -> Any:
        """The answer to a question that has one."""
        answer = self.get(path, **query)
        assert answer.status == 200, answer
        return answer.json

    def problem(self, path: str, **query: Any) -> tuple[int, str, str]:
        """Status, code and detail of one that has none."""
        answer = self.get(path, **query)
        assert answer.headers["content-type"] == "application/problem+json", answer
        told = answer.json
        assert told["status"] == answer.status
        return answer.status, told["code"], told["detail"]

    def pages(self, path: str, entries: str, **query: Any) -> Iterator[list[Any]]:
        """The entries page by page, to the last."""
        while True:
            page = self.json(path, **query)
            yield page[entries]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]


def path_of(*parts: str) -> str:
    """A path below ``/api/v1``, of parts that may hold anything."""
    return "/".join(["/api/v1", *(quote(part, safe="") for part in parts)])


def served(folder: Path) -> Api:
    """A server on the database of a ``.semantest`` folder, to be closed."""

    def routes(hub: Hub) -> Iterable[Route]:
        sources = Sources(
            database=folder / "semantest.db",
            now_ms=hub.now_ms,
            tokens=TokenBook(folder),
            command=partial(command, hub),
            policy=lambda: hub.security.policy,
            plugins=dict,
            version="1",
        )
        return api_routes(sources)

    return Api(RunningServer(folder / "semantest.db", more_routes=routes), folder)
