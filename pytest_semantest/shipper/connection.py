"""One WebSocket connection to a recorder, never blocking once it stands.

The TCP (and TLS) connection is made here and handed to websocket-client: with a socket of its own to use it looks at
no proxy setting, neither its options nor the environment's. Redirects are not followed: they would carry the token
elsewhere.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import websocket
from websocket import ABNF

from pytest_semantest import __version__
from pytest_semantest.protocol.certificates import CA_FILE_VARIABLE, NothingTrustedError, tls_context

CONNECT_S = 3.0
MAX_MESSAGE = 4 * 1024 * 1024
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")
#: The close code for a token that is not, or no longer, valid; a server that is no HTTP server has no other way.
_NOT_ALLOWED = 1008
_BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ConnectionFailedError(Exception):
    """No connection: nobody listens, a name does not resolve, no WebSocket there, or it broke."""


class UnusableError(ConnectionFailedError):
    """No connection, and none later until somebody corrects the address, a certificate or what is trusted."""


class RefusedError(Exception):
    """The recorder answers, but not to us: HTTP 401 or 403, or a connection that it closes with 1008."""


def websocket_url(url: str) -> str:
    """The WebSocket address for a recorder's base url (http, https, ws or wss, with or without ``/ws``).

    Raises ``UnusableError`` for another scheme or no host.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host = parts.hostname
    except ValueError:  # such as a bracket that is not closed
        parts, host = urlsplit(""), None
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme.lower())
    if scheme is None or not host:
        raise UnusableError(f"{url!r} is no recorder URL; it looks like http://127.0.0.1:8765")
    path = parts.path.rstrip("/")
    return urlunsplit((scheme, parts.netloc, path if path.endswith("/ws") else f"{path}/ws", "", ""))


class Connection:
    """An open connection. Raises ``ConnectionFailedError`` or ``RefusedError`` when it cannot be made.

    ``send`` queues, ``receive`` sends what is queued and gives the messages that have come; both raise
    ``ConnectionFailedError`` when the connection is gone, ``RefusedError`` when the recorder closed it on us.
    ``timeout`` (seconds) bounds each step of connecting, the handshake as a whole. ``run_id``: the run whose pytest is
    attended, if it is known; its cancellation comes even if there is nothing to send.
    """

    def __init__(
        self, url: str, token: str | None, instance: str, timeout: float = CONNECT_S, *, run_id: str | None = None
    ) -> None:
        address = websocket_url(url)
        header = [f"User-Agent: pytest-semantest/{__version__}", f"X-Semantest-Instance: {instance}"]
        if run_id:
            header.append(f"X-Semantest-Run: {quote(run_id, safe='')}")
        if token:
            header.append(f"Authorization: Bearer {token}")
        self._client = websocket.WebSocket(enable_multithread=False)
        self._socket = _open_socket(address, timeout)
        try:
            with _ended_after(self._socket, timeout):
                self._client.connect(  # type: ignore[no-untyped-call]
                    address, socket=self._socket, timeout=timeout, header=header, suppress_origin=True, redirect_limit=0
                )
        except websocket.WebSocketBadStatusException as error:
            self.close()
            if error.status_code in (401, 403):
                raise RefusedError(_refusal(error)) from None
            raise ConnectionFailedError(
                f"{url} answers with HTTP status {error.status_code}{_hint(error.status_code)}"
            ) from None
        except (websocket.WebSocketException, OSError, ValueError) as error:
            self.close()
            raise ConnectionFailedError(f"{url}: {_reason(error)}") from None
        status = self._client.getstatus()
        if status != HTTPStatus.SWITCHING_PROTOCOLS:  # 1.8 takes a redirect that it may not follow for a success
            self.close()
            raise ConnectionFailedError(f"{url} answers with HTTP status {status}")
        self._socket.setblocking(False)
        self._take = self._client.frame_buffer.recv
        self._client.frame_buffer.recv = self._take_of_bounded
        self._outgoing = bytearray()
        self._parts: list[bytes] = []
        self._failure: ConnectionFailedError | RefusedError | None = None

    def fileno(self) -> int:
        """The socket's descriptor, for select."""
        return self._socket.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait to be sent."""
        return bool(self._outgoing)

    @property
    def waiting_bytes(self) -> int:
        """How many bytes wait to be sent."""
        return len(self._outgoing)

    def send(self, message: bytes) -> None:
        """Queues one text message (UTF-8) and sends what the socket takes."""
        self._queue(message, ABNF.OPCODE_TEXT)
        self.flush()

    def flush(self) -> None:
        """Sends queued bytes as far as the socket takes them."""
        try:
            while self._outgoing:
                sent = self._socket.send(memoryview(self._outgoing)[: 256 * 1024])
                del self._outgoing[:sent]
        except _BLOCKED:
            return
        except OSError as error:
            raise ConnectionFailedError(f"the connection broke: {_reason(error)}") from None

    def receive(self) -> list[dict[str, Any]]:
        """The messages that have come, in order."""
        self.check()
        self.flush()
        messages: list[dict[str, Any]] = []
        try:
            while True:
                frame = self._client.recv_frame()  # type: ignore[no-untyped-call]
                message = self._frame(frame.opcode, frame.fin, bytes(frame.data))
                if message is not None:
                    messages.append(message)
        except _BLOCKED:
            return messages
        except RefusedError as error:
            self._failure = error
        except (websocket.WebSocketException, OSError, ValueError, RecursionError) as error:
            self._failure = ConnectionFailedError(f"the connection broke: {_reason(error)}")
        if messages:
            return messages
        raise self._failure

    def check(self) -> None:
        """Raises what ended the connection behind the messages that ``receive`` gave last."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Closes at once; what is queued is not sent."""
        self._client.shutdown()  # type: ignore[no-untyped-call]
        self._socket.close()

    def leave(self) -> None:
        """Says goodbye and closes."""
        try:
            self._queue((1000).to_bytes(2, "big"), ABNF.OPCODE_CLOSE)
            self.flush()
        except ConnectionFailedError:
            pass
        self.close()

    def _queue(self, data: bytes, opcode: int) -> None:
        self._outgoing += ABNF.create_frame(data, opcode).format()

    def _take_of_bounded(self, size: int) -> bytes:
        """The next bytes, unless they are of a frame that is too long: whoever sends quickly would fill the memory."""
        if (self._client.frame_buffer.length or 0) > MAX_MESSAGE:
            raise websocket.WebSocketPayloadException(f"a message of more than {MAX_MESSAGE} bytes")
        return self._take(size)

    def _frame(self, opcode: int, fin: int, data: bytes) -> dict[str, Any] | None:
        if opcode == ABNF.OPCODE_PING:
            self._queue(data, ABNF.OPCODE_PONG)
            self.flush()
            return None
        if opcode == ABNF.OPCODE_CLOSE:
            reason = data[2:].decode("utf-8", "replace")
            code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005
            if code == _NOT_ALLOWED:
                raise RefusedError(f"the recorder refuses the connection: {reason[:200] or code}")
            raise websocket.WebSocketConnectionClosedException(f"closed by the recorder ({code} {reason})".rstrip())
        if opcode not in (ABNF.OPCODE_TEXT, ABNF.OPCODE_CONT):
            return None
        self._parts.append(data)
        if sum(map(len, self._parts)) > MAX_MESSAGE:
            raise websocket.WebSocketPayloadException(f"a message of more than {MAX_MESSAGE} bytes")
        if not fin:
            return None
        whole, self._parts = b"".join(self._parts), []
        message = json.loads(whole, parse_constant=_refuse_constant)
        if not isinstance(message, dict):
            raise websocket.WebSocketPayloadException("a message that is no object")
        return message


