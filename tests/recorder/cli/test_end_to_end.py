"""Real pytest, real shipper, real recorder, real ``semantest``."""

from __future__ import annotations

import json
import signal
import stat
import sys
from pathlib import Path

from tests.recorder.cli.project import SECONDS, Project
from tests.recorder.cli.recording import Recording
from tests.shipper.ingest_server import TOKEN, IngestServer
from tests.shipper.test_shipping import wait_until

_SUITE = """
    import os
    import pytest

    def test_ok():
        pass

    def test_bad():
        print("printed by the test")
        assert [1] == [2]

    @pytest.mark.parametrize("number", [1, 2])
    def test_each(number):
        pass

    @pytest.mark.skip(reason="not today")
    def test_skip():
        pass

    @pytest.mark.xfail
    def test_xfail():
        raise ValueError

    @pytest.fixture
    def broken():
        raise RuntimeError("no setup")

    def test_error(broken):
        pass

    def test_flaky(tmp_path_factory):
        if not os.path.exists("flag"):
            open("flag", "w").close()
            pytest.fail("the first time")
"""
_WAITS_FOR_GO = """
    import os, time
    import pytest

    @pytest.fixture(scope="session", autouse=True)
    def go():
        deadline = time.monotonic() + 60
        while not os.path.exists("go"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
"""
_STATES = {
    "test_a.py::test_ok": "passed",
    "test_a.py::test_bad": "failed",
    "test_a.py::test_each[1]": "passed",
    "test_a.py::test_each[2]": "passed",
    "test_a.py::test_skip": "skipped",
    "test_a.py::test_xfail": "xfailed",
    "test_a.py::test_error": "error",
    "test_a.py::test_flaky": "flaky",
}


def states(report: dict[str, object]) -> dict[str, str]:
    tests = report["tests"]
    assert isinstance(tests, list)
    return {test["id"]: test["state"] for test in tests}


def test_record_and_report(project: Project) -> None:
    project.write("test_a.py", _SUITE)
    assert project.pytest("--semantest-retries", "1").returncode == 1
    said = project.semantest("report", "--output")
    assert said.returncode == 1, said.stderr
    assert "8 tests: 3 passed, 1 failed, 1 error, 1 skipped, 1 xfailed, 1 flaky" in said.stdout
    assert "    | printed by the test" in said.stdout
    assert "\x1b" not in said.stdout
    assert states(project.json("report")) == _STATES
    (run,) = project.json("runs")["runs"]
    assert f"pytest --semantest --semantest-rerun {run['id']} " in said.stdout
    assert run["counts"]["total"] == 8
    assert project.semantest("show", "test_each[2]").stdout.count("number = 2") == 1


