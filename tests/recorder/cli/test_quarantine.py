"""``semantest quarantine``: list, check, add and remove, on a recorded history."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import START, Recording

TODAY = datetime.now(UTC).date()
FACTS = {"entry": "a.py::test_bad", "reason": "the clock jumps", "owner": "ann", "expires": "2026-12-20"}
TESTS = ("a.py::test_ok", "a.py::test_bad", "b.py::test_many[1]", "b.py::test_many[2]")


def text(test: str, days: int = 10) -> str:
    return f'[[quarantine]]\ntest = "{test}"\nreason = "r"\nowner = "ann"\nexpires = {TODAY + timedelta(days)}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two whole runs, in which test_bad failed in quarantine, and one of a single file after them."""
    for number in range(2):
        recording = Recording(f"20261121-09300{number}-a1b2c3", start_ms=START + number * 60_000)
        recording.start()
        recording.plan(*TESTS)
        for test in TESTS:
            bad = test == TESTS[1]
            if bad:
                recording.begin(test, quarantine=FACTS)
            recording.test(test, "failed" if bad else "passed", forgiven=bad)
        recording.end(0)
        recording.store(tmp_path / ".semantest")
    part = Recording("20261121-093005-a1b2c3", start_ms=START + 300_000)
    part.start()
    part.plan(TESTS[0])
    part.test(TESTS[0])
    part.end(0)
    part.store(tmp_path / ".semantest")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quarantine(*arguments: str) -> Said:
    return semantest("quarantine", *arguments)


def test_a_run_whose_only_failures_are_in_quarantine_passed_and_says_so_everywhere(folder: Path) -> None:
    run = "20261121-093001-a1b2c3"
    said = semantest("report", run)
    assert said.code == 0
    assert f"Run {run}: passed, 1 test failed in quarantine" in said.out
    assert "4 tests: 3 passed, 1 failed (1 in quarantine)" in said.out
    assert "Failed in quarantine, which does not count (1)" in said.out
    assert "the clock jumps (ann, until 2026-12-20)" in said.out
    assert "Rerun" not in said.out
    assert semantest("report", run, "--rerun").code == 3
    report = semantest("report", run, "--json").json
    assert report["run"]["quarantined"] == 1
    assert report["tests"][1]["quarantine"] == FACTS | {"issue": None, "forgiven": True}
    assert "passed, 1 test failed in quarantine" in semantest("runs").out
    assert [one["quarantined"] for one in semantest("runs", "--json").json["runs"]] == [0, 1, 1]


def test_a_test_that_quarantine_does_not_cover_says_so(folder: Path) -> None:
    recording = Recording("20261121-093009-a1b2c3", start_ms=START + 900_000)
    recording.start()
    recording.begin("a.py::test_shared", quarantine=FACTS)
    recording.test("a.py::test_shared", "error")
    recording.begin("a.py::test_dies", quarantine=FACTS)
    recording.add("main", "worker/crash", {"runId": recording.run_id, "worker": "main", "testId": "a.py::test_dies"})
    recording.store(folder / ".semantest")
    said = semantest("report", "20261121-093009", "--sync-timeout", "0")
    assert (said.code, said.out.count("which does not cover")) == (1, 2)
    assert "cover what ends a process" in said.out
    assert "cover what is not its own" in said.out


def test_a_recorded_pytest_passes_and_so_does_its_run_rebuilt_too(project: Project) -> None:
    project.write("semantest-quarantine.toml", text("test_a.py::test_bad"))
    project.write("test_a.py", "def test_ok(): pass\ndef test_bad(): assert 0\n")
    done = project.pytest("--semantest-quarantine")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 quarantined" in done.stdout
    before = project.semantest("report", "--json")
    project.stop_recorder()
    assert project.semantest("rebuild").returncode == 0
    after = project.semantest("report", "--json")
    assert (before.returncode, after.returncode) == (0, 0)
    assert before.stdout == after.stdout
    assert json.loads(after.stdout)["run"]["quarantined"] == 1


