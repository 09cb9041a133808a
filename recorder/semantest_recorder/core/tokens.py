"""Tokens that a recorder gives out: names, roles and times beside the hash of each (pure)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from typing import Annotated

import msgspec

from semantest_recorder.core.access import ANONYMOUS, OWNER, Identity, Role

#: What a token starts with, so that scanners of repositories and logs know one when they meet it.
PREFIX = "smt_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: A token of such a name would pass for somebody else in a policy and in the log.
_RESERVED = frozenset({OWNER.name, ANONYMOUS.name})


class InvalidName(ValueError):  # noqa: N818 - named for what it says about its argument
    """No name for a token; the text says why."""


class NameTaken(ValueError):  # noqa: N818 - it is how things are
    """Another token has the name."""


class NoSuchToken(LookupError):  # noqa: N818 - it is how things are
    """No token has the name; ``args[1]`` are those that there are."""


class Token(msgspec.Struct, frozen=True, rename="camel"):
    """What is kept of a token: ``digest`` is its SHA-256 in hexadecimal; times in ms since the epoch."""

    name: Annotated[str, msgspec.Meta(pattern=rf"\A{_NAME.pattern}\Z")]  # logs and lists show it as it is
    roles: tuple[Role, ...]
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    created_ms: float
    expires_ms: float | None = None

    def is_expired(self, now_ms: float) -> bool:
        """Whether its time is over."""
        return self.expires_ms is not None and now_ms >= self.expires_ms


class TokenTable(msgspec.Struct, frozen=True):
    """All tokens of a recorder but for its own."""

    schema: int = 1
    tokens: tuple[Token, ...] = ()

    def holder(self, digest: bytes, now_ms: float) -> Identity | None:
        """Who holds the token with this SHA-256; all are compared, each in constant time."""
        found = None
        for token in self.tokens:
            if hmac.compare_digest(bytes.fromhex(token.digest), digest) and not token.is_expired(now_ms):
                found = Identity(token.name, frozenset(token.roles), digest)
        return found

    def is_valid(self, name: str, now_ms: float) -> bool:
        """Whether there is a token of this name whose time is not over."""
        return any(token.name == name and not token.is_expired(now_ms) for token in self.tokens)

    def with_token(
        self, name: str, roles: Iterable[Role], digest: bytes, now_ms: float, expires_ms: float | None
    ) -> TokenTable:
        """The table with one more; an expired one of that name makes room. Raises ``InvalidName``, ``NameTaken``."""
        if not _NAME.fullmatch(name) or name in _RESERVED:
            reserved = " or ".join(sorted(_RESERVED))
            text = f"a name has 1 to 64 letters, digits, '.', '_' and '-', and is not {reserved}"
            raise InvalidName(f"{name!r} is no name for a token: {text}")
        if self.is_valid(name, now_ms):
            raise NameTaken(f"there is a token named {name!r}")
        wanted = set(roles)
        new = Token(name, tuple(role for role in Role if role in wanted), digest.hex(), now_ms, expires_ms)
        return TokenTable(tokens=(*(token for token in self.tokens if token.name != name), new))

    def without(self, name: str) -> TokenTable:
        """The table without the token of this name. Raises ``NoSuchToken``."""
        rest = tuple(token for token in self.tokens if token.name != name)
        if len(rest) == len(self.tokens):
            raise NoSuchToken(f"there is no token named {name!r}", [token.name for token in self.tokens])
        return TokenTable(tokens=rest)