@contextmanager
def _ended_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Ends the connection unless the block has ended by then: a byte now and then runs into no timeout of a socket."""
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        timer = threading.Timer(seconds, _end, (line,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _end(line: socket.socket) -> None:
    with suppress(OSError):  # it has ended
        line.shutdown(socket.SHUT_RDWR)


def _refuse_constant(name: str) -> None:
    raise websocket.WebSocketPayloadException(f"a message with {name}, which is no number of JSON")


def _open_socket(address: str, timeout: float) -> socket.socket:
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        plain = socket.create_connection((host, port), timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "ws":
            return plain
        return tls_context().wrap_socket(plain, server_hostname=host)
    except (OSError, ValueError) as error:
        kind = UnusableError if _lasts(error) else ConnectionFailedError
        raise kind(f"{host}:{parts.netloc.rpartition(':')[2]}: {_reason(error)}") from None


def _lasts(error: BaseException) -> bool:
    """Whether trying again meets the same."""
    if isinstance(error, (NothingTrustedError, ssl.SSLCertVerificationError)):
        return True
    return isinstance(error, ssl.SSLError) and error.reason in _NO_TLS


def _hint(status: int) -> str:
    """What to look at: a recorder that is asked for a WebSocket never answers so by itself."""
    if status == HTTPStatus.UPGRADE_REQUIRED:
        return ": a proxy before the recorder does not let WebSocket through"
    return ""


def _refusal(error: websocket.WebSocketBadStatusException) -> str:
    what = "no valid token" if error.status_code == 401 else "the token does not allow this"
    return f"the recorder refuses the connection (HTTP {error.status_code}): {what}"


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message} ({CA_FILE_VARIABLE} may name one to trust)"
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "it does not speak TLS there: its address begins with http:// then"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__).splitlines()[0][:200]
