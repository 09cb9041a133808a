"""A real HTTP server that takes webhooks, and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, NamedTuple

import msgspec

DEADLINE_S = 30.0


class Received(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Reply(NamedTuple):
    """One answer; without an ``status`` there is none until the receiver ends."""

    status: int | None = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Receiver:
    """``reply`` decides on each request; ``received`` has them in the order in which they came."""

    def __init__(self) -> None:
        self.reply: Callable[[Received], Reply] = lambda _request: Reply()
        self.received: Queue[Received] = Queue()
        self.ended = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                request = Received(self.path, {key.lower(): value for key, value in self.headers.items()}, body)
                receiver.received.put(request)
                reply = receiver.reply(request)
                if reply.status is None:
                    receiver.ended.wait(DEADLINE_S)
                    return
                with suppress(OSError):  # whoever asked may have gone
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(reply.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next(self) -> Received:
        """The next request; waits for it."""
        return self.received.get(timeout=DEADLINE_S)

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for a block."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
