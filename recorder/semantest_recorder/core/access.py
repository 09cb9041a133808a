"""Who may do what, and which requests are ours to answer: Host, Origin, bearer token, roles (pure)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Role(Enum):
    """What a client may do; a client has a set of them, none includes another."""

    INGEST = "ingest"
    READ = "read"
    OPERATE = "operate"
    EXECUTE = "execute"
    ADMIN = "admin"


ANY_ROLE = frozenset(Role)
INGESTERS = frozenset({Role.INGEST})
READERS = frozenset({Role.READ})
OPERATORS = frozenset({Role.OPERATE})
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request or connection comes from, as far as its credentials say."""

    name: str
    roles: frozenset[Role]

    @property
    def is_anonymous(self) -> bool:
        """Whether it came without credentials."""
        return self is ANONYMOUS

    def has_any(self, roles: Collection[Role]) -> bool:
        """Whether one of ``roles`` is among its own."""
        return not self.roles.isdisjoint(roles)


#: The holder of the recorder's own token.
OWNER = Identity("owner", ANY_ROLE)
#: A client without a token, where ``--allow-anonymous`` lets it in.
ANONYMOUS = Identity("anonymous", INGESTERS | READERS)


class Denied(NamedTuple):
    """A refused request: HTTP ``status``, the wire's error ``code`` and one line that says what to do."""

    status: int
    code: str
    detail: str


def is_loopback(host: str) -> bool:
    """Whether a host name or address names this machine only; any other name than ``localhost`` does not."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def split_host(header: str) -> tuple[str, int | None] | None:
    """``(name, port)`` of a Host header, lower case, an IPv6 address without brackets; ``None`` when malformed."""
    if header.startswith("["):
        name, bracket, rest = header[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return None
        port = rest[1:] if rest else None
    else:
        name, colon, port_text = header.partition(":")
        port = port_text if colon else None
    if not name or (port is not None and not (port.isascii() and port.isdigit() and len(port) <= 5)):
        return None
    return name.lower(), int(port) if port is not None else None


class AddressRules:
    """Which Host and Origin headers belong to requests meant for this recorder.

    A page on a foreign site can reach a loopback port (its Origin is foreign) and can point its own name at it (DNS
    rebinding: its Host is foreign), so both are checked on every request. ``port`` is the one we listen on;
    ``hosts`` are further names (``name`` or ``name:port``) and ``origins`` further exact origins.
    """

    def __init__(self, port: int, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._port = port
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)

    def refuse(self, hosts: Collection[str], origins: Collection[str]) -> Denied | None:
        """Why a request with these Host and Origin headers (all of them) is refused, or ``None`` when it is not."""
        if len(hosts) != 1 or not self._host_fits(next(iter(hosts))):
            return Denied(403, "FORBIDDEN", "this Host is not served here; allow it with --allow-host")
        if not origins:
            return None
        if len(origins) != 1 or not self._origin_fits(next(iter(origins))):
            return Denied(403, "FORBIDDEN", "this Origin is not allowed; allow it with --allow-origin")
        return None

    def _host_fits(self, header: str) -> bool:
        if header.lower() in self._hosts:
            return True
        parts = split_host(header)
        if parts is None:
            return False
        name, port = parts
        return name in self._hosts or (is_loopback(name) and (80 if port is None else port) == self._port)

    def _origin_fits(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        scheme, separator, host = origin.partition("://")
        parts = split_host(host)
        if scheme != "http" or not separator or parts is None:
            return False
        name, port = parts
        return is_loopback(name) and (80 if port is None else port) == self._port


class Credentials:
    """Tells the holder of the recorder's token from others; keeps only the token's hash.

    With ``anonymous`` a request without any credentials gets the roles of ``ANONYMOUS``; one with a wrong token is
    still refused.
    """

    def __init__(self, token: str, *, anonymous: bool = False) -> None:
        self._digest = _digest(token)
        self._anonymous = anonymous

    def identify(self, authorization: Collection[str]) -> Identity | Denied:
        """The identity behind the Authorization headers (all of them) of a request."""
        if not authorization and self._anonymous:
            return ANONYMOUS
        if len(authorization) == 1:
            scheme, _, token = next(iter(authorization)).partition(" ")
            if scheme.lower() == "bearer" and hmac.compare_digest(_digest(token.strip()), self._digest):
                return OWNER
        return Denied(401, "UNAUTHORIZED", "send 'Authorization: Bearer TOKEN' with the token of recorder.json")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
