"""Which connection may send the events of a source (pure)."""

from __future__ import annotations

from typing import NamedTuple


class Owner(NamedTuple):
    """A connection, the process behind it (header ``X-Semantest-Instance``), which may reconnect, and its token."""

    connection: str
    instance: str
    holder: str = ""


class Granted(NamedTuple):
    """The source may be sent; ``superseded`` is an earlier connection of the same process, which lost it."""

    superseded: str | None = None


class InUse(NamedTuple):
    """Another process's live connection sends this source."""

    owner: Owner


class SourceOwners:
    """A source belongs to the connection that first sent it until that closes.

    The same process may take it over on a new connection: its old one is dead, even when the recorder has not
    noticed yet.
    """

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}
        self._sources: dict[str, set[str]] = {}

    def claim(self, source: str, owner: Owner) -> Granted | InUse:
        """Makes ``owner`` the one who sends ``source``, if it may be."""
        present = self._owners.get(source)
        if present == owner:
            return Granted()
        if present is not None and (present.instance, present.holder) != (owner.instance, owner.holder):
            return InUse(present)
        if present is not None:
            self._sources[present.connection].discard(source)
        self._owners[source] = owner
        self._sources.setdefault(owner.connection, set()).add(source)
        return Granted(present.connection if present else None)

    def sources(self) -> dict[str, str]:
        """The connection of each source that is being sent."""
        return {source: owner.connection for source, owner in self._owners.items()}

    def release(self, connection: str) -> None:
        """Frees every source of a connection that has closed."""
        for source in self._sources.pop(connection, ()):
            del self._owners[source]
