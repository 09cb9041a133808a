"""One run in memory: the facts that its events state (facts.py) and the rows that follow from them (settling.py).

The rows hold every fact, so a run can be loaded from its rows whenever it is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_semantest.protocol.identity import MAIN_WORKER, source_name
from semantest_recorder.core.attempts import ended_itself
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.facts import open_source
from semantest_recorder.core.handlers import HANDLERS, open_handler
from semantest_recorder.core.payloads import MalformedError, NotTheirsError
from semantest_recorder.core.rows import AttemptRow, CrashRow, ResultRow, RunRow, SourceRow, SuiteRow
from semantest_recorder.core.settling import judge_loaded, settle
from semantest_recorder.core.tables import Source, Suite, Tables, Test, Unread, quick_suite_of


class RunState(Tables):
    """The rows of one run; ``settle`` must follow ``apply`` before they are read."""

    @classmethod
    def load(
        cls,
        run: RunRow,
        sources: Iterable[SourceRow],
        results: Iterable[ResultRow],
        attempts: Iterable[AttemptRow],
        suites: Iterable[SuiteRow],
        crashes: Iterable[CrashRow],
    ) -> RunState:
        """The state that left these rows; the warnings are not needed. The rows belong to it from now on."""
        state = cls(run.id)
        state.run = run
        state.sources = {row.source: Source(row) for row in sources}
        state.suites = {row.suite_id: Suite(row) for row in suites}
        for crash in crashes:
            state.add_crash(crash)
        for result in results:
            state._load_result(result)
        for attempt in attempts:
            test = state.tests[attempt.test_id]
            test.add(attempt)
            if attempt.will_retry or not ended_itself(attempt):
                state.sources[attempt.source].unended[attempt.test_id] = test
        judge_loaded(state)
        return state

    def _load_result(self, result: ResultRow) -> None:
        suite = self.suites[result.suite_id or quick_suite_of(result.test_id)]
        test = self.tests[result.test_id] = Test(result, suite.row)
        suite.tests.append(test)
        self.counts[result.state] += 1
        self.forgiven += result.forgiven
        if result.position is not None:
            self.planned += 1

    def apply(self, source: str, seq: int, event: RawEvent) -> None:
        """Takes the next event of a source, whose first one must name runId, session and worker.

        Never raises for a payload of a wrong shape: what cannot be read is told in ``Changes.unread``, and an event of
        which nothing can be read counts as a gap.
        Raises ``MalformedError`` for a first event that names no run.
        """
        self.apply_all(source, seq, (event,))

    def apply_all(self, source: str, first_seq: int, events: Sequence[RawEvent]) -> None:
        """Takes successive events of one source, at least one, from ``first_seq`` on; else like ``apply``."""
        at = self.sources.get(source)
        if at is None or at.row.last_seq == 0:
            at = open_source(self, events[0])
        row = at.row
        if at.closing is not None and not at.closing.own:
            self.closings_stale = True
        handlers = HANDLERS
        for seq, event in enumerate(events, first_seq):
            row.last_seq = seq
            handler = handlers.get(event.type) or open_handler(event.type)
            if handler is not None:
                try:
                    handler(self, at, seq, event)
                except MalformedError as error:
                    self.unread.append(Unread(source, seq, str(error)))
                    if not isinstance(error, NotTheirsError):
                        self.miss(at)
        row.last_ms = events[-1].timestamp
        self.dirty_sources[source] = row

    def has_main_ended(self, source: str) -> bool:
        """Whether the main process of a source's session has said that it ended."""
        main = self.sources.get(source_name(self.sources[source].row.session, MAIN_WORKER))
        return main is not None and main.row.state == "ended"

    def settle(self) -> list[RawEvent]:
        """Brings every derived row up to date; gives the suite events that follow."""
        return settle(self)
