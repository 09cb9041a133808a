"""A run of pytest that is cancelled from outside: politely, and hard when pytest does not listen."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from semantest_recorder.client import Client
from tests.acceptance.conftest import Project, states, wait_for

SUITE = """
import os, signal, time
import pytest

def note(line):
    with open(os.environ["ORACLE"], "a") as file:
        file.write(line + "\\n")

@pytest.fixture
def resource():
    yield
    note("cleaned up")

def test_a():
    pass

def test_waits(resource):
    note("waiting")
    if DEAF:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        time.sleep(0.05)

def test_never():
    pass
"""

PATIENT_SUITE = """
import os, pathlib, time
import pytest

def note(line):
    with open(os.environ["ORACLE"], "a") as file:
        file.write(line + "\\n")

@pytest.fixture(scope="module")
def resource():
    yield
    note("cleaned up")

def test_waits(resource):
    note("waiting")
    while not pathlib.Path("go on").exists():
        time.sleep(0.01)

@pytest.mark.parametrize("n", range(20))
def test_more(n):
    while not pathlib.Path("go on").exists():
        time.sleep(0.01)
"""

LONG_SUITE = """
import os, time
import pytest

@pytest.mark.parametrize("n", range(6))
def test_long(n):
    with open(os.environ["ORACLE"], "a") as file:
        file.write("waiting\\n")
    time.sleep(30)
