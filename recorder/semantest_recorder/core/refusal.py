"""A command or an event that is not carried out."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - it names the case
    """``code`` is for programs (docs/reference/errors.md), the text one line for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
