"""SIGKILL of each process in the middle of a run: no event lost or doubled, the running test is named.

The tests write down themselves what they did (``oracle``), by other means than the plugin. A test that is to be the
running one waits there to be killed, so each round knows exactly what must be recorded.
``SEMANTEST_KILLS`` sets the number of rounds of each (default 2).
"""

from __future__ import annotations

import os
import random
import signal
from typing import Any

import pytest

from pytest_semantest.protocol.liveness import process_exists
from tests.acceptance.conftest import PATIENCE_S, Project, states, wait_for

ROUNDS = range(int(os.environ.get("SEMANTEST_KILLS", "2")))
TESTS = 24

SUITE = f"""
import os, pathlib, signal
import pytest

ORACLE = os.environ["ORACLE"]

def note(line):
    fd = os.open(ORACLE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (line + "\\n").encode())
    os.close(fd)

@pytest.mark.parametrize("n", range({TESTS}))
def test_n(n, request):
    note(f"start {{n}} {{os.getpid()}}")
    print(f"the last words of {{n}}", flush=True)
    while n == int(os.environ.get("STOP_AT", "-1")) or pathlib.Path("hold").exists():
        if pathlib.Path("go").exists():
            break
        signal.sigtimedwait([], 0.01)
    note(f"done {{n}}")
"""


@pytest.fixture
def suite(project: Project) -> Project:
    (project.path / "test_suite.py").write_text(SUITE)
    return project


def check_stored_once(project: Project, counts: dict[str, int]) -> None:
    """Every source without hole or double, and as many events of each type as there must be."""
    for first, last, number in project.rows("SELECT min(seq), max(seq), count(*) FROM events GROUP BY source_key"):
        assert (first, last) == (1, number)
    stored = dict(project.rows("SELECT type, count(*) FROM events GROUP BY type"))
    assert {kind: stored.get(kind, 0) for kind in counts} == counts
    assert "journal/gap" not in stored


def started(project: Project, number: int) -> int | None:
    """The pid of the process in which test ``number`` runs, once it does."""
    for line in project.oracle():
        word, n, *pid = line.split()
        if word == "start" and int(n) == number:
            return int(pid[0])
    return None


def done_in_order(project: Project) -> list[int]:
    return [int(line.split()[1]) for line in project.oracle() if line.startswith("done")]


@pytest.mark.hazard(1)
@pytest.mark.parametrize("round_", ROUNDS)
def test_pytest_killed(suite: Project, monkeypatch: pytest.MonkeyPatch, round_: int) -> None:
    stop_at = random.Random(round_).randrange(TESTS)
    monkeypatch.setenv("STOP_AT", str(stop_at))
    process = suite.start_pytest()
    pid = wait_for(lambda: started(suite, stop_at), "the test to run")
    assert pid == process.pid
    os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S * 2)

    report = suite.report()
    assert report["run"]["state"] == "interrupted"
    assert states(report) == {
        f"test_n[{n}]": "passed" if n < stop_at else "crashed" if n == stop_at else "not_run" for n in range(TESTS)
    }
    assert done_in_order(suite) == list(range(stop_at))
    crashed = next(test for test in report["tests"] if test["state"] == "crashed")
    (attempt,) = crashed["attemptsDetail"]
    assert (attempt["worker"], crashed["line"]) == ("main", 12)
    check_stored_once(suite, {"test/start": stop_at + 1, "test/end": stop_at, "run/start": 1, "run/end": 1})
    shown = suite.semantest("report")
    assert shown.returncode == 1
    assert f"CRASHED test_suite.py::test_n[{stop_at}]" in shown.stdout


@pytest.mark.hazard(4)
@pytest.mark.parametrize("round_", ROUNDS)
def test_worker_killed(suite: Project, monkeypatch: pytest.MonkeyPatch, round_: int) -> None:
    stop_at = random.Random(round_).randrange(TESTS)
    monkeypatch.setenv("STOP_AT", str(stop_at))
    process = suite.start_pytest("-n2")
    os.kill(wait_for(lambda: started(suite, stop_at), "the test to run"), signal.SIGKILL)
    output, _ = process.communicate(timeout=PATIENCE_S * 2)
    assert process.returncode == 1, output

    report = suite.report()
    assert report["run"]["state"] == "failed"
    expected = {f"test_n[{n}]": "crashed" if n == stop_at else "passed" for n in range(TESTS)}
    assert states(report) == expected
    crashed = next(test for test in report["tests"] if test["state"] == "crashed")
    assert crashed["worker"] in ("gw0", "gw1")
    assert sorted(done_in_order(suite)) == [n for n in range(TESTS) if n != stop_at]
    check_stored_once(suite, {"test/start": TESTS, "test/end": TESTS - 1, "run/end": 1, "worker/start": 3})


