"""Runs, and what happened in one."""

from __future__ import annotations

import msgspec

from semantest_recorder.answers.events import event_page
from semantest_recorder.answers.failures import failures_in
from semantest_recorder.answers.report import stored_report
from semantest_recorder.answers.results import ResultFilter, result_in_run, result_page, suite_list
from semantest_recorder.answers.run_difference import earlier_run, run_difference
from semantest_recorder.answers.runs import RunFilter, run_facts, run_page
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.api.moments import moment_ms
from semantest_recorder.api.queries import DiffQuery, EventsQuery, OneQuery, ResultsQuery, RunsQuery
from semantest_recorder.api.reading import Asked, Reading
from semantest_recorder.api.recorded import Recorded
from semantest_recorder.reports.event_list import EventPage
from semantest_recorder.reports.failure_list import FailureList
from semantest_recorder.reports.report import Report
from semantest_recorder.reports.result_list import ResultOfTest, ResultPage
from semantest_recorder.reports.run_diff import RunDiff
from semantest_recorder.reports.run_list import RunFacts, RunPage
from semantest_recorder.reports.suite_list import SuiteList
from semantest_recorder.server.query import InvalidQuery
from semantest_recorder.server.routes import Doc, Route

RUNS = "/api/v1/runs"
RUN = f"{RUNS}/{{run}}"


def run_routes(reading: Reading, recorded: Recorded) -> list[Route]:
    """The routes."""
    found = _Runs(recorded)
    route, stamp, none = reading.route, recorded.stamp, (404, 409)
    return [
        route(RUNS, Doc("Runs, newest first", RunPage, RunsQuery, entries="runs"), found.runs),
        route(RUN, Doc("One run: head and counts", RunFacts, OneQuery, errors=none, entries="run"), found.run),
        route(
            f"{RUN}/report",
            Doc("All of a run, as `semantest report --json`", Report, errors=none),
            found.report,
            stamp=stamp,
        ),
        route(
            f"{RUN}/results",
            Doc("Tests of a run", ResultPage, ResultsQuery, errors=none, entries="tests"),
            found.results,
        ),
        route(
            f"{RUN}/results/{{test}}",
            Doc("One test of a run: attempts, steps, output, attachments", ResultOfTest, errors=none),
            found.result,
        ),
        route(f"{RUN}/suites", Doc("Files and classes of a run", SuiteList, errors=none), found.suites),
        route(
            f"{RUN}/events",
            Doc("The log of a run, by type", EventPage, EventsQuery, errors=none, entries="events"),
            found.events,
        ),
        route(
            f"{RUN}/failures",
            Doc("What failed in a run, an entry for each cause", FailureList, errors=none),
            found.failures,
            stamp=stamp,
        ),
        route(
            f"{RUN}/diff",
            Doc("What changed since another run", RunDiff, DiffQuery, errors=none),
            found.diff,
            stamp=stamp,
        ),
    ]


class _Runs:
    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._database = recorded.database

    def runs(self, asked: Asked) -> msgspec.Struct:
        query: RunsQuery = asked.query
        now_ms = self._recorded.now_ms()
        since, until = (None if text is None else moment_ms(text, now_ms) for text in (query.since, query.until))
        labels = tuple(
            (name, value if sign else None) for name, sign, value in (one.partition("=") for one in query.label)
        )
        wanted = RunFilter(tuple(query.state), query.branch, query.commit, labels, query.q, since, until)
        return run_page(self._database, wanted, self._recorded.kept, query.sort, query.cursor, query.limit)

    def run(self, asked: Asked) -> msgspec.Struct:
        return run_facts(self._database, asked.names["run"], self._recorded.kept)

    def report(self, asked: Asked) -> msgspec.Struct:
        return stored_report(self._database, asked.names["run"], self._recorded.place_of_artifact)

    def results(self, asked: Asked) -> msgspec.Struct:
        query: ResultsQuery = asked.query
        wanted = ResultFilter(tuple(query.state), query.worker, query.suite, query.q)
        return result_page(self._database, asked.names["run"], wanted, query.sort, query.cursor, query.limit)

    def result(self, asked: Asked) -> msgspec.Struct:
        place_of = self._recorded.place_of_artifact
        return result_in_run(self._database, asked.names["run"], asked.names["test"], place_of)

    def suites(self, asked: Asked) -> msgspec.Struct:
        return suite_list(self._database, asked.names["run"])

    def events(self, asked: Asked) -> msgspec.Struct:
        query: EventsQuery = asked.query
        return event_page(self._database, asked.names["run"], query.type, query.cursor, query.limit)

    def failures(self, asked: Asked) -> msgspec.Struct:
        with stored_history(self._database) as history:
            return failures_in(history, [history.reader.run(asked.names["run"]).id])

    def diff(self, asked: Asked) -> msgspec.Struct:
        query: DiffQuery = asked.query
        if query.base is not None and query.branch is not None:
            raise InvalidQuery("base names the run to compare with, branch chooses it: give one")
        with stored_history(self._database) as history:
            run = history.reader.run(asked.names["run"])
            return run_difference(history, earlier_run(history, run, query.base, query.branch), run)
