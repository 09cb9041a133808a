"""What clients were told is stored, against what is stored in the end."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

_ATTEMPTS = "SELECT r.id, a.outcome, count(*) FROM attempts a JOIN runs r USING (run_key) GROUP BY r.id, a.outcome"
_OPEN = "SELECT id FROM runs WHERE state IN ('pending', 'running')"


@dataclass
class Ledger:
    """``recorded``: attempts by outcome of each run that was acknowledged to its end; ``runs`` and ``events``: how many
    were sent; ``broken``: what went wrong, in a line each.
    """

    recorded: dict[str, Counter[str | None]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    runs: int = 0
    events: int = 0
    broken: list[str] = field(default_factory=list)

    def note(self, run_id: str, outcomes: Iterable[str | None]) -> None:
        """All of the run is acknowledged."""
        self.recorded[run_id] = Counter(outcomes)

    def compare(self, database: Path) -> list[str]:
        """What is not stored as it was acknowledged, and which runs are not over, though everybody has left."""
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            stored: dict[str, Counter[str | None]] = {
                run: Counter() for (run,) in connection.execute("SELECT id FROM runs")
            }
            for run, outcome, number in connection.execute(_ATTEMPTS):
                stored[run][outcome] = number
            forgotten = connection.execute(_OPEN).fetchall()
        return [*self._differences(stored), *(f"{run} is not over" for (run,) in forgotten)]

    def _differences(self, stored: Mapping[str, Counter[str | None]]) -> Iterator[str]:
        for run_id, outcomes in self.recorded.items():
            found = stored.get(run_id)
            if found is None:
                if run_id not in self.deleted:
                    yield f"{run_id} is lost"
            elif run_id in self.deleted:
                yield f"{run_id} was deleted and is there"
            elif found != outcomes:
                yield f"{run_id}: {dict(outcomes)} were acknowledged, {dict(found)} are stored"
