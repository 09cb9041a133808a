"""The tokens of a folder for clients that may manage them from afar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from semantest_recorder.core.access import digest_of
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.tokens import TokenTable
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

    def change(self, change: Callable[[TokenTable], TokenTable]) -> None:
        """Replaces them in one step; raises what ``change`` raises."""
        try:
            change_tokens(self._directory, change)
        except TokensUnreadable as error:
            raise Refusal("STORE_ERROR", str(error)) from None
        except OSError as error:
            raise Refusal("STORE_ERROR", f"the tokens cannot be written: {error.strerror}") from None

    @staticmethod
    def new() -> tuple[str, bytes]:
        """A token that nobody has, and its digest."""
        token = new_token()
        return token, digest_of(token)
