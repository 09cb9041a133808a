"""The state of one run that is kept current: the database's rows, then event by event."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.watched_run import UsualTimes, watched_run
from semantest_recorder.cli.live_feed import LiveEvent
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.core.rows import ResultRow
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES
from semantest_recorder.reports.live import LiveView, counted_view

_LATEST_FAILURES = 5


class LiveRun:
    """Run ``run_id`` of the folder's database. Raises what ``answers.watched_run`` raises."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.run_id = run_id
        self._database = reader_of(folder).path
        self._usual = UsualTimes(self._database)
        self._told: dict[str, str] = {}
        self.reload()

    def reload(self) -> None:
        """Start again from the database."""
        self._run = watched_run(self._database, self.run_id)

    def take(self, live: LiveEvent) -> bool:
        """Apply an event; ``False`` for one that is known already or of another run.

        A hole in the stream is filled from the database.
        """
        taken = self._run.take(live.source, live.seq, (live.event,))
        if taken == "gap" and self._run.last_seq(live.source):
            self.reload()
            return True
        return taken == "new"

    @property
    def state(self) -> str:
        """The run's state now."""
        self._run.settle()
        return self._run.run.state

    @property
    def closed(self) -> bool:
        """Whether the run is over."""
        return self.state in CLOSED_RUN_STATES

    def finished(self) -> list[ResultRow]:
        """Tests whose final state is new since the last call; one may be told again with another state."""
        self._run.settle()
        fresh = [row for row in self._run.finished() if self._told.get(row.test_id) != row.state]
        self._told.update({row.test_id: row.state for row in fresh})
        return fresh

    def view(self, now_ms: float) -> LiveView:
        """One look at it."""
        run = self._run
        run.settle()
        bad = run.bad(_LATEST_FAILURES)
        return counted_view(run.run, run.numbers, bad, run.attempts(bad), now_ms, self._usual.of)
