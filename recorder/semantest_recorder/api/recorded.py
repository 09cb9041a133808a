"""What questions are asked of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_semantest.protocol.artifacts import ARTIFACTS, ARTIFACTS_PATH, is_sha256, place_of
from semantest_recorder.answers.freshness import stamp_of
from semantest_recorder.answers.run_counts import KeptCounts
from semantest_recorder.answers.slower import is_age
from semantest_recorder.answers.window import Window
from semantest_recorder.api.moments import since_age
from semantest_recorder.api.queries import WindowQuery
from semantest_recorder.api.reading import Asked


@dataclass(frozen=True)
class Recorded:
    """A database, and the time in milliseconds since the epoch, of which it does not know."""

    database: Path
    now_ms: Callable[[], float]
    kept: KeptCounts = field(default_factory=KeptCounts)

    def stamp(self, asked: Asked) -> object:
        """Changes with what answers about closed runs, and about the run in the path, are made of; and with time."""
        told: str = getattr(asked.query, "window", None) or getattr(asked.query, "since", None) or ""
        minute = self.now_ms() // 60_000 if is_age(told) else None
        return stamp_of(self.database, asked.names.get("run")), minute

    def window(self, query: WindowQuery, usual: int | None = 100) -> Window:
        """The runs of an analysis; ``usual`` of them (``None``: all) when the query does not say."""
        since = None if query.window is None else since_age(query.window, self.now_ms())
        most = usual if query.runs is None and query.window is None else query.runs or None
        return Window(most, since, query.branch)

    def place_of_artifact(self, sha256: str) -> str | None:
        """The route of an artifact that is stored: of no use to others is where it lies on this machine."""
        if not is_sha256(sha256) or not self.database.parent.joinpath(ARTIFACTS, *place_of(sha256)).is_file():
            return None
        return f"{ARTIFACTS_PATH}{sha256}"
