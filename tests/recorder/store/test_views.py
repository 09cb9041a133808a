"""The public views against what is told of them, and against the rows that they are made of."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from semantest_recorder.core.views import VIEWS, kind_of
from semantest_recorder.store.aliases import say_alias
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.read_only import connect_read_only
from tests.histories.database import build
from tests.histories.suite import Suite
from tests.recorder.cli.recording import START, Recording

RUNS, TESTS = 34, 120
TOLD = "20261121-093000-a1b2c3"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite through some runs (one with a crashed worker), and a test that told of itself in the last one."""
    folder = tmp_path_factory.mktemp("history")
    build(folder / "semantest.db", Suite(RUNS, TESTS, seed=2))
    last = Recording(TOLD)
    last.start()
    last.begin("a.py::test_tells", markers=["slow"])
    step = {"testId": "a.py::test_tells", "attempt": 1, "stepId": "1", "name": "log in"}
    last.add("main", "test/step/start", step)
    last.add("main", "test/step/end", step | {"status": "passed", "duration": 12.5})
    file = {"testId": "a.py::test_tells", "attempt": 1, "name": "page.png", "mediaType": "image/png"}
    last.add("main", "test/attachment", file | {"kind": "screenshot", "omitted": "too large"})
    last.add("main", "test/end", {"testId": "a.py::test_tells", "attempt": 1, "outcome": "passed", "duration": 20.0})
    last.test("a.py::test_bad", "failed")
    last.end(1)
    last.store(folder)
    connection, _notices = open_for_writing(folder / "semantest.db", lambda: START)
    with closing(connection):
        say_alias(Ingest(connection), "a.py::test_said", "a.py::test_tells", "added", START)
    return folder / "semantest.db"


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_read_only(database)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def test_every_view_and_column_is_told_and_in_this_order(connection: sqlite3.Connection) -> None:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY rowid")]
    found = {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}
    assert found == {name: list(view.columns) for name, view in VIEWS.items()}
    assert list(found) == list(VIEWS)
    for view in VIEWS.values():
        assert view.examples
        assert all([view.text, *view.columns.values()])


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_has_rows_and_every_example_finds_some(connection: sqlite3.Connection, name: str) -> None:
    assert connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    for what, sql in VIEWS[name].examples.items():
        assert connection.execute(sql).fetchall(), what


def test_the_page_shows_every_example_as_it_is_run() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "sql.md").read_text()
    shown = re.findall(r"```sql\n(.*?)\n```", page, re.DOTALL)
    assert shown == [sql for view in VIEWS.values() for sql in view.examples.values()]


def test_values_are_of_the_kind_that_is_told(connection: sqlite3.Connection) -> None:
    for name, view in VIEWS.items():
        for column in view.columns:
            found = {row[0] for row in connection.execute(f'SELECT DISTINCT typeof("{column}") FROM {name}')}
            kind = kind_of(column).lower()
            assert found <= {"null", kind, *(["integer"] if kind == "real" else [])}, (name, column)


def by_test(connection: sqlite3.Connection) -> dict[str, list[sqlite3.Row]]:
    """Every result of each test, the first run first."""
    found: dict[str, list[sqlite3.Row]] = {}
    query = "SELECT v_results.*, since_ms FROM v_results JOIN v_runs USING (run) ORDER BY since_ms"
    for row in connection.execute(query):
        found.setdefault(row["test"], []).append(row)
    return found


def number(rows: list[sqlite3.Row], *states: str) -> int:
    return sum(row["state"] in states for row in rows)


def test_the_history_of_tests_is_that_of_their_results(connection: sqlite3.Connection) -> None:
    seen = {row["test"]: dict(row) for row in connection.execute("SELECT * FROM v_tests")}
    for test, rows in by_test(connection).items():
        found = seen.pop(test)
        assert (found["runs"], found["first_run"], found["last_run"]) == (len(rows), rows[0]["run"], rows[-1]["run"])
        assert (found["first_ms"], found["last_ms"]) == (rows[0]["since_ms"], rows[-1]["since_ms"])
        assert found["last_state"] == rows[-1]["state"]
        assert found["passed"] == number(rows, "passed")
        assert found["failed"] == number(rows, "failed", "error", "crashed", "timeout")
        assert (found["flaky"], found["skipped"]) == (number(rows, "flaky"), number(rows, "skipped"))
    assert seen == {}


