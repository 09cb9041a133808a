"""Questions to a recorder over one connection that is kept, timed: for the benchmarks of pages and of the REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.recorder.cli_recorder.daemons import Daemon


class Asked(NamedTuple):
    """How long an answer took: the first time, and in half and in 99 of 100 of the other times; milliseconds.

    ``size``: bytes of the first answer, as they came over the network.
    """

    first_ms: float
    p50_ms: float
    p99_ms: float
    size: int


class Client:
    """One connection to a recorder, with its token."""

    def __init__(self, connection: HTTPConnection, token: str) -> None:
        self._connection = connection
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[float, bytes]:
        """Milliseconds until all of the answer is here, and its body. Raises ``RuntimeError`` when it is an error."""
        began = perf_counter()
        self._connection.request("GET", path, headers=self._headers | dict(headers or {}))
        response = self._connection.getresponse()
        body = response.read()
        took_ms = (perf_counter() - began) * 1000
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {body.decode('utf-8', 'replace')}")
        return took_ms, body


@contextmanager
def asking(folder: Path) -> Iterator[Client]:
    """A recorder in a process of its own that serves the folder."""
    daemon = Daemon(folder).ready()
    try:
        found = daemon.discovery
        with closing(HTTPConnection(urlsplit(found["url"]).netloc, timeout=60)) as connection:
            yield Client(connection, found["token"])
    finally:
        daemon.end()


def in_turn(client: Client, paths: Sequence[str], rounds: int, headers: Mapping[str, str]) -> list[Asked]:
    """Each path is asked once, and then ``rounds`` times, all of them in turn."""
    first = [client.get(path, headers) for path in paths]
    times: list[list[float]] = [[] for _ in paths]
    for _ in range(rounds):
        for took, path in zip(times, paths, strict=True):
            took.append(client.get(path, headers)[0])
    return [
        Asked(began_ms, median(took), sorted(took)[max(0, round(len(took) * 0.99) - 1)], len(body))
        for (began_ms, body), took in zip(first, times, strict=True)
    ]
