"""``semantest sql`` over a database that the real writer made."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
from pathlib import Path

import pytest

from semantest_recorder.core.views import VIEWS
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, Recording, small_run

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / ".semantest"
    small_run().store(folder)
    return folder


def asked(folder: Path, *arguments: str) -> Said:
    return semantest("sql", *arguments, "--directory", folder)


def test_each_form_gives_the_same_rows(folder: Path) -> None:
    query = "SELECT test, state FROM v_results ORDER BY test"
    rows = asked(folder, query, "--json").json["rows"]
    assert [row["test"] for row in rows] == [
        "a.py::test_bad",
        "a.py::test_ok",
        "b.py::test_flaky",
        "b.py::test_skip[1-x]",
    ]
    assert [json.loads(line) for line in asked(folder, query, "--jsonl").out.splitlines()] == rows
    assert [*csv.DictReader(io.StringIO(asked(folder, query, "--csv").out))] == rows
    lines = asked(folder, query).out.splitlines()
    assert [line.split() for line in lines] == [["test", "state"], *([row["test"], row["state"]] for row in rows)]


def test_the_name_of_a_view_asks_for_all_of_it(folder: Path) -> None:
    (row,) = asked(folder, "v_runs", "--json").json["rows"]
    assert (list(row), row["run"]) == (list(VIEWS["v_runs"].columns), RUN)


def test_queries_come_from_files_and_take_parameters(folder: Path, tmp_path: Path) -> None:
    query = tmp_path / "query.sql"
    query.write_text("SELECT count(*) AS n FROM v_results\nWHERE state = :state AND attempts >= :least")
    said = asked(folder, "-f", str(query), "-p", "state=flaky", "-p", ":least=2", "--json")
    assert said.json["rows"] == [{"n": 1}]
    missing = asked(folder, "-f", str(query), "-p", "state=flaky")
    assert missing.code == 2
    assert "-p least=VALUE" in missing.err


@pytest.mark.parametrize(
    ("value", "kind"),
    [("7", "integer"), ("-7", "integer"), ("0.5", "real"), ("007", "text"), ("1e3", "text"), ("", "text")],
)
def test_a_parameter_that_looks_like_a_number_is_one(folder: Path, value: str, kind: str) -> None:
    (row,) = asked(folder, "SELECT typeof(:p) AS kind, :p AS value", "-p", f"p={value}", "--json").json["rows"]
    assert (row["kind"], str(row["value"])) == (kind, value)


def test_a_table_says_when_there_are_more_rows(folder: Path) -> None:
    said = asked(folder, "v_results", "--limit", "2")
    assert (said.code, len(said.out.splitlines())) == (0, 3)
    assert said.err == "semantest: there are more than 2 rows: --limit 0 shows all, and so do --csv and --jsonl\n"
    assert asked(folder, "v_results", "--limit", "4").err == ""
    assert asked(folder, "v_results", "--limit", "9" * 20).code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["SELECT stat FROM v_runs"], 2, "semantest: no such column: stat; did you mean state"),
        (["DELETE FROM runs"], 2, "semantest: this only reads what was recorded: DELETE is refused\n"),
        (["SELECT 1", "-f", "-"], 2, "semantest: the query is given twice"),
        ([" "], 2, "semantest: no query: give one"),
        ([], 2, "semantest: no query: give one"),
        (["SELECT 1", "-p", "=3"], 2, "'=3' is no parameter"),
        (["SELECT 1", "-f", "nowhere.sql"], 2, "nowhere.sql"),
        ([ENDLESS.replace("SELECT n FROM", "SELECT count(*) FROM"), "--timeout", "0.01"], 1, "took longer than 0.01 s"),
        (["--schema", "v_flacky"], 2, "there is no view 'v_flacky': did you mean v_flaky"),
        (["--schema", "?"], 2, "there are v_runs, v_labels"),
    ],
)
def test_what_cannot_be_answered_is_told(folder: Path, arguments: list[str], code: int, told: str) -> None:
    said = asked(folder, *arguments)
    assert (said.code, said.out) == (code, "")
    assert told in said.err


def test_a_file_that_is_no_text_is_told_and_a_mark_of_utf8_is_none_of_the_query(folder: Path, tmp_path: Path) -> None:
    query = tmp_path / "query.sql"
    query.write_bytes(b"SELECT '\xff'")
    said = asked(folder, "-f", str(query))
    assert (said.code, said.err) == (2, "semantest: the query is no text: a file of SQL in UTF-8 is wanted\n")
    query.write_text("SELECT 7 AS n", "utf-8-sig")
    assert asked(folder, "-f", str(query), "--jsonl").out == '{"n":7}\n'


def test_without_anything_recorded_it_says_so(tmp_path: Path) -> None:
    (tmp_path / ".semantest").mkdir()
    assert asked(tmp_path / ".semantest", "v_runs").code == 3


def test_the_schema_is_told_as_text_and_as_json(tmp_path: Path) -> None:
    """It needs nothing that was recorded."""
    text = semantest("sql", "--schema").out
    document = semantest("sql", "--schema", "--json").json
    assert (document["schema"], document["viewsVersion"]) == (1, 1)
    assert {view["name"]: [column["name"] for column in view["columns"]] for view in document["views"]} == {
        name: list(view.columns) for name, view in VIEWS.items()
    }
    for name, view in VIEWS.items():
        assert re.search(rf"^{name}  ", text, re.MULTILINE)
        assert all(re.search(rf"^  {column}  +\S", text, re.MULTILINE) for column in view.columns)
    only = semantest("sql", "--schema", "v_flaky").out
    assert [line.split()[0] for line in only.splitlines()] == ["v_flaky", *VIEWS["v_flaky"].columns]


def test_names_of_tests_are_text_and_nothing_else(tmp_path: Path) -> None:
    hostile = "a.py::test_x[=1+1\x1b[31m\u202e]"
    recording = Recording()
    recording.start()
    recording.plan(hostile)
    recording.test(hostile)
    recording.end()
    recording.store(tmp_path)
    for form in ([], ["--json"], ["--jsonl"]):
        said = asked(tmp_path, "SELECT test FROM v_tests", *form)
        assert said.code == 0
        assert not re.search("[\x1b\u202e]", said.out)
    assert asked(tmp_path, "SELECT params AS p FROM v_tests", "--csv").out.splitlines()[1].startswith("'=1+1")


def test_ctrl_c_ends_a_query_whose_rows_are_printed(project: Project) -> None:
    small_run().store(project.folder)
    process = project.popen("sql", ENDLESS, "--jsonl", "--timeout", "0")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"n": 1}
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "semantest: interrupted\n")


def test_views_and_columns_are_completed(project: Project) -> None:
    def completed(line: str) -> list[str]:
        said = project.semantest(_SEMANTEST_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD="2")
        return [offer.partition(",")[2] for offer in said.stdout.splitlines()]

    assert completed("semantest sql v_re") == ["v_results"]
    assert completed("semantest sql 'SELECT * FROM v_flaky WHERE last_f") == [
        "SELECT * FROM v_flaky WHERE last_flaky_ms"
    ]
