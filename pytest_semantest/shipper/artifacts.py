"""The artifacts of a session on their way to the recorder: sent beside the events, each until the recorder has it.

A thread sends them, since a large one may take long and events shall not wait for it. Nothing is remembered on disk:
a shipper that takes a session over sends all of them again, which the recorder answers with "known".
"""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pytest_semantest import __version__
from pytest_semantest.protocol.artifacts import ARTIFACTS, ARTIFACTS_PATH, is_sha256
from pytest_semantest.protocol.trust import tls_context
from pytest_semantest.shipper.backoff import Backoff
from pytest_semantest.shipper.diagnostics import Log
from pytest_semantest.shipper.rendezvous import Endpoint

_SILENCE_S = 20.0
_CHUNK = 256 * 1024
_STORED = (200, 201, 204)
#: The recorder does not know such a route: an older one, which never will.
_UNKNOWN = (404, 405)
#: It will never take this one.
_NEVER = (400, 413, 422)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending one: the HTTP ``status``, 0 without one; ``reason`` for people."""

    sha256: str
    status: int
    reason: str = ""


class Artifacts:
    """Those in the folder of a session.

    ``stopped``: why the recorder takes none at all; ``failure``: why the last one was not taken. ``refused`` are files
    that it will never take; ``last_progress``: when bytes last went out, in monotonic seconds.
    """

    def __init__(self, folder: Path, log: Log) -> None:
        self.stopped: str | None = None
        self.failure: str | None = None
        self.last_progress = 0.0
        self._folder = folder / ARTIFACTS
        self._log = log
        self._found: set[str] = set()
        self._settled: set[str] = set()
        self._refused: set[str] = set()
        self._answers: deque[Answer] = deque()
        self._thread: threading.Thread | None = None
        self._backoff = Backoff()
        self._next_try = 0.0

    @property
    def is_shipped(self) -> bool:
        """Whether the recorder has all that were found, but for those that it will never take."""
        return self._found <= self._settled

    @property
    def refused(self) -> list[Path]:
        """The files that the recorder will never take."""
        return [self._folder / name for name in sorted(self._refused)]

    def look(self) -> None:
        """Finds new ones. A file is there before the event that names it, so this comes after reading journals."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return
        self._found.update(name for name in names if is_sha256(name))

    def step(self, now: float, endpoint: Endpoint | None) -> None:
        """Takes answers, and sends what is left when there is a recorder."""
        while self._answers:
            self._take(now, self._answers.popleft())
        waiting = self._found - self._settled
        if not waiting or endpoint is None or self.stopped is not None or now < self._next_try:
            return
        if self._thread is None or not self._thread.is_alive():
            arguments = (endpoint, sorted(waiting))
            self._thread = threading.Thread(target=self._send, args=arguments, name="artifacts", daemon=True)
            self._thread.start()

    def _take(self, now: float, answer: Answer) -> None:
        if answer.status in _STORED:
            self._settled.add(answer.sha256)
            self.failure = None
            self._backoff.reset()
            return
        self._log(f"artifact {answer.sha256}: {answer.reason}")
        if answer.status in _NEVER:
            self._settled.add(answer.sha256)
            self._refused.add(answer.sha256)
        elif answer.status in _UNKNOWN:
            self.stopped = "the recorder takes no attachments: upgrade it"
        else:
            self.failure = answer.reason
            self._next_try = now + self._backoff.next()

    # -- in the thread -------------------------------------------------------------------------------------------

    def _send(self, endpoint: Endpoint, names: list[str]) -> None:
        """Sends one after the other over one connection; the first that fails ends it."""
        connection, prefix = _connection(endpoint.url)
        try:
            for name in names:
                answer = self._send_one(connection, prefix, endpoint.token, name)
                self._answers.append(answer)
                if answer.status not in (*_STORED, *_NEVER):
                    return
        finally:
            connection.close()

    def _send_one(self, connection: http.client.HTTPConnection, prefix: str, token: str | None, sha256: str) -> Answer:
        path = self._folder / sha256
        headers = {"User-Agent": f"pytest-semantest/{__version__}", "Content-Type": "application/octet-stream"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            headers["Content-Length"] = str(path.stat().st_size)
            connection.request("PUT", f"{prefix}{ARTIFACTS_PATH}{sha256}", body=self._chunks(path), headers=headers)
            response = connection.getresponse()
            text = response.read(4096).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if not path.exists():
                return Answer(sha256, 204, "somebody deleted it")
            return Answer(sha256, 0, f"an attachment could not be sent: {getattr(error, 'strerror', None) or error}")
        self.last_progress = time.monotonic()
        if response.status in _STORED:
            return Answer(sha256, response.status)
        return Answer(sha256, response.status, f"the recorder answers {response.status}: {text[:200]!r}")

    def _chunks(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
                self.last_progress = time.monotonic()


def _connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    """A connection that is not open yet, which goes past every proxy, and the path before that of an artifact."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    prefix = parts.path.rstrip("/").removesuffix("/ws")
    host = parts.hostname or ""
    if parts.scheme.lower() in ("https", "wss"):
        context = tls_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=_SILENCE_S, context=context), prefix
    return http.client.HTTPConnection(host, parts.port, timeout=_SILENCE_S), prefix
