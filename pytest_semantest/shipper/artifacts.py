"""The artifacts of a session on their way to the recorder: sent beside the events, each until the recorder has it.

A thread sends them, since a large one may take long and events shall not wait for it. Nothing is remembered on disk:
a shipper that takes a session over sends all of them again, which the recorder answers with "known".
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from pytest_semantest import __version__
from pytest_semantest.protocol.artifacts import ARTIFACTS, ARTIFACTS_PATH, is_sha256
from pytest_semantest.protocol.certificates import tls_context
from pytest_semantest.protocol.reading import open_to_read, refuse_link
from pytest_semantest.shipper.backoff import Backoff
from pytest_semantest.shipper.diagnostics import Log
from pytest_semantest.shipper.rendezvous import Endpoint

_SILENCE_S = 20.0
_CHUNK = 256 * 1024
_STORED = (200, 201, 204)
#: The server has no such route: an older recorder, or somebody's own server that speaks WebSocket and little else.
_NO_ROUTE = (404, 405, 426, 501)
#: It will never take this one.
_NEVER = (400, 413, 422)
#: What lies there is no file, and will be none: anything else, no descriptor left say, may pass.
_NO_FILE = (errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO)
_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending one: the HTTP ``status``, 0 without one; ``reason`` for people."""

    sha256: str
    status: int
    reason: str = ""


class Artifacts:
    """Those in the folder of a session.

    ``failure``: why the last one was not taken. ``last_progress``: when bytes last went out, in monotonic seconds.
    """

    def __init__(self, folder: Path, log: Log) -> None:
        self.failure: str | None = None
        self.last_progress = 0.0
        self._folder = folder / ARTIFACTS
        self._log = log
        self._found: set[str] = set()
        self._is_listed = True
        self._settled: set[str] = set()
        self._refused: set[str] = set()
        self._answers: deque[Answer] = deque()
        self._thread: threading.Thread | None = None
        self._backoff = Backoff()
        self._next_try = 0.0
        self._asked = ""
        #: The address of a server that takes none at all.
        self._without_route: str | None = None

    @property
    def is_shipped(self) -> bool:
        """Whether the recorder has all that were found, but for those that it will never take."""
        return self._is_listed and (self._without_route is not None or self._found <= self._settled)

    @property
    def untaken(self) -> list[Path]:
        """The files that are left because the server takes none at all."""
        if self._without_route is None:
            return []
        return [self._folder / name for name in sorted(self._found - self._settled)]

    @property
    def refused(self) -> list[Path]:
        """The files that the recorder will never take."""
        return [self._folder / name for name in sorted(self._refused)]

    def look(self) -> None:
        """Finds new ones. A file is there before the event that names it, so this comes after reading journals."""
        try:
            refuse_link(self._folder)
            names = os.listdir(self._folder)
        except OSError as error:
            self._is_listed = error.errno in _NO_FOLDER
            if not self._is_listed:
                self.failure = f"the attachments cannot be listed: {error.strerror}"
            return
        if not self._is_listed:
            self._is_listed, self.failure = True, None
        self._found.update(name for name in names if is_sha256(name))

    def step(self, now: float, endpoint: Endpoint | None) -> None:
        """Takes answers, and sends what is left when there is a recorder."""
        while self._answers:
            self._take(now, self._answers.popleft())
        waiting = self._found - self._settled
        if endpoint is not None and self._without_route not in (None, endpoint.url):
            self._without_route = None  # it is another server
        if not waiting or endpoint is None or self._without_route is not None or now < self._next_try:
            return
        if self._thread is None or not self._thread.is_alive():
            self._asked = endpoint.url
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
        elif answer.status in _NO_ROUTE:
            self._without_route = self._asked
        else:
            self.failure = answer.reason
            self._next_try = now + self._backoff.next()

    # -- in the thread -------------------------------------------------------------------------------------------

    def _send(self, endpoint: Endpoint, names: list[str]) -> None:
        """Sends one after the other over one connection; the first that fails ends it."""
        connection, prefix = connection_to(endpoint.url)
        try:
            for name in names:
                answer = self._send_one(connection, prefix, endpoint.token, name)
                self._answers.append(answer)
                if answer.status not in (*_STORED, *_NEVER):
                    return
        finally:
            connection.close()

    def _send_one(self, connection: http.client.HTTPConnection, prefix: str, token: str | None, sha256: str) -> Answer:
        try:
            file = os.fdopen(open_to_read(self._folder / sha256), "rb")
        except FileNotFoundError:
            return Answer(sha256, 204, "somebody deleted it")
        except OSError as error:
            status = _NEVER[0] if error.errno in _NO_FILE else 0
            return Answer(sha256, status, f"it is not sent: {error.strerror}")
        with file:
            return self._send_file(connection, prefix, token, sha256, file)

    def _send_file(
        self, connection: http.client.HTTPConnection, prefix: str, token: str | None, sha256: str, file: BinaryIO
    ) -> Answer:
        headers = {"User-Agent": f"pytest-semantest/{__version__}", "Content-Type": "application/octet-stream"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            headers["Content-Length"] = str(os.fstat(file.fileno()).st_size)
            connection.request("PUT", f"{prefix}{ARTIFACTS_PATH}{sha256}", body=self._chunks(file), headers=headers)
            response = connection.getresponse()
            text = response.read(4096).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if _answers_without_route(connection, f"{prefix}{ARTIFACTS_PATH}{sha256}", headers):
                return Answer(sha256, _NO_ROUTE[0], "the server answers no PUT, and knows no such address")
            return Answer(sha256, 0, f"an attachment could not be sent: {getattr(error, 'strerror', None) or error}")
        self.last_progress = time.monotonic()
        if response.status in _STORED:
            return Answer(sha256, response.status)
        if response.status == 400 and not _is_of_recorder(text):  # not that of the recorder about this one
            return Answer(sha256, _NO_ROUTE[0], f"the server answers 400: {text[:200]!r}")
        return Answer(sha256, response.status, f"the recorder answers {response.status}: {text[:200]!r}")

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            yield chunk
            self.last_progress = time.monotonic()


def _answers_without_route(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> bool:
    """Whether a server that left a PUT unanswered answers a GET, and has nothing there.

    A WebSocket server reads GET alone and closes on anything else, as one does that breaks down.
    """
    asked = {name: headers[name] for name in ("User-Agent", "Authorization") if name in headers}
    try:
        connection.request("GET", path, headers=asked)
        response = connection.getresponse()
        text = response.read(4096).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    if "PUT" in (response.getheader("Allow") or ""):
        return False
    return response.status in (400, *_NO_ROUTE) and not _is_of_recorder(text)


def _is_of_recorder(text: str) -> bool:
    """Whether an answer is one of the recorder's own: problems have a code there."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("code"), str)


def connection_to(url: str) -> tuple[http.client.HTTPConnection, str]:
    """A connection that is not open yet, which goes past every proxy, and the path before that of an artifact."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    prefix = parts.path.rstrip("/").removesuffix("/ws")
    host = parts.hostname or ""
    if parts.scheme.lower() in ("https", "wss"):
        context = tls_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=_SILENCE_S, context=context), prefix
    return http.client.HTTPConnection(host, parts.port, timeout=_SILENCE_S), prefix
