"""``semantest report`` over databases that the real writer made."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from semantest_recorder.reports.json_schema import json_schema
from semantest_recorder.reports.report import Report
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import RUN, START, Recording, green_run, small_run
from tests.recorder.reports.schema_check import violations


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".semantest"


def test_a_run_that_failed_says_what_failed_and_how_to_rerun_it(folder: Path) -> None:
    small_run().store(folder)
    said = semantest("report", "--directory", folder)
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == f"Run {RUN}: failed"
    assert "  4 tests: 1 passed, 1 failed, 1 skipped, 1 flaky" in lines
    assert "FAILED a.py::test_bad  (5.0 ms)" in lines
    assert "  a.py:4: AssertionError" in lines
    assert "  | E   assert 1 == 2" in lines
    assert "printed by the test" not in said.out
    assert "  attempts: failed 5.0 ms, passed 5.0 ms" in lines
    assert lines[-1].endswith("pytest --semantest a.py::test_bad")
    assert lines[-1].strip().startswith("cd /home/dev/project && ")
    assert "\x1b" not in said.out
    assert said.err == ""


def test_output_is_shown_when_asked_for(folder: Path) -> None:
    small_run().store(folder)
    assert "    | printed by the test" in semantest("report", "--directory", folder, "--output").out


def test_failures_only_leaves_out_the_rest(folder: Path) -> None:
    small_run().store(folder)
    out = semantest("report", "--directory", folder, "--failures-only").out
    assert "FAILED a.py::test_bad" in out
    assert "FLAKY" not in out
    assert "Slowest" not in out


def test_a_green_run_exits_with_zero(folder: Path) -> None:
    green_run().store(folder)
    said = semantest("report", "--directory", folder)
    assert said.code == 0
    assert "Rerun" not in said.out


def test_a_run_that_still_runs_exits_with_four_and_adds_up(folder: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_one", "a.py::test_two", "a.py::test_three")
    recording.test("a.py::test_one")
    recording.begin("a.py::test_two")
    recording.store(folder)
    said = semantest("report", "--directory", folder, "--json")
    assert said.code == 4
    counts = said.json["counts"]
    assert (counts["running"], counts["pending"], counts["passed"]) == (1, 1, 1)
    assert counts.pop("total") == sum(counts.values()) == 3


def test_the_json_fits_its_schema_and_the_terminal_tells_the_same_counts(folder: Path) -> None:
    small_run().store(folder)
    said = semantest("report", "--directory", folder, "--json")
    schema = json_schema("report")
    assert violations(said.json, {"$ref": schema["$ref"]}, schema["$defs"]) == []
    report = msgspec.json.decode(said.out, type=Report)
    bad = next(test for test in report.tests if test.state == "failed")
    assert bad.error is not None
    assert bad.error.stack is not None
    assert bad.error.stack.startswith("def test()")
    assert bad.attempts_detail[0].output[0].text == "printed by the test\n"
    assert (report.counts.passed, report.counts.failed, report.counts.flaky, report.counts.skipped) == (1, 1, 1, 1)
    assert said.json["run"]["exitCode"] == 1


def test_a_lost_test_is_the_first_thing_said(folder: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_gone", "a.py::test_bad")
    recording.test("a.py::test_bad", "failed")
    recording.end(1)
    recording.store(folder)
    said = semantest("report", "--directory", folder)
    assert said.code == 1
    assert "!!! 1 test LOST !!!" in said.out
    assert said.out.index("LOST a.py::test_gone") < said.out.index("FAILED a.py::test_bad")


def test_a_crash_names_test_worker_phase_elapsed_and_last_output(folder: Path) -> None:
    recording = Recording()
    recording.start()
    recording.start("gw0")
    recording.plan("a.py::test_crash", "a.py::test_after")
    recording.begin("a.py::test_crash", "gw0")
    crash = {"runId": RUN, "worker": "gw0", "source": f"{RUN}.gw0", "reason": "process 7 died of signal 11"}
    more = {"testId": "a.py::test_crash", "attempt": 1, "phase": "call", "elapsed": 1234.0}
    recording.start("shipper")
    recording.add(
        "shipper", "worker/crash", crash | more | {"lastOutput": [{"stream": "stdout", "text": "last words"}]}
    )
    recording.end(1, stoppedEarly=True, stopReason="all workers died")
    recording.store(folder)
    out = semantest("report", "--directory", folder).out
    assert "CRASHED a.py::test_crash" in out
    assert "worker gw0, in call, after 1.23 s" in out
    assert "last words" in out
    assert out.count("process 7 died of signal 11") == 1
    assert out.count("all workers died") == 1
    assert "1 planned test in 1 suite did not run" in out


def test_a_section_is_cut_at_the_limit_and_says_so(folder: Path) -> None:
    recording = Recording()
    recording.start()
    names = [f"a.py::test_{number}" for number in range(8)]
    recording.plan(*names)
    for name in names:
        recording.test(name, "failed")
    recording.end(1)
    recording.store(folder)
    out = semantest("report", "--directory", folder, "--limit", "3").out
    assert out.count("FAILED ") == 3
    assert "... and 5 more (--limit 0 shows all)" in out
    assert f"semantest report {RUN} --directory {folder} --rerun > rerun.txt && " in out
    assert out.rstrip().endswith("/rerun.txt")
    assert semantest("report", "--directory", folder, "--limit", "0").out.count("FAILED ") == 8


def test_rerun_prints_the_arguments_for_pytest_and_nothing_else(folder: Path) -> None:
    small_run().store(folder)
    said = semantest("report", "--directory", folder, "--rerun")
    assert (said.code, said.out, said.err) == (0, "a.py::test_bad\n", "")
    green_run("20261121-094500-ffffff", start_ms=START + 900_000).store(folder)
    said = semantest("report", "--directory", folder, "--rerun")
    assert (said.code, said.out) == (3, ""), "pytest with an empty list would run all tests"
    assert said.err == "semantest: nothing to run again: no test was bad or missing\n"


def test_what_tests_say_cannot_reach_the_terminal(folder: Path) -> None:
    recording = Recording()
    recording.start(stopReason="x", name="\x1b]0;owned\x07run")
    evil = "a.py::test_x[\x1b[2J\u202e[bold]]"
    recording.plan(evil)
    error = {"message": "\x1b[31m[red]boom[/red]\x07", "stack": "E \x9b31mboom :smile: [/]", "type": "E\x1b[0m"}
    recording.test(evil, "failed", error=error)
    recording.end(1, stopReason="\x1b[5mblink")
    recording.store(folder)
    out = semantest("report", "--directory", folder, "--output").out
    assert not set(out) & set("\x1b\x9b\x07\u202e")
    assert "[red]boom[/red]" in out
    assert "boom :smile: [/]" in out
    assert "a.py::test_x[[bold]]" in out
    assert out.rstrip().endswith("pytest --semantest a.py::test_x"), "parameters that cannot be shown cannot be typed"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("nothing-like-it", 3, "semantest runs"),
        ("20261121-093000-a1b2c4", 3, f"did you mean {RUN}"),
        ("20261121-09", 2, "give more of it"),
    ],
)
def test_a_run_that_cannot_be_found(folder: Path, name: str, code: int, words: str) -> None:
    small_run().store(folder)
    green_run("20261121-094500-ffffff", start_ms=START + 900_000).store(folder)
    said = semantest("report", name, "--directory", folder)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)
    assert words in said.err


def test_last_is_the_run_that_started_last_and_a_prefix_is_enough(folder: Path) -> None:
    green_run("20261121-094500-ffffff", start_ms=START + 900_000).store(folder)
    small_run().store(folder)
    assert semantest("report", "--directory", folder).out.startswith("Run 20261121-094500-ffffff: passed")
    assert semantest("report", "20261121-0930", "--directory", folder).out.startswith(f"Run {RUN}: failed")


def test_nothing_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = semantest("report")
    assert said.code == 3
    assert "pytest --semantest" in said.err
    assert len(said.err.splitlines()) == 1
    assert semantest("report", "--directory", tmp_path).code == 3


def test_a_url_for_pytest_does_not_keep_from_reading_what_is_here(folder: Path) -> None:
    small_run().store(folder)
    elsewhere = {"SEMANTEST_URL": "http://recorder.example:1"}
    for command, code in ((["report"], 1), (["runs"], 0), (["show", "test_bad"], 0), (["watch", RUN], 1)):
        said = semantest(*command, "--directory", folder, env=elsewhere)
        assert (said.code, said.err) == (code, "")
        assert semantest(*command, "--url", "http://recorder.example:1").code == 2, "what cannot be is not offered"


def test_where_nothing_is_found_it_is_said_that_runs_go_elsewhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = {"SEMANTEST_URL": "http://recorder.example:1"}
    for there in ("nothing", "a folder", "another run"):
        if there == "a folder":
            folder.mkdir()
        elif there == "another run":
            green_run("20261120-080000-dddddd").store(folder)
        said = semantest("report", "20261121", env=elsewhere)
        assert said.code == 3
        assert "runs go to the recorder at http://recorder.example:1" in said.err
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("semantest.toml", "url = 'http://me:correct-horse@recorder.example:1'", "url in semantest.toml"),
        (
            "pyproject.toml",
            "[tool.semantest]\nurl = 'http://me:correct-horse@recorder.example:1'",
            "url in pyproject.toml [tool.semantest]",
        ),
        ("pytest.ini", "[pytest]\nsemantest_url = http://me:correct-horse@recorder.example:1", "url in pytest.ini"),
    ],
)
def test_a_url_in_a_file_is_told_where_nothing_is_found(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).write_text(text)
    expected = f"{place} is set: runs go to the recorder at http://me:[REDACTED]@recorder.example:1, and are read where"
    assert expected in semantest("report").err
    folder.mkdir()
    assert expected in semantest("report").err
    monkeypatch.chdir("/")
    assert expected in semantest("report", "--directory", folder).err
    (tmp_path / file).unlink()
    assert semantest("report", "--directory", folder).err.endswith(
        " A run that was sent to a recorder elsewhere (--semantest-url) is read where that runs.\n"
    )


def test_the_folder_of_a_project_means_the_one_inside(tmp_path: Path) -> None:
    small_run().store(tmp_path / ".semantest")
    for command in (["report"], ["runs"], ["show", "test_bad"], ["doctor"]):
        said = semantest(*command, "--directory", tmp_path)
        assert (said.code, said.err) == (1 if command == ["report"] else 0, ""), said.out
    green_run("20261121-094500-ffffff").store(tmp_path)
    assert semantest("report", "--directory", tmp_path).out.startswith("Run 20261121-094500-ffffff")


def test_a_file_that_is_no_database_of_ours(folder: Path) -> None:
    folder.mkdir()
    (folder / "semantest.db").write_bytes(b"this is no database, whatever its name says" * 100)
    said = semantest("report", "--directory", folder)
    assert said.code == 1
    assert said.err.startswith("semantest: cannot open")
    assert len(said.err.splitlines()) == 1
