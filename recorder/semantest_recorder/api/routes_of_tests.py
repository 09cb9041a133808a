"""Tests through their runs."""

from __future__ import annotations

import msgspec

from semantest_recorder.answers.aliases import aliases
from semantest_recorder.answers.blame import blame_of
from semantest_recorder.answers.history import history_of
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.answers.tests import known_test, page_of_tests
from semantest_recorder.api.queries import BlameQuery, HistoryQuery, OneQuery, TestsQuery
from semantest_recorder.api.reading import Asked, Reading
from semantest_recorder.api.recorded import Recorded
from semantest_recorder.reports.alias_list import AliasList
from semantest_recorder.reports.blame_report import BlameReport
from semantest_recorder.reports.history_of_test import TestHistory
from semantest_recorder.reports.known_tests import KnownTest, TestPage
from semantest_recorder.server.routes import Doc, Route

TESTS = "/api/v1/tests"
TEST = f"{TESTS}/{{test}}"
ALIASES = "/api/v1/aliases"


def routes_of_tests(reading: Reading, recorded: Recorded) -> list[Route]:
    """The routes."""
    found = _Tests(recorded)
    route, none = reading.route, (404, 409)
    return [
        route(TESTS, Doc("Tests, in the order of their ids", TestPage, TestsQuery, entries="tests"), found.tests),
        route(
            TEST, Doc("One test: names and last result", KnownTest, OneQuery, errors=none, entries="test"), found.test
        ),
        route(
            f"{TEST}/history",
            Doc("What became of a test in its last runs", TestHistory, HistoryQuery, errors=none),
            found.history,
        ),
        route(
            f"{TEST}/blame",
            Doc("With which run, and which commits, a test broke", BlameReport, BlameQuery, errors=none),
            found.blame,
        ),
        route(ALIASES, Doc("Earlier names of tests", AliasList), found.aliases),
    ]


class _Tests:
    def __init__(self, recorded: Recorded) -> None:
        self._database = recorded.database

    def tests(self, asked: Asked) -> msgspec.Struct:
        query: TestsQuery = asked.query
        return page_of_tests(self._database, query.q, query.suite, query.cursor, query.limit)

    def test(self, asked: Asked) -> msgspec.Struct:
        with stored_history(self._database) as history:
            return known_test(history, asked.names["test"])

    def history(self, asked: Asked) -> msgspec.Struct:
        query: HistoryQuery = asked.query
        with stored_history(self._database) as history:
            return history_of(history, asked.names["test"], query.branch, query.runs)

    def blame(self, asked: Asked) -> msgspec.Struct:
        query: BlameQuery = asked.query
        project = self._database.parent.parent
        with stored_history(self._database) as history:
            return blame_of(history, asked.names["test"], query.branch, query.runs, [str(project)])

    def aliases(self, _asked: Asked) -> msgspec.Struct:
        return aliases(self._database)
