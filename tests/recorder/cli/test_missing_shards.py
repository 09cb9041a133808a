"""A run that passed without some of its shards: nowhere plainly green, and nowhere a failure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import RUN, Recording

TESTS = ("a.py::test_a", "a.py::test_b", "b.py::test_c")
SO_FAR = "passed so far: 2 of 3 shards"


def shard(number: int, outcome: str = "passed") -> Recording:
    recording = Recording(f"{RUN}-{number}", run_id=RUN, start_ms=1_795_253_400_000.0 + number * 1000)
    recording.start()
    place = {"index": number, "of": 3}
    told = {"collected": len(TESTS), "leftOut": {"shard": 2}, "shard": place, "checksum": "c"}
    recording.add("main", "run/selection", told)
    recording.plan(TESTS[number - 1])
    recording.test(TESTS[number - 1], outcome)
    recording.end(0 if outcome == "passed" else 1)
    return recording


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history whose one run has shards 1 and 2 of 3."""
    found = tmp_path_factory.mktemp("shards")
    for number in (1, 2):
        shard(number).store(found)
    return found


def said(folder: Path, *arguments: str) -> Said:
    return semantest(*arguments, "--directory", folder)


def exported(folder: Path, form: str) -> str:
    found = said(folder, "export", "--format", form, "-o", "-")
    assert found.code == 0, found.err
    return found.out


def test_a_report_says_so_and_its_exit_code_is_that_of_a_run_that_is_not_over(folder: Path) -> None:
    found = said(folder, "report")
    assert found.out.startswith(f"Run {RUN}: {SO_FAR}\n  of 3 shards 2 came; missing: 3\n")
    assert found.code == 4
    run = said(folder, "report", "--json").json["run"]
    assert (run["state"], run["shardCount"], run["shardsMissing"]) == ("passed", 3, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("runs",), SO_FAR),
        (("diff", RUN, RUN), SO_FAR),
        (("show", "a.py::test_a"), f"({SO_FAR})"),
        (("trends",), "2 (1 shard missing)"),
        (("trends", "--csv"), ",,1\n"),
        (("badge", "--format", "shields"), f'"message": "{SO_FAR}",\n  "color": "blue"'),
        (("badge", "--kind", "pass-rate", "--format", "shields"), '"message": "100 % so far",\n  "color": "blue"'),
        (("badge", "--kind", "flaky", "--format", "shields"), '"message": "none so far",\n  "color": "blue"'),
        (("sql", "SELECT shard_count, shards_missing FROM v_runs", "--csv"), "3,1"),
        (("export", "--format", "markdown", "-o", "-"), f"# ⏳ Run `{RUN}`: {SO_FAR}\n"),
        (("export", "--format", "html", "-o", "-"), f"<title>{RUN}: {SO_FAR}</title>"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else "",
)
def test_it_is_said_wherever_a_run_is_shown(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in said(folder, *arguments).out


def test_a_terminal_with_little_room_says_it_too(folder: Path) -> None:
    (run,) = said(folder, "runs", "--json").json["runs"]
    assert (run["shardCount"], run["shardsMissing"]) == (3, 1)
    out = semantest("runs", "--directory", folder, env={"COLUMNS": "60"}).out
    assert "passed so far" in out


def junit(text: str) -> list[str]:
    suite = ET.fromstring(text)[0]
    assert (suite.get("tests"), suite.get("skipped"), suite.get("failures"), suite.get("errors")) == (
        "3",
        "1",
        "0",
        "0",
    )
    return [element.get("message", "") for element in suite.iter("skipped")]


def ctrf(text: str) -> list[str]:
    results = json.loads(text)["results"]
    assert (results["summary"]["tests"], results["summary"]["pending"], results["summary"]["failed"]) == (3, 1, 0)
    return [test["message"] for test in results["tests"] if test["status"] == "pending"]


def json_report(text: str) -> list[str]:
    report = json.loads(text)
    assert report["exitcode"] == 0
    return [warning["message"] for warning in report["warnings"]]


def reportlog(text: str) -> list[str]:
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[-1]["exitstatus"] == 0
    return [line["message"] for line in lines if line["$report_type"] == "WarningMessage"]


@pytest.mark.parametrize(
    ("form", "notes"),
    [
        ("junit", junit),
        ("junit-xunit1", junit),
        ("ctrf", ctrf),
        ("pytest-json-report", json_report),
        ("reportlog", reportlog),
    ],
)
def test_formats_of_tests_have_a_note_that_fails_nothing(
    folder: Path, form: str, notes: Callable[[str], list[str]]
) -> None:
    assert notes(exported(folder, form)) == [f"{SO_FAR}; missing: 3"]


def test_rows_of_csv_have_how_many_shards_are_missing(folder: Path) -> None:
    for row in csv.DictReader(io.StringIO(exported(folder, "csv"))):
        assert (row["run_state"], row["run_shards"], row["run_shards_missing"]) == ("passed", "3", "1")


def test_a_gate_refuses_it_unless_it_is_told_not_to(folder: Path) -> None:
    found = said(folder, "gate")
    assert "failed  complete: no  of 3 shards 2 came; missing: 3" in found.out
    assert found.code == 1
    assert said(folder, "gate", "--no-complete").code == 0


def test_steps_of_ci_show_it(folder: Path, tmp_path: Path) -> None:
    found = said(folder, "ci", "github", "--summary-file", str(tmp_path / "s.md"), "--exit-code")
    assert found.code == 4
    assert SO_FAR in (tmp_path / "s.md").read_text()
    assert said(folder, "ci", "gitlab", "-o", str(tmp_path), "--exit-code").code == 4
    assert "\nsemantest_shards_missing 1\n" in (tmp_path / "metrics.txt").read_text()


def test_a_watch_ends_with_it(folder: Path) -> None:
    found = said(folder, "watch", RUN)
    assert found.out.splitlines()[-1].startswith(f"{RUN}: {SO_FAR} in ")
    assert found.code == 4


def test_a_shard_alone_is_not_green_with_its_reruns_either(tmp_path: Path) -> None:
    shard(1).store(tmp_path)
    assert said(tmp_path, "report", "--chain").code == 4


@pytest.mark.parametrize(("third", "state", "code"), [("passed", "passed", 0), ("failed", "failed", 1)])
def test_the_last_shard_settles_it(tmp_path: Path, third: str, state: str, code: int) -> None:
    for number in (1, 2, 3):
        shard(number, third if number == 3 else "passed").store(tmp_path)
    found = said(tmp_path, "report")
    assert found.out.startswith(f"Run {RUN}: {state}\n")
    assert "missing" not in found.out
    assert found.code == code


def test_a_failure_in_what_came_is_a_failure(tmp_path: Path) -> None:
    shard(1, "failed").store(tmp_path)
    found = said(tmp_path, "report")
    assert found.out.startswith(f"Run {RUN}: failed\n  of 3 shards 1 came; missing: 2, 3\n")
    assert found.code == 1
