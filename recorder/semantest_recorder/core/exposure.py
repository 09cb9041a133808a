"""Which addresses a recorder may be reached at, and with which protection (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address

from semantest_recorder.core.access import is_loopback, split_host

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
#: As browsers write it: small letters, no path. Extensions and editors have schemes of their own.
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^\s/?#@A-Z]+)")
_USUAL_PORTS = {("http", 80), ("https", 443)}
_WILDCARDS = frozenset({"0.0.0.0", "::", "*", ""})  # noqa: S104 - they are refused without --allow-host


def is_wildcard(host: str) -> bool:
    """Whether a host stands for every address of the machine."""
    return host.strip("[]") in _WILDCARDS


def refuse_exposure(
    host: str, *, tls: bool, terminated: bool, anonymous: bool, allowed_hosts: Collection[str]
) -> str | None:
    """Why a recorder must not listen on ``host`` like this, in one line that says what to do, or ``None``.

    ``tls``: it speaks TLS itself; ``terminated``: somebody in front of it does. Tokens it always wants, unless
    ``anonymous``.
    """
    if tls and terminated:
        return "--tls-cert and --tls-terminated name two that end TLS: give one of them"
    if anonymous and (terminated or not is_loopback(host)):
        return (
            "--allow-anonymous is for this machine's loopback alone: leave it out, and give every client a token "
            "(`semantest token create`)"
        )
    if is_loopback(host):
        return None
    if not tls and not terminated:
        return (
            f"--host {host} can be reached from other machines: give --tls-cert and --tls-key, or --tls-terminated if "
            "a proxy in front of it speaks TLS; or use --host 127.0.0.1 and a tunnel such as `ssh -L`"
        )
    if is_wildcard(host) and not allowed_hosts:
        return f"--host {host} answers for names that you allow only: add --allow-host NAME, as clients call it"
    return None


def refuse_names(hosts: Collection[str], origins: Collection[str]) -> str | None:
    """Why a name given to ``--allow-host`` or ``--allow-origin`` can never match, in one line, or ``None``."""
    for host in hosts:
        if not _is_host(host):
            return f"--allow-host {host!r} matches no Host: give NAME or NAME:PORT, such as recorder.example:8765"
    for origin in origins:
        if not _is_origin(origin):
            return (
                f"--allow-origin {origin!r} matches no Origin: give it as browsers send it, SCHEME://NAME or "
                "SCHEME://NAME:PORT in small letters, without the usual port, such as https://ci.example"
            )
    return None


def _is_host(host: str) -> bool:
    if _is_address(host):
        return True
    parts = split_host(host)
    if parts is None:
        return False
    return _is_address(parts[0]) if host.startswith("[") else _NAME.fullmatch(parts[0]) is not None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_origin(origin: str) -> bool:
    if origin == "null":  # what pages without an origin send, such as files
        return True
    found = _ORIGIN.fullmatch(origin)
    if found is None or not _is_host(found[2]):
        return False
    parts = split_host(found[2])
    return parts is not None and (found[1], parts[1]) not in _USUAL_PORTS
