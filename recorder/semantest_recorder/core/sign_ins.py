"""Signing in with a browser: codes that are good once, and what a cookie stands for (pure).

Of codes and cookies only the SHA-256 is kept. Whoever signs in with a token is who holds that token, for as long as it
is valid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Annotated, NamedTuple

import msgspec

from semantest_recorder.core.access import digest_of

#: How long a code may be redeemed, and how long a browser stays signed in, in milliseconds.
CODE_MS = 60_000.0
SIGN_IN_MS = 14 * 86_400_000.0
#: So many of them there are at most; the oldest of whoever has the most make room.
_CODES_MAX = 100
_SIGN_INS_MAX = 1000

_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class SignIn(msgspec.Struct, frozen=True, rename="camel"):
    """A browser that is signed in: ``digest`` of its cookie, ``credential``: the digest of the token it came with.

    ``user``: the id of the user of this machine who runs it, ``None`` when that is not known.
    """

    digest: _Digest
    credential: _Digest
    until_ms: float
    user: int | None = None


class _Code(NamedTuple):
    """Waits to be redeemed: for which credential, until when, and by which user of this machine it was asked for."""

    credential: bytes
    until_ms: float
    user: int | None

    def is_good(self, now_ms: float, user: int | None) -> bool:
        """Whether ``user`` may redeem it: who asked; anybody where one of both is root or not known.

        As root come relays that bring a user's own browser from elsewhere, as the one of WSL does.
        """
        return now_ms < self.until_ms and (user == self.user or not user or not self.user)


class SignInTable(msgspec.Struct, frozen=True):
    """The form in which they are kept."""

    schema: int = 1
    sign_ins: tuple[SignIn, ...] = ()


class SignIns:
    """The browsers that are signed in, and the codes that wait to be redeemed."""

    def __init__(self, known: Iterable[SignIn] = ()) -> None:
        self._sign_ins = {sign_in.digest: sign_in for sign_in in known}
        #: By the digest of the code.
        self._codes: dict[str, _Code] = {}

    def offer(self, code: str, credential: bytes, now_ms: float, user: int | None = None) -> None:
        """The holder of ``credential`` (the SHA-256 of a token) may sign in with this code once, within ``CODE_MS``.

        ``user``: who asks for it, where that is known.
        """
        while len(self._codes) >= _CODES_MAX:
            self._codes.pop(_oldest_of_most({key: one.credential for key, one in self._codes.items()}))
        self._codes[digest_of(code).hex()] = _Code(credential, now_ms + CODE_MS, user)

    def redeem(self, code: str, now_ms: float, user: int | None = None) -> bytes | None:
        """Whose credential the code stands for, if ``user`` may redeem it; from now on it stands for nobody's.

        Another user of the machine may not: neither who saw the code, nor who was led here by a link of whoever asked
        for it, and would act in that one's name.
        """
        found = self._codes.pop(digest_of(code).hex(), None)
        return found.credential if found is not None and found.is_good(now_ms, user) else None

    def add(self, cookie: str, credential: bytes, now_ms: float, user: int | None = None) -> None:
        """A browser with this cookie, which ``user`` runs, is signed in from now on."""
        self._forget_old(now_ms)
        while len(self._sign_ins) >= _SIGN_INS_MAX:
            self._sign_ins.pop(_oldest_of_most({key: one.credential for key, one in self._sign_ins.items()}))
        digest = digest_of(cookie).hex()
        self._sign_ins[digest] = SignIn(digest, credential.hex(), now_ms + SIGN_IN_MS, user)

    def credential_of(self, cookie: str, now_ms: float, user: int | None = None) -> bytes | None:
        """By whose credential the browser with this cookie is signed in, if it is, and ``user`` is still who runs it.

        Browsers send a cookie to all ports of a host: to those of other users, too.
        """
        found = self._sign_ins.get(digest_of(cookie).hex())
        if found is None or now_ms >= found.until_ms or (found.user is not None and found.user != user):
            return None
        return bytes.fromhex(found.credential)

    def knows(self, browser: bytes, now_ms: float) -> bool:
        """Whether the browser with the cookie of this SHA-256 is signed in."""
        found = self._sign_ins.get(browser.hex())
        return found is not None and now_ms < found.until_ms

    def remove(self, cookie: str) -> bool:
        """The browser with this cookie signs out; whether it was signed in."""
        return self._sign_ins.pop(digest_of(cookie).hex(), None) is not None

    def table(self, now_ms: float) -> SignInTable:
        """What is kept: the browsers, not the codes."""
        self._forget_old(now_ms)
        return SignInTable(sign_ins=tuple(self._sign_ins.values()))

    def _forget_old(self, now_ms: float) -> None:
        for old in [one for one in self._sign_ins.values() if now_ms >= one.until_ms]:
            del self._sign_ins[old.digest]


def _oldest_of_most(holders: Mapping[str, Hashable]) -> str:
    """The first key of the holder who has the most of them: who asks for many makes room himself."""
    most = Counter(holders.values()).most_common(1)[0][0]
    return next(key for key, holder in holders.items() if holder == most)


def is_own_path(target: str) -> bool:
    """Whether a browser that is sent to ``target`` stays here: a path of ours, and no address of another host."""
    return target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
