"""The state of one run that is kept current: the database's rows, then event by event."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.cli.live_feed import LiveEvent
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.core.facts import opening_of
from semantest_recorder.core.payloads import MalformedError
from semantest_recorder.core.rows import ResultRow
from semantest_recorder.core.run_state import RunState
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES
from semantest_recorder.reports.live import LiveView, Usual, live_view, usual_time
from semantest_recorder.store.identity import read_identity

_HISTORY = 20
#: States whose attempts a look does not need.
_QUIET = frozenset({"passed", "skipped", "xfailed", "xpassed", "pending", "flaky", "not_run"})


class LiveRun:
    """Run ``run_id`` of the folder's database. Raises what ``store.reader.Reader`` raises."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.run_id = run_id
        self._reader = reader_of(folder)
        self._identity = read_identity(self._reader.path)
        self._told: dict[str, str] = {}
        self._usual: dict[str, Usual | None] = {}
        self.reload()

    def reload(self) -> None:
        """Start again from the database."""
        reader, run_id = self._reader, self.run_id
        self._state = RunState.load(
            reader.run(run_id),
            reader.sources(run_id),
            reader.results(run_id),
            reader.attempts(run_id),
            reader.suites(run_id),
            reader.crashes(run_id),
        )

    def take(self, live: LiveEvent) -> bool:
        """Apply an event; ``False`` for one that is known already or of another run.

        A hole in the stream is filled from the database.
        """
        source = self._state.sources.get(live.source)
        last = source.row.last_seq if source is not None else 0
        if live.seq <= last:
            return False
        if live.seq > last + 1:
            if source is not None:
                self.reload()
            return source is not None
        try:
            if source is None and not self._opens(live):
                return False
            self._state.apply(live.source, live.seq, live.event)
        except MalformedError:
            return False
        return True

    def _opens(self, live: LiveEvent) -> bool:
        """Whether a new source's first event names this run."""
        return opening_of(live.event).run_id == self.run_id

    @property
    def state(self) -> str:
        """The run's state now."""
        self._state.settle()
        return self._state.run.state

    @property
    def closed(self) -> bool:
        """Whether the run is over."""
        return self.state in CLOSED_RUN_STATES

    def finished(self) -> list[ResultRow]:
        """Tests whose final state is new since the last call; one may be told again with another state."""
        self._state.settle()
        rows = [row for row in self._state.take().results if row.state in FINAL_STATES]
        fresh = [row for row in rows if self._told.get(row.test_id) != row.state]
        self._told.update({row.test_id: row.state for row in fresh})
        return fresh

    def view(self, now_ms: float) -> LiveView:
        """One look at it."""
        self._state.settle()
        tests = self._state.tests.values()
        attempts = [row for test in tests if test.result.state not in _QUIET for row in test.attempts]
        return live_view(self._state.run, (test.result for test in tests), attempts, now_ms, self._usual_of)

    def _usual_of(self, test_id: str) -> Usual | None:
        if test_id not in self._usual:
            _own, *others = self._identity.ids_of(test_id)
            self._usual[test_id] = usual_time(self._reader.history(test_id, _HISTORY, other_names=others))
        return self._usual[test_id]