"""


def cancel(project: Project, grace_ms: float) -> str:
    wait_for(lambda: "waiting" in project.oracle(), "the test to run")
    wait_for((project.directory / "recorder.json").exists, "the recorder")
    with Client.of_project(project.path) as client:
        (run,) = wait_for(client.active_runs, "the run to be known")
        assert client.cancel_run(run["runId"], "not needed any more", grace_ms=grace_ms)["runId"] == run["runId"]
        return str(run["runId"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_cancelled_pytest_ends_as_after_ctrl_c(project: Project, workers: tuple[str, ...]) -> None:
    (project.path / "test_suite.py").write_text(SUITE.replace("DEAF", "False"))
    process = project.start_pytest(*workers)
    run_id = cancel(project, grace_ms=60_000)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    report = project.report(run_id)
    assert report["run"]["state"] == "cancelled"
    assert report["run"]["stopReason"] == "not needed any more"
    assert states(report)["test_waits"] == "interrupted"
    if not workers:
        assert "cleaned up" in project.oracle()
        assert states(report) == {"test_a": "passed", "test_waits": "interrupted", "test_never": "not_run"}


def test_the_tests_of_all_workers_are_interrupted(project: Project) -> None:
    (project.path / "test_suite.py").write_text(LONG_SUITE)
    process = project.start_pytest("-n", "2")
    wait_for(lambda: project.oracle().count("waiting") == 2, "the tests to run")
    wait_for((project.directory / "recorder.json").exists, "the recorder")
    done = project.semantest("cancel", "--grace", "120")
    assert done.returncode == 0, done.stderr
    process.communicate(timeout=60)
    assert process.returncode == 2
    assert project.oracle() == ["waiting", "waiting"], "no other test was begun"
    report = project.report()
    assert sorted(states(report).values()) == ["interrupted", "interrupted", "not_run", "not_run", "not_run", "not_run"]
    assert report["run"]["state"] == "cancelled"
    assert "2 workers (load)" in project.semantest("report").stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_pytest_in_the_background_of_a_shell_ends_after_the_test_that_runs(
    project: Project, workers: tuple[str, ...]
) -> None:
    (project.path / "test_suite.py").write_text(PATIENT_SUITE)
    process = project.start_pytest(*workers, interruptible=False)
    run_id = cancel(project, grace_ms=600_000)
    wait_for(lambda: list(project.directory.glob("sessions/*/stop")), "the shipper to ask for the end")
    (project.path / "go on").touch()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert "cancelled: not needed any more" in output
    assert "cleaned up" in project.oracle()
    report = project.report(run_id)
    assert (report["run"]["state"], report["run"]["stopReason"]) == ("cancelled", "not needed any more")
    assert states(report)["test_waits"] == "passed"
    assert "not_run" in states(report).values()
    assert not any((project.directory / "sessions").iterdir()), "everything was delivered"


def test_the_command_waits_until_the_run_is_over(project: Project) -> None:
    (project.path / "test_suite.py").write_text(SUITE.replace("DEAF", "False"))
    nothing = project.semantest("cancel")
    assert (nothing.returncode, nothing.stdout) == (3, "")
    process = project.start_pytest()
    wait_for(lambda: "waiting" in project.oracle(), "the test to run")
    wait_for(lambda: project.semantest("cancel", "nonsense").stderr.startswith("semantest: no run 'nonsense'"), "it")
    done = project.semantest("cancel", "--reason", "by hand")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\S+: cancelled, 3 tests: 1 passed, 1 interrupted, 1 not run\n", done.stdout)
    process.communicate(timeout=60)
    assert "by hand" in project.semantest("report").stdout


def test_what_was_recorded_is_sent_to_subscribers_again(project: Project) -> None:
    (project.path / "test_suite.py").write_text("def test_a(): pass")
    assert project.pytest()[0] == 0
    project.report()
    with Client.of_project(project.path) as subscriber:
        subscriber.subscribe("test/end")
        done = project.semantest("replay", "--from", "1h", "--type", "test/*", "--json")
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line.get("type") for line in lines] == ["test/start", "test/end", None]
        assert lines[-1] == {"schema": 1, "replayed": 2}
        event = next(subscriber.events())
        assert (event["type"], event["replay"]) == ("test/end", "replay-1")
    wrong = project.semantest("replay", "--from", "yesterday")
    assert (wrong.returncode, "is no time" in wrong.stderr) == (2, True)


def test_a_pytest_that_does_not_listen_is_ended_after_its_grace(project: Project) -> None:
    (project.path / "test_suite.py").write_text(SUITE.replace("DEAF", "True"))
    process = project.start_pytest()
    run_id = cancel(project, grace_ms=300)
    process.communicate(timeout=60)
    assert process.returncode == -15
    report = project.report(run_id)
    assert report["run"]["state"] == "cancelled"
    assert states(report) == {"test_a": "passed", "test_waits": "crashed", "test_never": "not_run"}


@pytest.mark.hazard(5)
def test_a_cancellation_reaches_a_pytest_that_has_nothing_to_say_to_a_new_recorder(project: Project) -> None:
    (project.path / "test_suite.py").write_text(SUITE.replace("DEAF", "False"))
    process = project.start_pytest()
    wait_for(lambda: "waiting" in project.oracle(), "the test to run")
    pid = wait_for(project.recorder_pid, "the recorder")
    wait_for(lambda: project.rows("SELECT 1 FROM runs WHERE context <> '{}'"), "the run's context to be stored")
    (session,) = (project.directory / "sessions").iterdir()
    wait_for(lambda: json.loads((session / "ship.json").read_bytes())["state"] == "idle", "all to be sent")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: project.recorder_pid() not in (None, pid), "another recorder")
    done = project.semantest("cancel", "--reason", "by hand")
    assert (done.returncode, done.stderr) == (0, "")
    process.communicate(timeout=60)
    assert process.returncode == 2
    assert "cleaned up" in project.oracle()


def test_a_run_of_a_client_next_to_one_of_pytest(project: Project) -> None:
    Path(project.path, "test_suite.py").write_text("def test_a(): pass")
    assert project.pytest()[0] == 0
    with Client.of_project(project.path, source="me") as client:
        client.start_run("manual-1", name="By hand", tags=["exploring"])
        with client.test("opens the shop", suiteId="shop"):
            pass
        with pytest.raises(ZeroDivisionError), client.test("pays", suiteId="shop"):
            raise ZeroDivisionError("no money")
        status = client.end_run("manual-1")
        assert (status["state"], status["passedTests"], status["failedTests"]) == ("failed", 1, 1)
        assert [result["testId"] for result in client.results("manual-1")] == ["opens the shop", "pays"]
    report = project.report("manual-1")
    assert [(test["id"], test["suite"], test["state"]) for test in report["tests"]] == [
        ("opens the shop", "shop", "passed"),
        ("pays", "shop", "failed"),
    ]
    assert "ZeroDivisionError: no money" in project.semantest("report", "manual-1").stdout