def test_with_xdist_a_killed_worker_is_a_crash(project: Project) -> None:
    project.write(
        "test_a.py",
        """
        import os, signal
        def test_ok():
            pass
        def test_killed():
            print("last words", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    project.pytest("-n", "2")
    report = project.json("report")
    assert states(report) == {"test_a.py::test_ok": "passed", "test_a.py::test_killed": "crashed"}
    out = project.semantest("report").stdout
    assert "CRASHED test_a.py::test_killed" in out
    assert "worker gw" in out


def test_a_run_that_was_killed_is_taken_in_by_the_report(project: Project) -> None:
    project.write(
        "test_a.py",
        """
        import os, signal
        def test_ok():
            pass
        def test_killed():
            os.kill(os.getpid(), signal.SIGKILL)
        def test_after():
            pass
        """,
    )
    assert project.pytest().returncode == -9
    report = project.json("report")
    assert report["run"]["state"] == "interrupted"
    assert states(report) == {
        "test_a.py::test_ok": "passed",
        "test_a.py::test_killed": "crashed",
        "test_a.py::test_after": "not_run",
    }


def test_sync_ships_what_is_left_over(project: Project) -> None:
    project.write("test_a.py", "def test_ok(): pass\n")
    project.pytest()
    (run,) = project.json("runs")["runs"]
    project.stop_recorder()
    sessions = project.folder / "sessions"
    assert not sessions.is_dir() or not list(sessions.iterdir())
    said = project.semantest("sync")
    assert (said.returncode, said.stdout.startswith("Nothing to ship")) == (0, True)
    assert project.semantest("report", run["id"]).returncode == 0


def test_sync_of_a_dead_session(project: Project) -> None:
    dead = Recording()
    dead.start()
    dead.plan("a.py::test_one", "a.py::test_two")
    dead.test("a.py::test_one")
    dead.begin("a.py::test_two")
    session = dead.journal(project.folder)
    unreachable = project.semantest("sync", "--url", "http://127.0.0.1:9", "--timeout", "1")
    assert unreachable.returncode == 3, unreachable.stderr
    assert unreachable.stdout == "0 of 1 session shipped.\n"
    assert (session / "main.journal").is_file()
    said = project.semantest("sync")
    assert said.returncode == 0, said.stderr
    assert said.stdout == "1 of 1 session shipped.\n"
    assert states(project.json("report")) == {"a.py::test_one": "passed", "a.py::test_two": "crashed"}
    assert "Nothing to ship" in project.semantest("sync").stdout


def test_watch_follows_a_run_to_its_end(project: Project) -> None:
    project.write("test_a.py", _SUITE)
    project.write("conftest.py", _WAITS_FOR_GO)
    project.folder.mkdir()
    watch = project.popen("watch", "--wait", "--json")
    plain = project.popen("watch", "--wait")
    run = project.background_pytest("--semantest-retries", "1", "-n", "2")
    assert watch.stdout is not None
    assert plain.stdout is not None
    first, _ = watch.stdout.readline(), plain.stdout.readline()  # both have found the run
    (project.root / "go").touch()
    run.communicate(timeout=SECONDS)
    out, err = watch.communicate(timeout=SECONDS)
    assert watch.returncode == 1, err
    lines = [json.loads(line) for line in (first + out).splitlines()]
    assert lines[0]["type"] == lines[-1]["type"] == "snapshot"
    assert lines[-1]["state"] == "failed"
    assert lines[-1]["counts"] == project.json("report")["counts"]
    ids = [line["id"] for line in lines if "id" in line]
    assert len(ids) == len(set(ids)), "no event twice"
    text, err = plain.communicate(timeout=SECONDS)
    assert plain.returncode == 1, err
    assert "8 tests: 3 passed, 1 failed, 1 error, 1 skipped, 1 xfailed, 1 flaky" in text.splitlines()[-1]


def test_watch_survives_the_recorder(project: Project) -> None:
    project.write("conftest.py", _WAITS_FOR_GO)
    project.write("test_a.py", "def test_ok(): pass\ndef test_bad(): assert 0\n")
    project.folder.mkdir()
    watch = project.popen("watch", "--wait", "--json")
    assert watch.stdout is not None
    run = project.background_pytest()
    first = json.loads(watch.stdout.readline())
    assert first["state"] == "running"
    project.stop_recorder()
    (project.root / "go").touch()
    run.communicate(timeout=SECONDS)
    out, err = watch.communicate(timeout=SECONDS)
    assert watch.returncode == 1, err
    last = json.loads(out.splitlines()[-1])
    assert (last["counts"]["passed"], last["counts"]["failed"]) == (1, 1)


def test_start_in_the_midst_of_a_run_makes_the_recorder_stay_and_loses_nothing(project: Project) -> None:
    project.write("conftest.py", _WAITS_FOR_GO)
    project.write("test_a.py", "def test_ok(): pass\ndef test_bad(): assert 0\n")
    project.folder.mkdir()
    watch = project.popen("watch", "--wait", "--json")
    assert watch.stdout is not None
    run = project.background_pytest()
    assert json.loads(watch.stdout.readline())["state"] == "running"
    started = project.recorder("start")
    assert started.returncode == 0, started.stderr
    (project.root / "go").touch()
    run.communicate(timeout=SECONDS)
    out, err = watch.communicate(timeout=SECONDS)
    assert watch.returncode == 1, err
    assert json.loads(out.splitlines()[-1])["counts"]["total"] == 2
    assert states(project.json("report")) == {"test_a.py::test_ok": "passed", "test_a.py::test_bad": "failed"}
    status = json.loads(project.recorder("status", "--json").stdout)
    assert (status["url"], status["options"]["idleTimeout"]) == (started.stdout.strip(), 0.0), "the run has kept it"


def test_a_watch_that_is_left_says_that_the_run_goes_on(project: Project) -> None:
    running = Recording()
    running.start()
    running.plan("a.py::test_one")
    running.begin("a.py::test_one")
    running.store(project.folder)
    watch = project.popen("watch", "--json")
    assert watch.stdout is not None
    assert json.loads(watch.stdout.readline())["running"][0]["testId"] == "a.py::test_one"
    watch.send_signal(signal.SIGINT)
    assert watch.wait(timeout=SECONDS) == 4


def test_watch_says_when_nothing_runs(project: Project) -> None:
    project.folder.mkdir()
    said = project.semantest("watch")
    assert said.returncode == 3
    assert "nothing runs" in said.stderr
    project.write("test_a.py", "def test_ok(): pass\n")
    project.pytest()
    said = project.semantest("watch")
    assert said.returncode == 3
    assert "semantest watch --wait" in said.stderr
    (run,) = project.json("runs")["runs"]
    assert project.semantest("watch", run["id"]).returncode == 0


def test_doctor_finds_what_is_wrong(project: Project) -> None:
    project.write("test_a.py", "def test_ok(): pass\n")
    project.pytest()
    said = project.semantest("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(said.stdout)["checks"]}
    assert said.returncode == 0, checks
    assert checks["recorder"]["status"] == "ok"
    assert checks["database"]["data"]["runs"] == 1
    assert checks["start-up"]["data"]["ms"] > 0
    assert checks["token file"]["data"]["mode"] == "0600"
    discovery = project.folder / "recorder.json"
    discovery.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IROTH)
    said = project.semantest("doctor")
    assert said.returncode == 1
    assert "chmod 600" in said.stdout


def test_the_commands_work_isolated_from_the_working_directory(project: Project) -> None:
    for name in ("json", "sqlite3", "click", "msgspec", "semantest_recorder"):
        project.write(f"{name}.py", "raise RuntimeError('a module of the user was imported')\n")
    script = Path(sys.executable).with_name("semantest")
    assert project.run_script(str(script), "report").returncode == 3


def test_a_run_that_went_elsewhere_is_looked_for_there(project: Project) -> None:
    project.write("test_a.py", "def test_a(): pass")
    project.environment["SEMANTEST_TOKEN"] = TOKEN
    with IngestServer() as server:
        project.write("semantest.toml", f"url = '{server.url}'")
        ran = project.pytest()
        run = next(iter(server.events)).rpartition(".")[0]
        # What is left of it would be read here: the context comes when pytest is over.
        wait_until(lambda: not (project.folder / "sessions" / run).exists(), "all of it is sent")
    assert (
        f"1 test recorded, run {run}; sent to {server.url}; see where that recorder runs: semantest report {run}\n"
        in ran.stdout
    )
    said = project.semantest("report")
    assert (
        said.returncode,
        f"url in semantest.toml is set: runs go to the recorder at {server.url}" in said.stderr,
    ) == (3, True)


def test_a_named_recorder_that_is_the_projects_own_is_read_here(project: Project) -> None:
    project.write("test_a.py", "def test_a(): pass")
    project.recorder("start")
    own = json.loads((project.folder / "recorder.json").read_text())
    project.environment["SEMANTEST_TOKEN"] = own["token"]
    ran = project.pytest("--semantest-url", own["url"])
    assert ran.stdout.count("; see: semantest report\n") == 1, ran.stdout


def test_watching_can_begin_before_the_first_run(project: Project) -> None:
    project.write("test_a.py", "def test_a(): pass")
    watching = project.popen("watch", "--wait")
    assert watching.stderr is not None
    assert watching.stderr.readline() == "semantest: waiting for the next run ...\n"
    assert not project.folder.exists()
    ran = project.pytest()
    out, err = watching.communicate(timeout=SECONDS)
    assert (watching.returncode, err) == (0, ""), out
    assert ran.stdout.partition("recorded, run ")[2].partition(";")[0] in out
