"""What an exporter is, and what it is given: runs whose tests come one by one with their details."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, Literal, Protocol

import msgspec
from msgspec.structs import replace

from semantest_recorder.core.analysis.standing import Standing
from semantest_recorder.reports.agent.causes import StandingsOf
from semantest_recorder.reports.agent.tokens import DEFAULT_TOKENS
from semantest_recorder.reports.aggregate import PayloadOf, add_test_details, is_explained
from semantest_recorder.reports.details import EventsOf, PlaceOf, add_test_events
from semantest_recorder.reports.report import AttemptInfo, Report, TestInfo

#: Takes how many tests of a run are done, and of how many.
Told = Callable[[int, int], None]


class ExportedRun:
    """A run to export: its report without details, and its tests one by one with them."""

    def __init__(
        self,
        report: Report,
        payload_of: PayloadOf,
        events_of: EventsOf,
        place_of: PlaceOf,
        told: Told | None = None,
        standings_of: StandingsOf = lambda _ids: {},
    ) -> None:
        self.report = report
        self._payload_of = payload_of
        self._events_of = events_of
        self._place_of = place_of
        self._told = told
        self._standings_of = standings_of

    def tests(self, detailed: Callable[[TestInfo], bool] = is_explained) -> Iterator[TestInfo]:
        """The tests in their order; those that are to be ``detailed`` with tracebacks, output, steps and attachments.

        Details live as long as the caller keeps the test: a run of any size takes the memory of its report and of
        one test. Raises what the functions that read events raise.
        """
        tests = self.report.tests
        for number, test in enumerate(tests, 1):
            yield self.with_details(test) if detailed(test) else test
            if self._told is not None:
                self._told(number, len(tests))

    def standings(self, test_ids: Sequence[str]) -> Mapping[str, Standing]:
        """How these tests, which failed in the run, stand among earlier runs; nothing of those that nobody knows."""
        return self._standings_of(test_ids)

    def with_details(self, test: TestInfo) -> TestInfo:
        """A test of the run with tracebacks, output, steps and attachments, as :meth:`tests` gives it."""
        own = replace(test, attempts_detail=[_own(attempt) for attempt in test.attempts_detail])
        add_test_details(own, self._payload_of)
        add_test_events(own, self._events_of, self._payload_of, self._place_of)
        return own


def _own(attempt: AttemptInfo) -> AttemptInfo:
    """An attempt to which details can be added while the one of the report stays as it is."""
    error = replace(attempt.error) if attempt.error is not None else None
    subtests = replace(attempt.subtests, failures=[])
    return replace(
        attempt, error=error, subtests=subtests, output=[], user_properties=[], steps=[], logs=[], attachments=[]
    )


class Runs(Protocol):
    """The runs of one file. Each is made when its turn comes, so they can be gone through once."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[ExportedRun]:
        """The runs in the order in which they were asked for."""


class ExportOptions(msgspec.Struct, frozen=True):
    """What can be chosen; formats for which it means nothing do not look at it.

    ``rows``: of a table, a row for each of the ``tests`` or of the ``attempts``. ``pictures``: whether a page holds
    those that tests attached. ``max_tokens``: how long a text for a coding agent may be (``reports/agent/tokens.py``).
    """

    rows: Literal["tests", "attempts"] = "tests"
    pictures: bool = True
    max_tokens: int = DEFAULT_TOKENS


def every_test(_test: TestInfo) -> bool:
    """For formats that hold details of all tests, passed ones too."""
    return True


def only_run(runs: Runs) -> ExportedRun:
    """The run of a format for one run."""
    [run] = runs
    return run


class Exporter(Protocol):
    """A format. It writes as it goes, whole characters of UTF-8 each time, and keeps no test that it has written."""

    def __call__(self, runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:
        """Write ``runs`` to ``stream``; one run if the format is not one for several (``formats.py``)."""
