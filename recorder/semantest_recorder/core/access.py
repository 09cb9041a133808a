"""Who may do what, and which requests are ours to answer: Host, Origin, bearer token, roles (pure)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
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
    """Who a request or connection comes from, as far as its credentials say.

    ``credential``: the SHA-256 of the token that it came with, empty for the owner's and for none; ``browser``: that of
    the cookie with which it came instead.
    """

    name: str
    roles: frozenset[Role]
    credential: bytes = field(default=b"", repr=False)
    browser: bytes = field(default=b"", repr=False, compare=False)

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
    """A refused request: HTTP ``status``, the wire's error ``code`` and one line that says what to do.

    ``name``: of the token that it came with, empty when that is not known. ``unknown_host``: it came under a name
    that is not served, so that nothing else can be loaded under it either.
    """

    status: int
    code: str
    detail: str
    name: str = ""
    unknown_host: bool = False


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


#: A name or address, perhaps with a port, as it may stand in a command.
_PLAIN_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,260}")
#: What a browser says of a request that no page made, or one of ours.
_OWN_SITES = frozenset({"none", "same-origin"})


class AddressRules:
    """Which Host and Origin headers belong to requests meant for this recorder.

    A page on a foreign site can reach a loopback port (its Origin is foreign) and can point its own name at it (DNS
    rebinding: its Host is foreign), so both are checked on every request. ``ports`` are those we listen on with their
    schemes (``http``, ``https``; a number alone is ``http``); ``hosts`` are further names (``name`` or ``name:port``)
    and ``origins`` further exact origins. ``terminated``: under these names others speak ``https`` for us.
    """

    def __init__(
        self,
        ports: int | Mapping[int, str],
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        *,
        terminated: bool = False,
    ) -> None:
        self._ports = {ports: "http"} if isinstance(ports, int) else dict(ports)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)
        self._secure_names = terminated or "https" in self._ports.values()

    def refuse(
        self, hosts: Collection[str], origins: Collection[str], sites: Collection[str] = (), *, is_visit: bool = False
    ) -> Denied | None:
        """Why a request with these Host, Origin and Sec-Fetch-Site headers (all of them) is refused, if it is.

        What a page only shows or runs (a picture, a script, a frame) it asks for without an Origin. ``is_visit``:
        somebody follows a link to one of our pages, which may be on any site.
        """
        if len(hosts) != 1 or not self._host_fits(next(iter(hosts))):
            return Denied(403, "FORBIDDEN", self._not_served(hosts), unknown_host=True)
        if not origins:
            foreign = not is_visit and any(site not in _OWN_SITES for site in sites)
            return Denied(403, "FORBIDDEN", "a page of another site asks for this") if foreign else None
        origin, host = next(iter(origins)), next(iter(hosts))
        if len(origins) != 1 or not self._origin_fits(origin, host):
            advice = f"allow it with --allow-origin ({self._hint(origin, host)})"
            return Denied(403, "FORBIDDEN", f"this Origin is not allowed; {advice}")
        return None

    def _not_served(self, hosts: Collection[str]) -> str:
        """What to do for these Hosts to be served; what is no name of a host is not quoted."""
        host = next(iter(hosts)) if len(hosts) == 1 else ""
        parts = split_host(host) if _PLAIN_HOST.fullmatch(host) else None
        if parts is None:
            return "this Host is not served here; allow it with `--allow-host NAME`"
        if is_loopback(parts[0]):
            ports = " or ".join(map(str, self._ports))
            return f"this Host is not served here: {host}; a tunnel must begin at the port of the recorder, {ports}"
        name = host if host.startswith("[") else parts[0]
        return f"this Host is not served here: {host}; allow it with `--allow-host {name}`"

    def _hint(self, origin: str, host: str) -> str:
        """What most likely keeps a page of ours from being known as one."""
        scheme, _, place = origin.partition("://")
        if place.lower() != host.lower() or not self._is_named(host):
            return "a proxy in front must pass Host on"
        if scheme == "https" and not self._secure_names:
            return "or --tls-terminated for a proxy that speaks TLS"
        return "under a name pages come by https only"

    def _host_fits(self, header: str) -> bool:
        return self._is_named(header) or any(_is_here(header, port, kind) for port, kind in self._ports.items())

    def _is_named(self, header: str) -> bool:
        parts = split_host(header)
        return header.lower() in self._hosts or (parts is not None and parts[0] in self._hosts)

    def _origin_fits(self, origin: str, host: str) -> bool:
        if origin in self._origins:
            return True
        scheme, separator, place = origin.partition("://")
        if not separator:
            return False
        if self._secure_names and scheme == "https" and place.lower() == host.lower() and self._is_named(host):
            return True  # our own page
        return any(scheme == kind and _is_here(place, port, kind) for port, kind in self._ports.items())


def _is_here(host: str, port: int, scheme: str) -> bool:
    """Whether a host with its port is this machine's loopback at ``port``."""
    parts = split_host(host)
    if parts is None or not is_loopback(parts[0]):
        return False
    return (parts[1] if parts[1] is not None else {"http": 80, "https": 443}[scheme]) == port


class Credentials:
    """Tells who holds which token; of the recorder's own it keeps only the hash.

    With ``anonymous`` a request without any credentials gets the roles of ``ANONYMOUS``; one with a wrong token is
    still refused. ``holder`` gives the present holder of the token with this SHA-256, if any (core/tokens.py).
    """

    def __init__(
        self,
        token: str,
        *,
        anonymous: bool = False,
        holder: Callable[[bytes], Identity | None] = lambda _digest: None,
    ) -> None:
        self._digest = digest_of(token)
        self._anonymous = anonymous
        self._holder = holder

    def identify(self, authorization: Collection[str]) -> Identity | Denied:
        """The identity behind the Authorization headers (all of them) of a request."""
        if not authorization and self._anonymous:
            return ANONYMOUS
        if len(authorization) == 1:
            scheme, _, token = next(iter(authorization)).partition(" ")
            found = self._find(digest_of(token.strip())) if scheme.lower() == "bearer" else None
            if found is not None:
                return found
        return Denied(401, "UNAUTHORIZED", "send 'Authorization: Bearer TOKEN'; `semantest token create` makes one")

    def still_valid(self, identity: Identity) -> bool:
        """Whether what ``identify`` found would be found again: not after its token was revoked or has expired."""
        return not identity.credential or self._holder(identity.credential) == identity

    def holder_of(self, credential: bytes) -> Identity | None:
        """Who holds the token with this SHA-256 now."""
        return self._find(credential)

    def credential_of(self, identity: Identity) -> bytes:
        """The SHA-256 of the token by which somebody was identified."""
        return identity.credential or self._digest

    @staticmethod
    def credential_behind(token: str) -> bytes:
        """The same of a token."""
        return digest_of(token.strip())

    def _find(self, digest: bytes) -> Identity | None:
        return OWNER if hmac.compare_digest(digest, self._digest) else self._holder(digest)


def digest_of(token: str) -> bytes:
    """The SHA-256 of a token: what is kept of it. It holds 256 random bits, so that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