def test_flaky_tests_and_durations_are_those_of_the_results(connection: sqlite3.Connection) -> None:
    flaky = {row["test"]: dict(row) for row in connection.execute("SELECT * FROM v_flaky")}
    durations = {row["test"]: dict(row) for row in connection.execute("SELECT * FROM v_durations")}
    for test, rows in by_test(connection).items():
        ran = [row for row in rows if row["started_ms"] is not None]
        shaky = [row for row in ran if row["state"] == "flaky"]
        if shaky:
            found = flaky.pop(test)
            assert (found["runs"], found["flaky_runs"]) == (len(ran), len(shaky))
            assert found["rate"] == len(shaky) / len(ran)
            assert found["last_ms"] == max(row["started_ms"] for row in ran)
            assert found["last_flaky_ms"] == shaky[-1]["started_ms"]
        passed = [row["duration_ms"] for row in rows if row["state"] == "passed"]
        if passed:
            found = durations.pop(test)
            assert (found["runs"], found["min_ms"], found["max_ms"]) == (len(passed), min(passed), max(passed))
            assert (found["mean_ms"], found["total_ms"]) == pytest.approx((mean(passed), sum(passed)))
    assert (flaky, durations) == ({}, {})


def test_errors_say_what_became_of_the_test(connection: sqlite3.Connection) -> None:
    bad = "('failed', 'error', 'crashed', 'timeout', 'interrupted', 'lost')"
    query = f"SELECT run, test, attempt FROM v_attempts WHERE outcome IN {bad} ORDER BY 1, 2, 3"
    errors = connection.execute("SELECT run, test, attempt FROM v_errors ORDER BY 1, 2, 3").fetchall()
    assert [*map(tuple, errors)] == [*map(tuple, connection.execute(query))]
    states = {row[0] for row in connection.execute("SELECT final_state FROM v_errors")}
    assert {"flaky", "failed", "crashed"} <= states


def test_what_a_test_told_stands_in_columns(connection: sqlite3.Connection) -> None:
    step = connection.execute("SELECT run, name, status, duration_ms FROM v_steps").fetchone()
    assert tuple(step) == (TOLD, "log in", "passed", 12.5)
    file = connection.execute("SELECT name, kind, bytes, omitted FROM v_attachments WHERE run = ?", [TOLD]).fetchone()
    assert tuple(file) == ("page.png", "screenshot", None, "too large")


@pytest.mark.parametrize("view", ["v_steps", "v_attachments", "v_events"])
def test_a_payload_that_is_no_json_hides_nothing_else(database: Path, tmp_path: Path, view: str) -> None:
    copy = tmp_path / "semantest.db"
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        broken = "UPDATE events SET payload = '{' WHERE type IN ('test/step/end', 'test/attachment') RETURNING seq"
        assert target.execute(broken).fetchall()
        rows: list[Any] = target.execute(f"SELECT * FROM {view}").fetchall()
        assert bool(rows) is (view == "v_events")


@pytest.mark.parametrize(
    ("git", "ci", "expected"),
    [
        ({"branch": "main", "commit": "a1"}, {"branch": "merge-7", "commit": "b2"}, ("main", "a1")),
        ({"commit": "a1"}, {"branch": "feature", "commit": "b2"}, ("feature", "a1")),
        ({}, {"branch": "feature", "commit": "b2"}, ("feature", "b2")),
        ({"branch": "", "commit": ""}, {"branch": "feature", "commit": "b2"}, ("feature", "b2")),
        ({"branch": 7}, {}, ("7", None)),
        ({}, {}, (None, None)),
    ],
)
def test_a_run_is_where_git_says_or_else_ci(
    tmp_path: Path, git: dict[str, Any], ci: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    run = Recording(TOLD)
    run.start()
    run.add("main", "run/context", {"runId": TOLD, "git": git, "ci": ci})
    run.end(0)
    run.store(tmp_path)
    with closing(connect_read_only(tmp_path / "semantest.db")) as connection:
        assert connection.execute('SELECT branch, "commit" FROM v_runs').fetchall() == [expected]
