"""``semantest trends`` over a history that the real writer made."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from semantest_recorder.reports.sparkline import ASCII, sparkline
from tests.recorder.cli.analysis.conftest import run_name
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import Recording


def test_points_of_runs(history: Path) -> None:
    said = semantest("trends", "--directory", history, "--json", "--branch", "main")
    assert said.code == 0
    points = said.json["points"]
    assert [point["name"] for point in points] == [run_name(number) for number in range(16)]
    assert [point["added"] for point in points] == [None, *[0] * 8, 1, *[0] * 6], "of the first nobody knows"
    flaky, broken = points[12], points[10]
    assert (flaky["counts"]["flaky"], flaky["flakyRate"], flaky["passRate"]) == (1, 1 / 16, 15 / 16)
    assert (broken["counts"]["failed"], broken["passRate"]) == (11, 5 / 16)


def test_what_is_new_is_so_for_all_runs_before_the_window(history: Path) -> None:
    points = semantest("trends", "--directory", history, "--json", "--branch", "main", "--runs", "8").json["points"]
    assert [point["added"] for point in points] == [0, 1, *[0] * 6]


def test_days_and_weeks(history: Path) -> None:
    said = semantest("trends", "--directory", history, "--by", "week", "--json")
    (week,) = said.json["points"]
    assert (week["name"], week["runs"], week["startAt"]) == ("2026-W47", 17, "2026-11-16T00:00:00.000Z")
    lines = semantest("trends", "--directory", history, "--by", "day").out.splitlines()
    assert lines[-1].split()[:3] == ["2026-11-18", "17", "248"]


def test_the_table_is_cut_and_the_lines_are_not(history: Path) -> None:
    out = semantest("trends", "--directory", history, "--limit", "1", "--branch", "main").out
    lines = out.splitlines()
    assert lines[2] == "pass rate   ████▇███▇▇▁▇▇▇▇▇  31.2 % to 100 %, last 93.8 %"
    assert lines[3] == "flaky rate  ▁▁▁█▁▁▁▁▁▁▁▁█▁▁▁  0 % to 6.7 %, last 0 %"
    assert [line for line in lines if line.startswith("2026")] == [lines[7]]
    assert lines[8] == "... and 15 earlier ones: --limit 0 shows all"
    assert "\x1b" not in out


def test_csv_has_what_json_has_and_no_formula(history: Path, tmp_path: Path) -> None:
    said = semantest("trends", "--directory", history, "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    points = semantest("trends", "--directory", history, "--json").json["points"]
    assert [(row["name"], int(row["total"])) for row in rows] == [
        (point["name"], point["counts"]["total"]) for point in points
    ]
    assert [row["added"] for row in rows][:2] == ["", "0"]
    recording = Recording(run_id="=1+1")
    recording.start()
    recording.test("a.py::test_ok")
    recording.end()
    recording.store(tmp_path / ".semantest")
    assert "\n'=1+1," in semantest("trends", "--directory", tmp_path / ".semantest", "--csv").out
    assert semantest("trends", "--directory", history, "--csv", "--json").code == 2


def test_sparklines() -> None:
    assert sparkline([0.0, None, 1.0]) == "▁ █"
    assert sparkline([0.0, 3.5, 7.0], ASCII) == "_=#"
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([]) == sparkline([None]) == ""
    assert len(sparkline([float(number) for number in range(1000)])) == 60
