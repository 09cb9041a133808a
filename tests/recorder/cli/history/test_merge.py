"""``semantest merge``: shards and jobs of CI become one run, and histories one history."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.core.jobs import SessionOrigin, job_names
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import START, Recording, green_run, small_run
from tests.recorder.reports.exporters.test_html import Page

TEST = "a.py::test_everywhere"


def job(
    folder: Path, name: str, *outcomes: str, run_id: str = "build-7", shard: dict[str, int] | None = None
) -> Recording:
    """The history of one job of CI: a test for each outcome, the first of which all jobs have."""
    number = hashlib.sha256(name.encode()).hexdigest()[:6]
    recording = Recording(f"20261121-093000-{number}", run_id=run_id, start_ms=START + int(number, 16) % 1000)
    recording.start(labels={"os": name, "team": "shop"}, host=f"runner-of-{name}")
    if shard is not None:
        recording.add("main", "run/selection", {"collected": len(outcomes), "shard": shard})
    tests = [TEST, *(f"a.py::test_{name}_{n}" for n in range(1, len(outcomes)))]
    recording.plan(*tests)
    for test_id, outcome in zip(tests, outcomes, strict=True):
        recording.test(test_id, outcome)
    recording.end(0 if set(outcomes) == {"passed"} else 1)
    recording.store(folder / ".semantest")
    return recording


def report(folder: Path, run: str = "build-7") -> Any:
    return semantest("report", run, "--json", "--directory", folder).json


def merge(folder: Path, *arguments: str | Path) -> Said:
    return semantest("merge", *arguments, "--directory", folder)


def dump(folder: Path) -> list[tuple[Any, ...]]:
    """All events of a database, in an order that does not depend on who came first."""
    with closing(sqlite3.connect(folder / "semantest.db")) as connection:
        query = "SELECT s.source, e.seq, e.type, e.payload FROM events e JOIN sources s USING (source_key)"
        return sorted(connection.execute(query).fetchall())


def test_jobs_that_shared_a_run_id_are_one_run_which_names_the_job(tmp_path: Path) -> None:
    outcomes = {"linux": ("passed", "passed"), "macos": ("passed",), "windows": ("failed",)}
    for name, told in outcomes.items():
        job(tmp_path / "jobs" / name, name, *told)
    folder, other = tmp_path / "all", tmp_path / "other"
    before = merge(folder, tmp_path / "jobs", "--dry-run", "--json")
    assert (before.json["dryRun"], len(before.json["sources"]), folder.exists()) == (True, 3, False)
    done = merge(folder, tmp_path / "jobs", "--json")
    assert done.code == 0, done.err
    assert done.json["sources"] == before.json["sources"]
    (run,) = done.json["runs"]
    assert (run["state"], run["sessions"], run["counts"]["failed"], run["counts"]["total"]) == ("failed", 3, 1, 2)
    assert report(folder)["run"]["labels"] == {"team": "shop"}, "os is that of a job"
    test = next(test for test in report(folder)["tests"] if test["id"] == TEST)
    assert (test["state"], test["job"]) == ("failed", "os=windows")
    assert {one["job"]: one["outcome"] for one in test["attemptsDetail"]} == {
        "os=linux": "passed",
        "os=macos": "passed",
        "os=windows": "failed",
    }
    text = semantest("report", "--directory", folder).out
    assert f"FAILED {TEST}  (job os=windows" in text
    assert "failed 5.0 ms on os=windows" in text
    _assert_that_exports_name_the_job(folder)
    for name in ("windows", "linux", "macos"):  # one by one, in another order
        assert merge(other, tmp_path / "jobs" / name).code == 0
    assert dump(other) == dump(folder)
    assert report(other)["counts"] == report(folder)["counts"]
    again = merge(folder, tmp_path / "jobs")
    assert "nothing is new: all of 3 sources is here already" in again.out
    assert dump(other) == dump(folder)
    assert semantest("rebuild", "--check", "--json", "--directory", folder).json["differences"] == []


def test_what_was_not_shipped_to_its_recorder_any_more_is_merged_from_the_journal(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_ok", "a.py::test_after")
    recording.test("a.py::test_ok")
    recording.store(tmp_path / "job" / ".semantest")
    recording.test("a.py::test_after")
    recording.end(0)
    recording.journal(tmp_path / "job" / ".semantest")
    said = merge(tmp_path / "all", tmp_path / "job", "--json")
    (run,) = said.json["runs"]
    assert (said.code, run["state"], run["counts"]["passed"]) == (0, "passed", 2), said.err


def _assert_that_exports_name_the_job(folder: Path) -> None:
    def exported(kind: str, *more: str) -> str:
        return semantest("export", "--format", kind, *more, "--directory", folder).out

    rows = csv.DictReader(exported("csv", "--rows", "attempts").splitlines())
    jobs = {"os=linux": "passed", "os=macos": "passed", "os=windows": "failed"}
    assert {row["job"]: row["outcome"] for row in rows if row["test"] == TEST} == jobs
    test = next(test for test in json.loads(exported("ctrf"))["results"]["tests"] if test["name"] == TEST)
    assert test["extra"]["job"] == "os=windows"
    assert {retry["extra"]["job"] for retry in test["retryAttempts"]} == {"os=linux", "os=macos"}
    assert "ms, job `os=windows`)" in exported("markdown")
    lanes = Page(exported("html")).index()["timeline"]["lanes"]
    assert {(lane["worker"], lane["job"]) for lane in lanes} == {
        ("main", f"os={name}") for name in ("linux", "macos", "windows")
    }


@pytest.mark.parametrize("announced", [True, False])
def test_a_run_with_a_missing_shard_is_not_green_until_it_comes(tmp_path: Path, announced: bool) -> None:
    for number in (1, 2, 3):
        shard = {"index": number, "of": 3} if announced else None
        job(tmp_path / str(number), f"part{number}", "passed", shard=shard)
    folder = tmp_path / "all"
    expect = [] if announced else ["--expect", "3"]
    said = merge(folder, tmp_path / "1", tmp_path / "2", *expect, "--json")
    (run,) = said.json["runs"]
    assert (said.code, run["state"], run["sessions"], run["expected"]) == (1, "failed", 2, 3)
    assert "run build-7 is not green: of 3 sessions 2 came" in said.err
    told = semantest("report", "--directory", folder)
    assert (told.code, "2 of 3 sessions came: shards or jobs are missing" in told.out) == (1, True)
    assert "2 of 3 sessions, 1 MISSING" in merge(folder, tmp_path / "1", *expect).out
    copied = ("build-7", "--run-id", "copy", "--expect", "3")
    for _ in range(2):  # it is expected again when the copy was deleted
        assert merge(folder, *copied).code == 1
        assert report(folder, "copy")["run"]["state"] == "failed"
        assert semantest("cleanup", "--run", "copy", "--yes", "--directory", folder).code == 0
    done = merge(folder, tmp_path / "3", "--json")
    assert (done.code, done.json["runs"][0]["state"]) == (0, "passed"), done.err
    assert semantest("report", "--directory", folder).code == 0
    assert semantest("rebuild", "--check", "--json", "--directory", folder).json["differences"] == []


def test_runs_of_different_ids_become_one_copy(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    small_run("20261121-090000-aaaaaa").store(folder)
    green_run("20261121-090100-bbbbbb").store(folder)
    job(tmp_path / "job", "linux", "passed", run_id="other")
    before = dump(folder)
    wanted = ("20261121-0900", "20261121-0901", tmp_path / "job", "--run-id", "night")
    assert merge(folder, *wanted, "--dry-run").code == 0
    assert dump(folder) == before
    done = merge(folder, *wanted, "--json")
    assert done.code == 0, done.err
    (run,) = done.json["runs"]
    assert (run["run"], run["state"], run["sessions"]) == ("night", "failed", 3)
    ids = [one["id"] for one in semantest("runs", "--json", "--directory", folder).json["runs"]]
    assert sorted(ids) == ["20261121-090000-aaaaaa", "20261121-090100-bbbbbb", "night"], "originals stay"
    originals = [report(folder, name) for name in ("20261121-0900", "20261121-0901")]
    copy = {test["id"]: test["state"] for test in report(folder, "night")["tests"]}
    assert copy == {TEST: "passed"} | {test["id"]: test["state"] for one in originals[::-1] for test in one["tests"]}
    shown = semantest("show", "a.py::test_bad", "--run", "night", "--directory", folder).out
    assert "assert 1 == 2" in shown
    assert "nothing is new" in merge(folder, *wanted).out
    assert semantest("rebuild", "--check", "--json", "--directory", folder).json["differences"] == []
    gone = semantest("cleanup", "--run", "night", "--yes", "--json", "--directory", folder)
    assert gone.json["done"]["deleted"] == ["night"]
    assert merge(folder, *wanted).code == 0, "it can be made again"
    shared = merge(folder, tmp_path / "job", "--run-id", "other", "--json")
    assert [source["source"] for source in shared.json["sources"]] == ["20261121-093000-caf901.main"]
    removed = merge(folder, "20261121-0901", "--run-id", "alone", "--remove-originals", "--yes", "--json")
    assert removed.json["removed"] == ["20261121-090100-bbbbbb"]
    assert report(folder, "alone")["run"]["state"] == "passed"


def test_a_folder_from_elsewhere_adds_nothing_to_what_was_recorded_here(tmp_path: Path) -> None:
    """It may hold our own sources: longer ones, other ones, and what only a recorder writes."""
    here, there = tmp_path / ".semantest", tmp_path / "there" / ".semantest"
    red = small_run()
    red.store(here)
    before = semantest("report", "--json", "--directory", here).json
    red.test("b.py::test_more")
    red.end(0)  # a second end, which would make it green
    red.store(there)
    said = merge(here, there)
    assert said.code == 1
    assert "it was recorded here, and goes on there" in said.err
    other = tmp_path / "other" / ".semantest"
    changed = small_run()
    changed.bodies["main"][3] = changed.bodies["main"][3].replace(b"passed", b"failed")
    changed.store(other)
    assert "it has other events here: one of both was changed" in merge(here, other).err
    forged = tmp_path / "forged" / ".semantest"
    beside = Recording("live/recorder/x", run_id=red.run_id)
    beside.add("client", "run/cancel", {"runId": red.run_id, "session": "live/recorder/x", "worker": "client"})
    beside.store(forged)
    assert merge(here, forged).out == ""
    assert semantest("report", "--json", "--directory", here).json == before


def test_sessions_that_no_recorder_had_are_closed_and_links_are_not_followed(tmp_path: Path) -> None:
    there, here = tmp_path / "there" / ".semantest", tmp_path / "here"
    killed = Recording("20261121-093000-dddddd")
    killed.start(host="another machine")
    killed.plan("a.py::test_1", "a.py::test_2")
    killed.begin("a.py::test_1")
    session = killed.journal(there)
    content = b"a picture"
    name = hashlib.sha256(content).hexdigest()
    (session / "artifacts").mkdir()
    (session / "artifacts" / name).write_bytes(content)
    (session / "artifacts" / hashlib.sha256(b"other").hexdigest()).write_bytes(b"not what its name says")
    others = green_run("20261121-094000-eeeeee").journal(tmp_path / "of another project")
    linked = there / "sessions" / "20261121-094000-eeeeee"
    linked.mkdir()
    (linked / "main.journal").symlink_to(others / "main.journal")
    said = merge(here, there, "--json")
    assert (said.code, said.json["attachments"]) == (1, 1), said.err
    assert any("it is a symbolic link" in problem for problem in said.json["problems"])
    (run,) = semantest("runs", "--json", "--directory", here).json["runs"]
    assert (run["state"], run["counts"]["crashed"], run["counts"]["not_run"]) == ("interrupted", 1, 1)
    assert [path.name for path in here.rglob("artifacts/*/*")] == [name]
    assert session.exists(), "what is merged stays as it is"
    (linked / "main.journal").unlink()
    again = merge(here, there)
    assert (again.code, "nothing is new" in again.out) == (0, True), again.err


def test_xdist_shards_of_one_recorder_are_one_run_and_merge_into_another_history(tmp_path: Path) -> None:
    """Real sessions, each with a controller and a worker, which share a run id and their recorder."""
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    project.environment["SEMANTEST_RUN_ID"] = "build-8"
    try:
        for shard in ("one", "two"):
            project.write(f"test_{shard}.py", f"def test_it(): assert {shard!r}\ndef test_more(): pass\n")
            project.pytest("-n", "1", "--semantest-labels", f"part={shard}", f"test_{shard}.py")
        native = report(project.folder, "build-8")
        project.stop_recorder()
    finally:
        project.close()
    assert (native["run"]["state"], native["run"]["sessions"], native["counts"]["passed"]) == ("passed", 2, 4)
    assert {source["job"] for source in native["run"]["sources"]} == {"part=one", "part=two"}
    done = merge(tmp_path / "all", project.root, "--expect", "2", "--json")
    assert (done.code, done.json["runs"][0]["state"]) == (0, "passed"), done.err
    assert report(tmp_path / "all", "build-8")["tests"] == native["tests"]


def test_what_is_expected_is_of_one_run(tmp_path: Path) -> None:
    for run_id in ("old", "new"):
        job(tmp_path / "jobs" / run_id, run_id, "passed", run_id=run_id)
    folder = tmp_path / "all"
    said = merge(folder, tmp_path / "jobs", "--expect", "1")
    assert (said.code, "these are 2 (new, old): name it with --run" in said.err) == (2, True)
    done = merge(folder, tmp_path / "jobs", "--run", "new", "--expect", "1", "--json")
    assert [(run["run"], run["state"]) for run in done.json["runs"]] == [("new", "passed")]


def test_mistakes_are_told_in_words(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    green_run().store(folder)
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.db").write_text("no database")
    cases: list[tuple[list[str | Path], int, str]] = [
        (["20261121-0930"], 2, "say its name: --run-id ID"),
        (["20261121-0930", "--run-id", "20261121-093000-a1b2c3"], 2, "give the copy another --run-id"),
        (["20261121-0939", "--run-id", "x"], 3, "no run '20261121-0939'"),
        ([tmp_path / "nowhere"], 3, "does not exist"),
        ([tmp_path / "empty"], 3, "holds no .semantest folder"),
        ([folder], 2, "is this history itself"),
        ([tmp_path / "no.db"], 1, "cannot be read"),
        (["20261121-0930", "--run-id", "x", "--remove-originals"], 2, "without a terminal give --yes"),
        ([tmp_path / "no.db", "--remove-originals", "--yes"], 2, "is for runs of this history"),
    ]
    for arguments, code, words in cases:
        said = merge(folder, *arguments)
        assert (said.code, words in said.err) == (code, True), (arguments, said)
    (run,) = semantest("runs", "--json", "--directory", folder).json["runs"]
    assert run["id"] == green_run().run_id


def test_names_of_jobs_are_as_short_as_they_can_be() -> None:
    def origin(session: str, **more: Any) -> SessionOrigin:
        return SessionOrigin(session, **more)

    assert job_names([origin("s")]) == {}
    same = {"team": "core"}
    labels = [origin("s", labels={**same, "os": "linux"}), origin("t", labels={**same, "os": "macos"}, name="x")]
    assert job_names(labels) == {"s": "os=linux", "t": "os=macos"}
    both = [origin(f"{os}{shard}", labels={"os": os}, shard=f"{shard}/2") for os in ("a", "b") for shard in (1, 2)]
    assert job_names(both)["b2"] == "os=b shard 2/2"
    assert job_names([origin("s", ci_job="unit"), origin("t", ci_job="e2e")]) == {"s": "unit", "t": "e2e"}
    assert job_names([origin("s", host="h"), origin("t", host="h")]) == {"s": "s", "t": "t"}
    assert json.dumps(job_names([origin("s", name="n"), origin("t")])) == '{"s": "n s", "t": "t"}'
