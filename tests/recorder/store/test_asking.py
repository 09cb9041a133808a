"""Queries of users: they read, they end, and what is wrong with them is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.views import VIEWS
from semantest_recorder.store.asking import Asking, Interrupted, Row, SqlMistake, TookTooLong, Value
from semantest_recorder.store.sql_mistakes import explain
from tests.recorder.cli.recording import small_run

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT {} FROM t"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    small_run().store(folder)
    return folder / "semantest.db"


@pytest.fixture
def asking(path: Path) -> Iterator[Asking]:
    with closing(Asking(path)) as asking:
        yield asking


def rows(asking: Asking, sql: str, parameters: Mapping[str, Value] | None = None) -> list[Row]:
    return [row for portion in asking.ask(sql, parameters)[1] for row in portion]


def mistake(asking: Asking, sql: str, parameters: Mapping[str, Value] | None = None) -> str:
    with pytest.raises(SqlMistake) as raised:
        rows(asking, sql, parameters)
    return str(raised.value)


def test_what_was_recorded_is_asked_with_parameters(asking: Asking) -> None:
    columns, portions = asking.ask("SELECT test, state FROM v_results WHERE state = :s", {"s": "failed"})
    assert (columns, [*portions]) == (["test", "state"], [[("a.py::test_bad", "failed")]])
    assert rows(asking, "SELECT value FROM json_each('[7]')") == [(7,)]
    assert rows(asking, "SELECT count(*) FROM pragma_table_info('v_labels')") == [(3,)]
    assert rows(asking, "PRAGMA Table_Info(v_labels)")
    assert rows(asking, "EXPLAIN QUERY PLAN SELECT * FROM v_tests")
    assert rows(asking, "SELECT CAST(x'ff41' AS TEXT)") == [("\ufffdA",)]


def test_rows_with_large_texts_are_few_in_a_portion(asking: Asking) -> None:
    """Whatever a database holds, asking it takes no more memory than a portion of some megabytes."""
    for value in ("zeroblob(1000000)", "printf('%.*c', 1000000, 'x')"):
        sql = f"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 600) SELECT {value} FROM t"
        assert {len(portion) for portion in asking.ask(sql)[1]} == {9, 6}
    sql = sql.replace(value, "n")
    assert [len(portion) for portion in asking.ask(sql)[1]] == [500, 100]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DELETE FROM runs", "DELETE"),
        ("INSERT INTO meta VALUES ('a', 'b')", "INSERT"),
        ("UPDATE runs SET state = 'passed'", "UPDATE"),
        ("WITH x AS (SELECT 1) UPDATE runs SET state = 'passed' RETURNING id", "UPDATE"),
        ("DROP VIEW v_runs", ""),
        ("CREATE TEMP TABLE mine (a)", ""),
        ("ATTACH ':memory:' AS other", "ATTACH"),
        ("VACUUM INTO '{}'", ""),
        ("PRAGMA journal_mode = DELETE", "PRAGMA journal_mode"),
        ("PRAGMA query_only = 0", "PRAGMA query_only"),
        ("PRAGMA user_version = 9", "PRAGMA user_version"),
        ("SELECT * FROM pragma_journal_mode", ""),
        ("BEGIN EXCLUSIVE", "BEGIN"),
        ("REINDEX", "REINDEX"),
    ],
)
def test_nothing_can_be_changed(asking: Asking, path: Path, tmp_path: Path, sql: str, what: str) -> None:
    before = path.read_bytes()
    told = mistake(asking, sql.format(tmp_path / "copy.db"))
    assert told.startswith("this only reads what was recorded: ")
    assert what in told
    assert path.read_bytes() == before
    assert not (tmp_path / "copy.db").exists()


def test_no_code_is_loaded_and_no_memory_filled(asking: Asking) -> None:
    assert "load_extension" in mistake(asking, "SELECT load_extension('/tmp/x.so')")
    assert "larger than 64 MiB" in mistake(asking, "SELECT zeroblob(1000000000)")


def test_a_query_that_takes_too_long_ends(path: Path) -> None:
    seconds = iter(range(1_000_000))
    asking = Asking(path, 100, lambda: float(next(seconds)))
    with closing(asking), pytest.raises(TookTooLong, match="longer than 100 s"):
        rows(asking, ENDLESS.format("count(*)"))


def test_the_time_between_portions_does_not_count(path: Path) -> None:
    now = [0.0]
    with closing(Asking(path, 10, lambda: now[0])) as asking:
        _columns, portions = asking.ask(ENDLESS.format("n") + " LIMIT 100000")
        for portion in portions:
            assert portion
            now[0] += 1000


def test_a_query_is_interrupted_between_its_steps(path: Path) -> None:
    calls = iter(range(1_000_000))

    def clock() -> float:
        if next(calls) == 5:
            asked.interrupt()
        return 0.0

    asked = Asking(path, 100, clock)
    with closing(asked), pytest.raises(Interrupted):
        rows(asked, ENDLESS.format("count(*)"))


def test_a_query_is_interrupted_between_its_portions(asking: Asking) -> None:
    _columns, portions = asking.ask(ENDLESS.format("n"))
    assert next(portions)[0] == (1,)
    asking.interrupt()
    with pytest.raises(Interrupted):
        next(portions)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT stat FROM v_runs", "no such column: stat; did you mean state"),
        ("SELECT r.brnch FROM v_runs r", "no such column: r.brnch; did you mean r.branch"),
        ("SELECT * FROM v_flacky", "no such table: v_flacky; did you mean v_flaky"),
        ("SELECT * FROM nothing_like_it", "views: v_runs, v_labels"),
        ("SELECT cuont(*) FROM v_runs", "no such function: cuont; did you mean count"),
        ("SELECT test FROM v_tests, v_flaky", "say whose, such as v_tests.test"),
        ("SELECT 1; SELECT 2", "one query at a time"),
        ("SELECT :a, :b", "parameter :b, and a is given: give it with -p b=VALUE"),
        ("SELECT ?", "parameters have names here"),
        ("-- nothing", "asks for nothing"),
    ],
)
def test_a_mistake_is_told_with_what_is_near(asking: Asking, sql: str, told: str) -> None:
    assert told in mistake(asking, sql, {"a": 1})


@pytest.mark.parametrize(
    ("sql", "line", "marked"),
    [
        ("SELECT * FORM v_runs", "  SELECT * FORM v_runs", "FORM"),
        ("SELECT 'stat', stat FROM v_runs", "  SELECT 'stat', stat FROM v_runs", "stat FROM"[:4]),
        ("SELECT run,\n\tstat\nFROM v_runs", "  line 2:  stat", "stat"),
        ("SELECT run AS run WHERE\n1 AND run run", "  line 2: 1 AND run run", "run"),
        ("SELECT #", "  SELECT #", "#"),
        ("SELECT run FROM v_runs WHERE", "  SELECT run FROM v_runs WHERE", ""),
    ],
)
def test_the_place_of_a_mistake_is_marked(asking: Asking, sql: str, line: str, marked: str) -> None:
    _told, shown, mark = mistake(asking, sql).split("\n")
    assert shown == line
    start = mark.index("^")
    assert shown[start : start + len(mark.strip())] == marked
    assert start == line.rindex(marked) or "'stat'" in line


@settings(max_examples=40)
@given(sql=st.text(max_size=80), problem=st.text(max_size=40), known=st.booleans())
def test_any_text_is_explained(sql: str, problem: str, known: bool) -> None:
    """Whatever stands in the SQL, and whatever SQLite says of it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        if known:
            try:
                connection.execute(sql)
            except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
                problem = str(error)
        lines = explain(connection, sql, problem, []).split("\n")
        if len(lines) > 1 and lines[-1].strip(" ^") == "" and "^" in lines[-1]:
            assert lines[-1].index("^") <= len(lines[-2])


@pytest.mark.parametrize("view", VIEWS)
def test_each_column_of_a_view_is_near_to_itself_without_a_letter(asking: Asking, view: str) -> None:
    for column in VIEWS[view].columns:
        wrong = f"{column}_"
        assert column in mistake(asking, f"SELECT {wrong} FROM {view}").split("did you mean ")[1]