def test_files_for_others_tell_it_from_failures_that_count(folder: Path) -> None:
    def exported(name: str) -> str:
        assert semantest("export", "--format", name, "--run", "20261121-093001-a1b2c3", "-o", "out").code == 0
        return (folder / "out").read_text()

    junit = exported("junit")
    assert 'errors="0" failures="0" skipped="1"' in junit
    assert 'message="failed in quarantine (ann, until 2026-12-20): the clock jumps"' in junit
    ctrf = json.loads(exported("ctrf"))["results"]
    assert (ctrf["summary"]["failed"], ctrf["summary"]["other"]) == (0, 1)
    assert ctrf["tests"][1]["rawStatus"] == "failed"
    assert ctrf["tests"][1]["extra"]["quarantine"]["owner"] == "ann"
    assert "## Failed in quarantine, which does not count (1)" in exported("markdown")
    rows = list(csv.DictReader(exported("csv").splitlines()))
    assert [row["forgiven"] for row in rows] == ["", "1", "", ""]


def test_entries_are_listed_with_what_became_of_their_tests(folder: Path) -> None:
    (folder / "semantest-quarantine.toml").write_text(
        text("a.py::test_bad") + text("b.py::test_many", days=0) + text("gone.py") + text("a.py", days=-1)
    )
    said = quarantine("list")
    assert said.code == 0
    assert (
        f"a.py::test_bad  until {TODAY + timedelta(10)}, 10 days left\n  r (ann)\n  last 2 runs: 2 failed" in said.out
    )
    assert f"b.py::test_many  until {TODAY}, ends today\n  r (ann)\n  2 tests, last 2 runs: 4 passed" in said.out
    assert "no test falls under it" in said.out
    assert f"EXPIRED on {TODAY - timedelta(1)}" in said.out
    found = quarantine("list", "--json").json
    assert found["schema"] == 1
    assert found["run"] == "20261121-093001-a1b2c3"
    assert [one["status"] for one in found["entries"]] == ["holds", "holds", "unmatched", "expired"]


def test_a_check_fails_for_what_is_wrong_and_only_tells_what_ends_soon(folder: Path) -> None:
    file = folder / "semantest-quarantine.toml"
    file.write_text(text("a.py::test_bad", days=3))
    said = quarantine("check")
    assert (said.code, said.err.count("\n")) == (0, 1)
    assert f"a.py::test_bad ends on {TODAY + timedelta(3)} (ann)" in said.err
    assert quarantine("check", "--warn", "2").err == ""
    file.write_text(
        text("a.py", -1) + text("gone.py") + text("b.py", 91) + text("b.py::test_many").replace("reason", "x")
    )
    said = quarantine("check")
    assert said.code == 1
    for told in (
        ":1: entry 1: a.py expired on",
        ":6: entry 2: no test of run 20261121-093001-a1b2c3 falls under gone.py",
        ":11: entry 3: expires is",
        ":16: entry 4: 'x' is no key",
        "5 problems in",
    ):
        assert told in said.err
    found = quarantine("check", "--json")
    assert (found.code, found.json["ok"], len(found.json["problems"])) == (1, False, 5)
    (folder / "semantest.toml").write_text("quarantine-days = 100\n")
    assert len(quarantine("check", "--json").json["problems"]) == 4
    assert quarantine("list").code == 2


def test_an_entry_of_a_renamed_test_is_told_its_present_name(folder: Path) -> None:
    before = Recording("20261121-092900-a1b2c3", start_ms=START - 60_000)
    before.start()
    before.plan("a.py::test_old")
    before.test("a.py::test_old")
    before.end(0)
    before.store(folder / ".semantest")
    assert semantest("alias", "add", "a.py::test_old", TESTS[1]).code == 0
    (folder / "semantest-quarantine.toml").write_text(text("a.py::test_old"))
    said = quarantine("check")
    assert said.code == 1
    assert "falls under a.py::test_old: write a.py::test_bad, which it is called now" in said.err