def test_shipper_killed_while_pytest_waits_for_it(suite: Project) -> None:
    hold = suite.path / "hold"
    hold.touch()
    process = suite.start_pytest("--semantest-flush-timeout=100")
    shipper, recorder = wait_for(suite.shipper_pid, "the shipper"), wait_for(suite.recorder_pid, "the recorder")
    os.kill(recorder, signal.SIGSTOP)  # nothing more is acknowledged
    hold.unlink()
    (journal,) = suite.directory.glob("sessions/*/main.journal")
    wait_for(lambda: b'"run/end"' in journal.read_bytes(), "pytest to have ended its run")
    os.kill(shipper, signal.SIGKILL)
    wait_for(lambda: suite.shipper_pid() != shipper, "another shipper")
    os.kill(recorder, signal.SIGCONT)
    output, _ = process.communicate(timeout=PATIENCE_S * 2)
    assert process.returncode == 0, output
    assert f"{TESTS} tests recorded" in output
    assert suite.report()["run"]["state"] == "passed"
    check_stored_once(suite, {"test/start": TESTS, "test/end": TESTS, "run/start": 1, "run/end": 1})


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
@pytest.mark.parametrize("victim", ["shipper", "recorder"])
@pytest.mark.parametrize("round_", ROUNDS)
def test_shipper_or_recorder_killed(suite: Project, victim: str, workers: tuple[str, ...], round_: int) -> None:
    hold = suite.path / "hold"
    hold.touch()
    process = suite.start_pytest("--semantest-flush-timeout=60", *workers)
    wait_for(suite.oracle, "a test to run")
    find: Any = suite.shipper_pid if victim == "shipper" else suite.recorder_pid
    pid = wait_for(find, f"the {victim}")
    if round_ % 2:  # kill it in the middle of the stream, else between two events
        hold.unlink()
        wait_for(lambda: len(suite.oracle()) > 6, "some tests to run")
    os.kill(pid, signal.SIGKILL)
    hold.unlink(missing_ok=True)
    output, _ = process.communicate(timeout=PATIENCE_S * 2)
    assert process.returncode == 0, output

    report = suite.report()
    assert report["run"]["state"] == "passed"
    assert states(report) == {f"test_n[{n}]": "passed" for n in range(TESTS)}
    assert [test["attempts"] for test in report["tests"]] == [1] * TESTS
    check_stored_once(suite, {"test/start": TESTS, "test/end": TESTS, "run/start": 1, "run/end": 1})
    assert f"{TESTS} tests recorded" in output


@pytest.mark.hazard(6)
def test_controller_killed(suite: Project) -> None:
    hold = suite.path / "hold"
    hold.touch()
    process = suite.start_pytest("-n2")
    pids = wait_for(lambda: _two_workers(suite), "both workers to run a test")
    os.kill(process.pid, signal.SIGKILL)
    hold.unlink()  # they go on with what they have
    process.communicate(timeout=PATIENCE_S * 2)  # and hold its output until they end
    wait_for(lambda: not any(process_exists(pid) for pid in pids), "the workers to end")

    report = suite.report()
    assert (report["run"]["state"], len(report["tests"])) == ("interrupted", TESTS)
    found = states(report)
    ran = [[n for n, pid in _starts(suite) if pid == worker] for worker in pids]
    for *before, last in ran:
        assert {found[f"test_n[{n}]"] for n in before} <= {"passed"}
        assert found[f"test_n[{last}]"] in ("passed", "interrupted", "crashed")
    # One more of each worker may have begun without coming as far as to say so itself.
    rest = sorted(found[f"test_n[{n}]"] for n in set(range(TESTS)) - {n for tests in ran for n in tests})
    assert set(rest) <= {"not_run", "interrupted", "crashed"}
    assert len(rest) - rest.count("not_run") <= len(pids)
    check_stored_once(suite, {"run/start": 1, "run/plan": 1, "run/end": 1, "worker/start": 2})


def _starts(suite: Project) -> list[tuple[int, int]]:
    """``(test, pid)`` of each test that was begun."""
    lines = [line.split() for line in suite.oracle()]
    return [(int(rest[0]), int(rest[1])) for word, *rest in lines if word == "start"]


def _two_workers(suite: Project) -> set[int]:
    """The pids of both workers, once each runs a test."""
    pids = {pid for _, pid in _starts(suite)}
    return pids if len(pids) == 2 else set()
