"""Which tests take longer, or less, since a time or since a run."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Final

from semantest_recorder.answers.errors import NoEarlierRun
from semantest_recorder.answers.window import why_none
from semantest_recorder.core.amounts import milliseconds_of
from semantest_recorder.core.analysis.time_shift import PASSES, may_have_shifted, run_factor, shifts
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.slower_list import Compared, SlowerList, slower_list
from semantest_recorder.reports.window import window_info
from semantest_recorder.reports.wording import moment
from semantest_recorder.store.analysis_passes import passes
from semantest_recorder.store.analysis_window import began, window
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader

#: A week: what is asked for when nothing is said.
USUAL_SINCE: Final = "7d"
#: By so many runs on either side, those of the most tests, the tests are chosen whose times in all runs are read.
_FIRST_LOOK: Final = 5


def is_age(since: str) -> bool:
    """Whether it says how long ago, such as ``7d``; what does not is a run."""
    return milliseconds_of(since) is not None


def slower_tests(
    database: Path, since: str, now_ms: float, branch: str | None = None, limit: int | None = None
) -> SlowerList:
    """Tests whose passes in the newest runs since then are far from those in the runs before: ``limit`` of each kind.

    ``since``: an age, counted back from ``now_ms``, or a run (id, unique beginning or ``last``), which counts as later.
    On either side the newest 20 runs that are over count, of ``branch`` if named. The rule is that of a comparison of
    two runs (core/analysis/time_shift.py); the time compared is the median of the later passes, which varies less than
    the single time that the rule reckons with.

    Raises ``NoRunInTime``, ``NoRunEnded``, ``NoEarlierRun``, ``BranchNotFound`` and what ``Reader`` raises.
    """
    with closing(connect_read_only(database)) as connection:
        since_ms = _moment(database, connection, since, now_ms)
        later = window(connection, since_ms=since_ms, branch=branch, most=PASSES)
        if not later:
            raise why_none(connection, branch)
        earlier = window(connection, until_ms=since_ms, branch=branch, most=PASSES)
        if not earlier:
            raise NoEarlierRun(moment(later[0].since_ms))
        identity = read_identity(database)
        seen = passes(connection, _fullest(earlier), identity), passes(connection, _fullest(later), identity)
        both = {name: (median(seen[0][name]), median(times)) for name, times in seen[1].items() if name in seen[0]}
        factor = run_factor(both.values())
        moved = [name for name, times in both.items() if may_have_shifted(*times, factor)]
        before, after = passes(connection, earlier, identity, moved), passes(connection, later, identity, moved)
    times = {name: (median(after[name]), before[name]) for name in moved}
    found = [(shift, len(after[shift.test_id])) for shift in shifts(times, len(both), factor)]
    sides = window_info(earlier, branch), window_info(later, branch)
    return slower_list(since, sides, found, Compared(len(both), factor), limit)


def _fullest(runs: Sequence[WindowRun]) -> list[WindowRun]:
    """Of runs in their order those that were to run the most tests, of as many the later ones."""
    return sorted(runs, key=lambda run: run.planned)[-_FIRST_LOOK:]


def _moment(database: Path, connection: sqlite3.Connection, since: str, now_ms: float) -> float:
    age = milliseconds_of(since)
    return began(connection, Reader(database, connection).run(since).id) if age is None else now_ms - age
