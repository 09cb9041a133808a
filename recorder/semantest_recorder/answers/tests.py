"""The tests that a history knows."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.cursor import cursor_of, place_of
from semantest_recorder.answers.one_test import one_test
from semantest_recorder.answers.page_size import that_fit
from semantest_recorder.answers.stored_history import StoredHistory
from semantest_recorder.core.analysis.identity import function_of
from semantest_recorder.reports.known_tests import KnownTest, TestName, TestPage
from semantest_recorder.reports.past_result import past_result
from semantest_recorder.store.known_tests import KnownTestRow, listed_tests, row_of_test
from semantest_recorder.store.run_list import Place


def page_of_tests(
    database: Path, text: str | None = None, suite: str | None = None, cursor: str | None = None, limit: int = 100
) -> TestPage:
    """At most ``limit`` tests behind ``cursor`` whose ids contain ``text``, whatever its case; of ``suite`` if named.

    Raises ``InvalidCursor`` and what ``connect_read_only`` raises.
    """
    question = ("tests", text, suite)
    after = place_of(cursor, *question)
    with snapshot(database) as connection:
        found = listed_tests(connection, text, suite, after, limit + 1)
    tests = [_name(row) for row in found[:limit]]
    shown = that_fit(tests)
    last = found[shown - 1] if shown < len(found) else None
    return TestPage(
        tests=tests[:shown], next=cursor_of(Place(last.id, last.key), *question) if last is not None else None
    )


def known_test(history: StoredHistory, test: str) -> KnownTest:
    """The test that ``test`` (id, name, or a part that only one has) means.

    Raises ``NoSuchTest``, ``SeveralTests`` and what ``Reader`` raises.
    """
    test_id = one_test(test, [], history.reader, history.identity.current)
    names = history.identity.ids_of(test_id)
    with snapshot(history.reader.path) as connection:
        row = row_of_test(connection, test_id)
    past = history.runs.history(names, None, 1)
    return KnownTest(
        test=_name(row or KnownTestRow(test_id, "", function_of(test_id), "", 0)),
        earlier_names=names[1:],
        last=past_result(past[0]) if past else None,
    )


def _name(row: KnownTestRow) -> TestName:
    return TestName(row.id, row.suite, row.function, row.params or None)