def test_without_a_file_or_a_history_it_is_told_what_is_not_known(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = quarantine("check")
    assert said.code == 3
    assert f"there is no {folder / 'semantest-quarantine.toml'}: `semantest quarantine add`" in said.err
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.chdir(empty)
    (empty / "other.toml").write_text(text("a.py"))
    said = quarantine("check", "--file", "other.toml")
    assert said.code == 0
    assert "no run of the whole suite is recorded" in said.err
    assert "no run of the whole suite is recorded" in quarantine("list", "--file", "other.toml").out


@pytest.fixture
def umask() -> Iterator[None]:
    """A user whose new files are nobody else's: files that are there keep their rights."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def add(test: str, *more: str) -> Said:
    return quarantine("add", test, "--reason", 'it is "slow"', "--owner", "ann", "--expires", "14d", *more)


def test_an_entry_is_added_and_removed_and_the_rest_stays(folder: Path, umask: None) -> None:
    file = folder / "semantest-quarantine.toml"
    assert add("test_bad").code == 0
    assert f"expires = {TODAY + timedelta(14)}\nadded = {TODAY}\n" in file.read_text()
    file.chmod(0o640)
    file.write_text("# ours\n\n" + file.read_text())
    assert "b.py::test_many is in quarantine until" in add("test_many").err
    found = quarantine("list", "--json").json["entries"]
    assert [one["test"] for one in found] == ["a.py::test_bad", "b.py::test_many"]
    assert quarantine("remove", "a.py::test_bad").code == 0
    left = '# ours\n\n[[quarantine]]\ntest = "b.py::test_many"\nreason = "it is \\"slow\\""\n'
    assert file.read_text().startswith(left)
    assert file.stat().st_mode & 0o777 == 0o640
    said = quarantine("remove", "b.py::test_man")
    assert (said.code, "did you mean b.py::test_many?" in said.err) == (3, True)


def test_no_name_of_an_entry_is_a_command_of_a_runner(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = add("c.py::##[error]no", "--unseen")
    assert (said.code, "##[" in said.err) == (0, False)
    said = quarantine("remove", "c.py::##[error]no")
    assert (said.code, "##[" in said.err) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("test_bda",), 3, "did you mean a.py::test_bad? (--unseen adds it all the same)"),
        (("a.py::test_bad", "--expires", "91d"), 2, "more than 90 days ahead"),
        (("a.py::test_bad", "--expires", "2020-01-01"), 2, "2020-01-01 is over"),
        (("a.py::test_bad", "--expires", "soon"), 2, "is no day such as 2026-12-20 or 14d"),
        (("*", "--unseen"), 2, "every test; name files or functions"),
    ],
)
def test_an_entry_that_would_be_wrong_is_not_added(
    arguments: tuple[str, ...], code: int, told: str, folder: Path
) -> None:
    said = add(*arguments)
    assert said.code == code
    assert told in said.err
    assert not (folder / "semantest-quarantine.toml").exists()


def flaky_history(folder: Path) -> None:
    """Five runs: test_shaky flaked in two of them, test_broken did and then failed three times, test_once in one."""
    for number, (shaky, broken, once) in enumerate(
        [(True, True, True), (False, True, False), (True, False, False), (False, False, False), (False, False, False)]
    ):
        recording = Recording(f"20261120-09300{number}-a1b2c3", start_ms=START - 86_400_000 + number * 60_000)
        recording.start()
        recording.plan("f.py::test_shaky", "f.py::test_broken", "f.py::test_once")
        for test, flakes, fails in (
            ("f.py::test_shaky", shaky, False),
            ("f.py::test_broken", broken, number > 1),
            ("f.py::test_once", once, False),
        ):
            if flakes:
                recording.test(test, "failed", willRetry=True)
            recording.test(test, "failed" if fails else "passed", attempt=1 + flakes)
        recording.end(0)
        recording.store(folder / ".semantest")


def test_flaky_tests_are_suggested_and_broken_ones_are_not(folder: Path) -> None:
    flaky_history(folder)
    file = folder / "semantest-quarantine.toml"
    said = quarantine("suggest")
    assert said.code == 0
    assert said.out == (
        '[[quarantine]]\ntest = "f.py::test_shaky"\nreason = "flaky in 2 of its last 5 runs"\n'
        f'owner = ""\nexpires = {TODAY + timedelta(14)}\nadded = {TODAY}\n'
    )
    found = quarantine("suggest", "--min-flaky", "1", "--expires", "30d", "--owner", "ann", "--json").json
    assert [(one["test"], one["flakyRuns"], one["runs"], one["expires"]) for one in found["suggestions"]] == [
        ("f.py::test_shaky", 2, 5, (TODAY + timedelta(30)).isoformat()),
        ("f.py::test_once", 1, 5, (TODAY + timedelta(30)).isoformat()),
    ]
    assert quarantine("suggest", "--expires", "91d").code == 2
    file.write_text("# ours\n")
    assert "--owner NAME" in quarantine("suggest", "--write").err
    assert "give --yes" in quarantine("suggest", "--write", "--owner", "ann").err
    assert file.read_text() == "# ours\n"
    assert quarantine("suggest", "--write", "--owner", "ann", "--yes").code == 0
    assert file.read_text().startswith('# ours\n\n[[quarantine]]\ntest = "f.py::test_shaky"\n')
    assert "No test was flaky often enough" in quarantine("suggest").err
