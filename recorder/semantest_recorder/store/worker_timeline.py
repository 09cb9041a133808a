"""When the processes of a run ran which attempts: long ones one by one, short ones counted in blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from semantest_recorder.core.ledger import SEVERITY
from semantest_recorder.core.worker_timeline import Bar, Block, Lane
from semantest_recorder.store.queries import statements

_SQL = statements("worker_timeline.sql")
#: The larger the worse: the place of an outcome from the end of `SEVERITY`, 0 for one that is not in it.
_WORST_LAST: Final = SEVERITY[::-1]
_RANK: Final = (
    "CASE outcome "
    + " ".join(f"WHEN '{outcome}' THEN {rank}" for rank, outcome in enumerate(_WORST_LAST))
    + " ELSE 0 END"
)
_OTHERS: Final = _SQL["others"].replace("{rank}", _RANK)
#: By what the statements multiply the key of a lane.
_LANE: Final = 1_000_000


class AttemptTime(NamedTuple):
    """One attempt; times in ms."""

    worker: str
    test_id: str
    attempt: int
    outcome: str | None
    started_ms: float
    duration_ms: float


class WorkerTimeline:
    """The timeline of one run. Its methods raise ``sqlite3.Error``."""

    def __init__(self, connection: sqlite3.Connection, run_key: int) -> None:
        self._connection = connection
        self._run_key = run_key

    def lanes(self) -> list[Lane]:
        """The processes of the run that may have run tests, in the order in which they came."""
        return [Lane(*row) for row in self._connection.execute(_SQL["lanes"], (self._run_key,))]

    def bars(self, begin_ms: float, end_ms: float, visible_ms: float, most: int) -> list[Bar]:
        """The attempts of this time that took ``visible_ms`` or are not over, the ``most`` longest of them."""
        values = {"run_key": self._run_key, "begin": begin_ms, "end": end_ms, "visible": visible_ms, "most": most}
        return [Bar(*row) for row in self._connection.execute(_SQL["bars"], values)]

    def blocks(self, begin_ms: float, end_ms: float, visible_ms: float, part_ms: float) -> list[Block]:
        """The others that began in this time, by lane and by the ``part_ms`` in which they began.

        Those that passed at the first attempt are in blocks of their own.
        """
        values = {"run_key": self._run_key, "begin": begin_ms, "end": end_ms, "visible": visible_ms, "part": part_ms}
        found = [
            Block(part // _LANE, attempts, busy, started, ended, "passed")
            for part, attempts, busy, started, ended in self._connection.execute(_SQL["passed"], values)
        ]
        for lane, attempts, busy, started, ended, rank, retries, key in self._connection.execute(_OTHERS, values):
            found.append(Block(lane, attempts, busy, started, ended, _WORST_LAST[rank], retries, key))
        return found

    def names(self, test_keys: Iterable[int]) -> dict[int, str]:
        """The ids of tests."""
        return dict(
            self._connection.execute(_SQL["names"], (msgspec.json.encode(list(test_keys)).decode(),)).fetchall()
        )

    def attempts(self) -> list[AttemptTime]:
        """All attempts whose start is known, in its order."""
        return [AttemptTime(*row) for row in self._connection.execute(_SQL["attempts"], (self._run_key,))]
