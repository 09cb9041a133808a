"""Who may send the events of a source: which connection now, and whose token at any time (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

from semantest_recorder.core.access import ANONYMOUS, OWNER

#: How many sources one token may be sending at a time: each connection and each process of a suite has a few.
HOLDER_SOURCES_MAX: Final = 10_000


class Owner(NamedTuple):
    """A connection, the process behind it (header ``X-Semantest-Instance``), which may reconnect, and its token."""

    connection: str
    instance: str
    holder: str = ""


def may_continue(holder: str | None, sender: str, is_valid: Callable[[str], bool]) -> bool:
    """Whether ``sender`` may add to a source that a token named ``holder`` began; ``None``: nobody knows whose it is.

    Tokens are rotated, and what is left over is then sent with a new one: a source whose token ``is_valid`` no more
    goes to any other. The recorder itself (an empty name) and the owner may always; what somebody without a token
    began is anybody's.
    """
    if holder in (None, sender, ANONYMOUS.name) or sender in ("", OWNER.name):
        return True
    return holder is not None and holder != OWNER.name and sender != ANONYMOUS.name and not is_valid(holder)


class Granted(NamedTuple):
    """The source may be sent; ``superseded`` is an earlier connection of the same process, which lost it."""

    superseded: str | None = None


class InUse(NamedTuple):
    """Another process's live connection sends this source."""

    owner: Owner


class TooMany(NamedTuple):
    """The token sends ``HOLDER_SOURCES_MAX`` sources already."""


class SourceOwners:
    """A source belongs to the connection that first sent it until that closes.

    The same process may take it over on a new connection: its old one is dead, even when the recorder has not
    noticed yet.
    """

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}
        self._sources: dict[str, set[str]] = {}
        #: How many each token sends.
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._owners)

    def claim(self, source: str, owner: Owner) -> Granted | InUse | TooMany:
        """Makes ``owner`` the one who sends ``source``, if it may be."""
        present = self._owners.get(source)
        if present == owner:
            return Granted()
        if present is not None and (present.instance, present.holder) != (owner.instance, owner.holder):
            return InUse(present)
        if present is not None:
            self._sources[present.connection].discard(source)
        elif self._counts[owner.holder] >= HOLDER_SOURCES_MAX:
            return TooMany()
        else:
            self._counts[owner.holder] += 1
        self._owners[source] = owner
        self._sources.setdefault(owner.connection, set()).add(source)
        return Granted(present.connection if present else None)

    def sources(self, limit: int | None = None) -> dict[str, str]:
        """The connection of each source that is being sent, of the first ``limit`` ones."""
        return {source: owner.connection for source, owner in islice(self._owners.items(), limit)}

    def give_back(self, source: str, connection: str) -> None:
        """Frees a source that the connection has claimed and that turns out to be another token's."""
        present = self._owners.get(source)
        if present is not None and present.connection == connection:
            self._sources[connection].discard(source)
            self._free(source)

    def release(self, connection: str) -> None:
        """Frees every source of a connection that has closed."""
        for source in self._sources.pop(connection, ()):
            self._free(source)

    def _free(self, source: str) -> None:
        holder = self._owners.pop(source).holder
        self._counts[holder] -= 1
        if not self._counts[holder]:
            del self._counts[holder]
