"""Which addresses a recorder may be reached at, and with which protection (pure)."""

from __future__ import annotations

from collections.abc import Collection

from semantest_recorder.core.access import is_loopback

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
