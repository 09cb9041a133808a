"""Results of a run for lists of them, and one with everything in it; suites, too."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.cursor import cursor_of, place_of
from semantest_recorder.answers.errors import NoRunOfTest
from semantest_recorder.answers.one_test import one_test
from semantest_recorder.answers.page_size import that_fit
from semantest_recorder.reports.aggregate import add_test_details, is_explained, suite_info, test_infos
from semantest_recorder.reports.details import PlaceOf, add_test_events
from semantest_recorder.reports.result_list import ResultOfTest, ResultPage
from semantest_recorder.reports.suite_list import SuiteList
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.result_list import (
    ResultFilter,
    ResultOrder,
    listed_results,
    number_of_results,
    result_of,
    run_key_of,
    tests_in_run,
)
from semantest_recorder.stored_run import StoredPayloads

__all__ = ["ResultFilter", "ResultOrder", "result_in_run", "result_page", "suite_list"]

#: Among how many tests of a run the one that is meant is looked for.
_SEARCHED = 1000


def result_page(
    database: Path,
    run: str,
    wanted: ResultFilter,
    order: ResultOrder = "position",
    cursor: str | None = None,
    limit: int = 100,
) -> ResultPage:
    """At most ``limit`` tests behind ``cursor`` of the run called ``run`` (id, unique beginning or ``last``).

    Raises ``InvalidCursor`` and what ``Reader`` raises.
    """
    reader = Reader(database)
    run_id = reader.run(run).id
    question = ("results", run_id, wanted, order)
    after = place_of(cursor, *question)
    with snapshot(database) as connection:
        key = run_key_of(connection, run_id)
        if key is None:
            raise RunNotFound(run_id, [])
        found = listed_results(connection, key, wanted, order, after, limit + 1)
        total = number_of_results(connection, key, wanted)
    rows = [row for row, _place in found[:limit]]
    explained = [row.test_id for row in rows if is_explained(row)]
    tests = test_infos(rows, reader.attempts_of(run_id, explained) if explained else [])
    shown = that_fit(tests)
    return ResultPage(
        run=run_id,
        total=total,
        tests=tests[:shown],
        next=cursor_of(found[shown - 1][1], *question) if shown < len(found) else None,
    )


def result_in_run(database: Path, run: str, test: str, place_of_artifact: PlaceOf) -> ResultOfTest:
    """The test that ``test`` (id, name, or a part that only one has) means in a run, with everything in it.

    Raises ``NoSuchTest``, ``SeveralTests``, ``NoRunOfTest`` and what ``Reader`` raises.
    """
    reader = Reader(database)
    run_id = reader.run(run).id
    with snapshot(database) as connection:
        key = run_key_of(connection, run_id)
        if key is None:
            raise RunNotFound(run_id, [])
        row = result_of(connection, key, test)
        if row is None:
            test_id = one_test(test, tests_in_run(connection, key, test, _SEARCHED), reader)
            row = result_of(connection, key, test_id)
    if row is None:
        raise NoRunOfTest(test_id, None)
    (info,) = test_infos([row], reader.attempts_of(run_id, [row.test_id]))
    with closing(StoredPayloads(database)) as payload_of:
        add_test_details(info, payload_of)
        add_test_events(info, partial(payload_of.test_events, run_id), payload_of, place_of_artifact)
    return ResultOfTest(run=run_id, test=info)


def suite_list(database: Path, run: str) -> SuiteList:
    """The suites of the run called ``run``. Raises what ``Reader`` raises."""
    reader = Reader(database)
    run_id = reader.run(run).id
    return SuiteList(run=run_id, suites=[suite_info(row) for row in reader.suites(run_id)])
