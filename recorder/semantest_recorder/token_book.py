"""The tokens of a folder for whoever manages them in a browser or from afar."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from semantest_recorder.core.access import Role, digest_of
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.tokens import InvalidName, NameTaken, NoSuchToken, Token, TokenTable
from semantest_recorder.token_file import TokensUnreadable, change_tokens, new_token, read_tokens


class TokenBook:
    """``tokens.json`` in ``directory``; what cannot be read or written is a ``Refusal`` (``STORE_ERROR``)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self) -> TokenTable:
        """All tokens but for the recorder's own."""
        try:
            return read_tokens(self._directory)
        except TokensUnreadable as error:
            raise Refusal("STORE_ERROR", str(error)) from None

    def create(self, name: str, roles: Iterable[Role], now_ms: float, expires_ms: float | None) -> tuple[str, Token]:
        """A new token, which nobody can read again, and what is kept of it; times in ms since the epoch.

        Raises ``Refusal`` with ``INVALID_REQUEST`` for a name that is none, with ``NAME_TAKEN``.
        """
        token, made = new_token(), list[Token]()

        def add(table: TokenTable) -> TokenTable:
            changed = table.with_token(name, roles, digest_of(token), now_ms, expires_ms)
            made[:] = [one for one in changed.tokens if one.name == name]
            return changed

        try:
            self._change(add)
        except InvalidName as error:
            raise Refusal("INVALID_REQUEST", str(error)) from None
        except NameTaken as error:
            raise Refusal("NAME_TAKEN", f"{error}: take another name, or revoke that one first") from None
        return token, made[0]

    def revoke(self, name: str) -> None:
        """The token of this name is none any more. Raises ``Refusal`` with ``TOKEN_NOT_FOUND``."""
        try:
            self._change(lambda table: table.without(name))
        except NoSuchToken as error:
            known = f"there are {', '.join(error.args[1])}" if error.args[1] else "there are none"
            raise Refusal("TOKEN_NOT_FOUND", f"{error.args[0]}; {known}") from None

    def _change(self, change: Callable[[TokenTable], TokenTable]) -> None:
        try:
            change_tokens(self._directory, change)
        except TokensUnreadable as error:
            raise Refusal("STORE_ERROR", str(error)) from None
        except OSError as error:
            raise Refusal("STORE_ERROR", f"the tokens cannot be written: {error.strerror}") from None
