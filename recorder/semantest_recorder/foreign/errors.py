"""Why a file of another tool cannot be read."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and in which line, counted from 1, where that is known."""

    reason: str
    line: int | None = None

    def __str__(self) -> str:
        return self.reason if self.line is None else f"line {self.line}: {self.reason}"


class UnreadableError(Exception):
    """Nothing of the file can be used; ``problem`` says why."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.problem = Problem(reason, line)
        super().__init__(str(self.problem))


class NotThisFormatError(UnreadableError):
    """The file is whole, and of another kind: in a folder it is passed over."""
