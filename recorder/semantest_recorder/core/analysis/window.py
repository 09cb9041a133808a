"""The runs that an analysis looks at, and which of them had the same code."""

from __future__ import annotations

import msgspec


class WindowRun(msgspec.Struct, frozen=True):
    """A closed run. Times are milliseconds since the epoch; ``since_ms`` is by what runs are ordered.

    ``code`` names the code that ran and what ran it (:func:`code_of`): two runs with the same have no excuse for other
    results. It is ``None`` where that is not known.
    """

    key: int
    id: str
    state: str
    since_ms: float
    started_ms: float | None
    ended_ms: float | None
    branch: str | None
    commit: str | None
    code: str | None

    @property
    def duration_ms(self) -> float | None:
        """How long it took, ``None`` where that is not known."""
        return None if self.started_ms is None or self.ended_ms is None else max(0.0, self.ended_ms - self.started_ms)


def code_of(commit: str | None, python: str | None, platform: str | None, *, clean: bool) -> str | None:
    """One name for commit, Python and platform; ``None`` where the commit is not known, or is not what ran.

    ``clean``: nothing says that files were changed since the commit.
    """
    return f"{commit} {python or '?'} {platform or '?'}" if commit and clean else None
