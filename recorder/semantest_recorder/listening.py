"""The sockets of a recorder: one for its clients and, when that is no plain loopback, one more for this machine.

Commands and shippers beside the recorder go by the discovery file. They need no certificate, no name and no way through
a proxy for that: it always names a loopback address, which only the token of that file opens.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from semantest_recorder.certificate import CertificateUnusable, ServerCertificate
from semantest_recorder.core.access import is_loopback
from semantest_recorder.core.exposure import is_wildcard, refuse_exposure, refuse_names

LOOPBACK = "127.0.0.1"


class CannotServe(Exception):  # noqa: N818 - the name is the message
    """The recorder cannot start, or cannot go on; one line that says what to do, and the exit code."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Listener:
    """A listening socket, with the certificate that is shown there; ``None``: plain HTTP."""

    socket: socket.socket
    certificate: ServerCertificate | None = None

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.socket.getsockname()[1])

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "http" if self.certificate is None else "https"

    @property
    def url(self) -> str:
        """Its address."""
        host = self.socket.getsockname()[0]
        return f"{self.scheme}://[{host}]:{self.port}" if ":" in host else f"{self.scheme}://{host}:{self.port}"


def protection(
    host: str,
    pem: tuple[Path | None, Path | None],
    *,
    terminated: bool,
    anonymous: bool,
    allowed_hosts: Collection[str],
    allowed_origins: Collection[str],
) -> ServerCertificate | None:
    """The certificate to show on ``host``, if any; ``pem``: the files of certificate and key.

    Raises ``CannotServe`` when the recorder could be reached without protection, or a name is none (core/exposure.py).
    """
    certificate, key = pem
    if (certificate is None) != (key is None):
        raise CannotServe("--tls-cert and --tls-key go together: give both", 2)
    tls = certificate is not None
    refusal = refuse_exposure(host, tls=tls, terminated=terminated, anonymous=anonymous, allowed_hosts=allowed_hosts)
    refusal = refusal or refuse_names(allowed_hosts, allowed_origins)
    if refusal is not None:
        raise CannotServe(refusal, 2)
    if certificate is None or key is None:
        return None
    try:
        return ServerCertificate(certificate, key)
    except CertificateUnusable as error:
        raise CannotServe(str(error), 2) from None


def open_listeners(host: str, port: int, certificate: ServerCertificate | None) -> list[Listener]:
    """The socket for clients first and the one for this machine last; often they are one. Raises ``CannotServe``."""
    listeners = [Listener(_listen(host, port), certificate)]
    if certificate is not None or not is_loopback(host):
        try:
            listeners.append(Listener(_listen(LOOPBACK, 0)))
        except CannotServe:
            listeners[0].socket.close()
            raise
    return listeners


def _listen(host: str, port: int) -> socket.socket:
    address = {"localhost": LOOPBACK, "*": ""}.get(host.lower(), host.strip("[]"))
    both = is_wildcard(host) and ":" in host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, dualstack_ipv6=both)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror  # theirs repeats it
        raise CannotServe(
            f"cannot listen on {host} port {port}: {reason}; free it or use --port 0 for any free port"
        ) from None
