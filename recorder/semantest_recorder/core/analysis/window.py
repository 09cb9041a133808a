"""The runs that an analysis looks at."""

from __future__ import annotations

import msgspec


class WindowRun(msgspec.Struct, frozen=True):
    """A closed run. Times are milliseconds since the epoch; ``since_ms`` is by what runs are ordered.

    ``shards_missing``: how many of its shards did not come. ``pull_request``: of which it is, by CI. ``planned``: how
    many tests it was to run.
    """

    key: int
    id: str
    state: str
    since_ms: float
    started_ms: float | None
    ended_ms: float | None
    branch: str | None
    commit: str | None
    shards_missing: int = 0
    pull_request: str | None = None
    planned: int = 0

    @property
    def duration_ms(self) -> float | None:
        """How long it took, ``None`` where that is not known."""
        return None if self.started_ms is None or self.ended_ms is None else max(0.0, self.ended_ms - self.started_ms)
