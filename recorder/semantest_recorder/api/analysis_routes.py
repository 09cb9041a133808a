"""What many runs say together: as the commands of the same names print it with ``--json``."""

from __future__ import annotations

import msgspec

from semantest_recorder.answers.failures import failures_in
from semantest_recorder.answers.flaky import flaky_list
from semantest_recorder.answers.slower import slower_tests
from semantest_recorder.answers.slowest import slowest_list
from semantest_recorder.answers.statistics import statistics
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.answers.trends import trends
from semantest_recorder.api.queries import FailuresQuery, FlakyQuery, SlowerQuery, SlowestQuery, TrendsQuery
from semantest_recorder.api.reading import Asked, Find, Reading
from semantest_recorder.api.recorded import Recorded
from semantest_recorder.reports.failure_list import FailureList
from semantest_recorder.reports.flaky_list import FlakyList
from semantest_recorder.reports.slower_list import SlowerList
from semantest_recorder.reports.slowest_list import SlowestList
from semantest_recorder.reports.statistics import Statistics
from semantest_recorder.reports.trend_table import Trends
from semantest_recorder.server.routes import Doc, Route

ANALYTICS = "/api/v1/analytics"
STATISTICS = "/api/v1/statistics"


def analysis_routes(reading: Reading, recorded: Recorded) -> list[Route]:
    """The routes."""
    found, stamp = _Analyses(recorded), recorded.stamp

    def route(name: str, doc: Doc, find: Find, *errors: int) -> Route:
        return reading.route(f"{ANALYTICS}/{name}", doc._replace(errors=(404, *errors)), find, stamp=stamp)

    return [
        reading.route(STATISTICS, Doc("How much was recorded", Statistics), found.statistics),
        route("flaky", Doc("Tests that fail without the code being the reason", FlakyList, FlakyQuery), found.flaky),
        route("slowest", Doc("Where the time goes", SlowestList, SlowestQuery), found.slowest),
        route(
            "slower", Doc("Tests that take longer, or less, than before", SlowerList, SlowerQuery), found.slower, 409
        ),
        route("trends", Doc("Counts, rates and durations over time", Trends, TrendsQuery), found.trends),
        route(
            "failures",
            Doc("What failed in many runs, by cause", FailureList, FailuresQuery),
            found.failures,
        ),
    ]


class _Analyses:
    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._database = recorded.database

    def statistics(self, _asked: Asked) -> msgspec.Struct:
        return statistics(self._database, self._recorded.kept)

    def flaky(self, asked: Asked) -> msgspec.Struct:
        query: FlakyQuery = asked.query
        return flaky_list(self._database, self._recorded.window(query), min_runs=query.min_runs, limit=query.limit)

    def slowest(self, asked: Asked) -> msgspec.Struct:
        query: SlowestQuery = asked.query
        return slowest_list(
            self._database,
            self._recorded.window(query),
            by=query.by,
            sort=query.sort,
            phase=query.phase,
            limit=query.limit,
        )

    def slower(self, asked: Asked) -> msgspec.Struct:
        query: SlowerQuery = asked.query
        return slower_tests(self._database, query.since, self._recorded.now_ms(), query.branch, query.limit)

    def trends(self, asked: Asked) -> msgspec.Struct:
        query: TrendsQuery = asked.query
        return trends(self._database, self._recorded.window(query, 100 if query.by == "run" else None), query.by)

    def failures(self, asked: Asked) -> msgspec.Struct:
        query: FailuresQuery = asked.query
        with stored_history(self._database) as history:
            return failures_in(history, history.runs.last_runs(query.runs, query.branch))
