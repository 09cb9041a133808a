"""``tokens.json``: the tokens that a recorder gives out, beside its database and independent of it.

The commands that change it need no recorder, and a running one sees a change with the next request.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from pytest_semantest.protocol.layout import TOKENS, TOKENS_LOCK
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.trust import refuse_secret
from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.core.access import Identity
from semantest_recorder.core.tokens import PREFIX, TokenTable

_SCHEMA = 1

#: Says nothing of the file: the next attempt may succeed.
_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN)

_log = logging.getLogger(__name__)


class TokensUnreadable(Exception):  # noqa: N818 - says what they are
    """The file cannot be used; one line that says what to do. Until then none of its tokens is one."""


class TokensNotReadNow(TokensUnreadable):
    """Nothing is wrong with the file; it can be read later."""


def new_token() -> str:
    """256 random bits, as a token."""
    return f"{PREFIX}{secrets.token_urlsafe(32)}"


def read_tokens(directory: Path) -> TokenTable:
    """The table in the folder, an empty one without a file. Raises ``TokensUnreadable``."""
    path = directory / TOKENS
    try:
        data, facts = read_small_file(path)
        refusal = refuse_secret(facts, str(directory))
    except FileNotFoundError:
        return TokenTable()
    except OSError as error:
        kind = TokensNotReadNow if error.errno in _PASSING else TokensUnreadable
        raise kind(f"{path} cannot be read: {error.strerror}") from None
    if refusal is not None:
        raise TokensUnreadable(
            f"{path} is not used: {refusal}, and could give himself tokens; if you know why, run "
            f"`chown $(id -u) {path}` and `chmod 600 {path}`, else remove it"
        )
    try:
        table = msgspec.json.decode(data, type=TokenTable)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TokensUnreadable(f"{path} is no list of tokens ({error}); move it away and make new ones") from None
    if table.schema > _SCHEMA:
        raise TokensUnreadable(f"{path} is of a newer version (schema {table.schema}): upgrade")
    return table


def change_tokens(directory: Path, change: Callable[[TokenTable], TokenTable]) -> None:
    """Replaces the file in one step while no other command does.

    Raises ``TokensUnreadable``, ``OSError``, and what ``change`` raises.
    """
    from filelock import FileLock  # noqa: PLC0415 - 25 ms that reading need not pay

    with FileLock(directory / TOKENS_LOCK, mode=0o600):
        owner = _owner(directory)
        if owner is not None:
            os.chown(directory / TOKENS_LOCK, *owner)
        _write(directory, change(read_tokens(directory)))


def _write(directory: Path, table: TokenTable) -> None:
    content = msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n"
    write_whole(directory / TOKENS, content, durable=True, owner=_owner(directory))


def _owner(directory: Path) -> tuple[int, int] | None:
    """Whose a file is that root writes into the folder of a service: the service's, which has to read it."""
    if os.geteuid() != 0:
        return None
    found = directory.stat()
    return found.st_uid, found.st_gid


class TokenFile:
    """The table as a running recorder knows it; ``clock`` gives milliseconds since the epoch.

    A file that cannot be used holds no tokens: it is told once in the log. While it cannot be read for want of
    descriptors or memory, the last table holds, and each request tries again.
    """

    def __init__(self, directory: Path, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._clock = clock
        self._table = TokenTable()
        self._seen: tuple[int, ...] | None = ()
        self._is_late = False
        self.refresh()

    def refresh(self) -> None:
        """Reads the file again if it is another one than before."""
        try:
            found = (self._directory / TOKENS).stat()
        except OSError:
            present = None
        else:
            present = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode)
        if present == self._seen:
            return
        before = self._table.tokens
        try:
            self._table = read_tokens(self._directory)
        except TokensNotReadNow as error:
            if not self._is_late:
                self._is_late = True
                _log.error("changes of tokens wait: %s", error)
            return
        except TokensUnreadable as error:
            self._table = TokenTable()
            _log.error("no token but the recorder's own is valid: %s", error)
        for token in before:
            if all(token.digest != other.digest for other in self._table.tokens):
                _log.warning("the token %s is gone", token.name, extra={"fields": {"name": token.name}})
        self._seen, self._is_late = present, False

    def is_valid(self, name: str) -> bool:
        """Whether a token of this name was valid when the file was last read; may be asked from any thread."""
        return self._table.is_valid(name, self._clock())

    def holder(self, digest: bytes) -> Identity | None:
        """Who holds the token with this SHA-256, by the file as it is at this moment."""
        self.refresh()
        return self._table.holder(digest, self._clock())
