"""Which recorder a session goes to, by what its shipper told in ship.json. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit


def destination(told: Mapping[str, object], own_url: object, otherwise: str | None = None) -> str | None:
    """The address of the recorder that a session is meant for; ``None`` for the project's own.

    ``told`` is what ship.json says, ``own_url`` the address of the project's own recorder as far as it is known,
    ``otherwise`` the recorder of a session whose shipper never told. A named recorder that turns out to be the
    project's own counts as that: its address and token may change.
    """
    named, recorder = told.get("named"), told.get("recorder")
    if named is False:
        return None
    url = recorder if named is True and isinstance(recorder, str) else otherwise
    return None if isinstance(own_url, str) and is_same_recorder(url, own_url) else url


def is_same_recorder(one: str | None, other: str | None) -> bool:
    """Whether two addresses are one; ``None`` is the project's own recorder."""
    return (one and one.rstrip("/")) == (other and other.rstrip("/"))


def is_on_this_host(url: str) -> bool:
    """Whether an address is one of the loopback interface, or ``localhost``; with or without a scheme."""
    try:
        host = urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:  # such as a bracket that is not closed
        return False
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
