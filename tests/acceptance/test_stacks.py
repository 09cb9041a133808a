"""``semantest stack`` while real tests hang: what they do is told, and what becomes of them stays the same."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recorder.cli.project import SECONDS, Project
from tests.recorder.cli_recorder.daemons import answer_of

#: Each test says that it has begun and hangs in its own way until its gate is opened; then it says what it found.
SUITE = """
import os, signal, subprocess, sys, threading, time
import pytest

GATES = os.environ["GATES"]

def is_open(name):
    return os.path.exists(os.path.join(GATES, name))

def begun(name):
    with open(os.path.join(GATES, name + ".begun"), "w"):
        pass

def sleeps_at(name):
    begun(name)
    while not is_open(name):
        time.sleep(0.2)

def test_sleeps():
    begin = time.monotonic()
    sleeps_at("sleeps")
    time.sleep(0.3)
    assert time.monotonic() - begin >= 0.3

def test_waits_for_a_process():
    begun("waits_for_a_process")
    gate = os.path.join(GATES, "waits_for_a_process")
    code = "import os, time\\nwhile not os.path.exists(%r): time.sleep(0.02)" % gate
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

def test_waits_for_a_lock():
    lock = threading.Lock()
    lock.acquire()
    def open_it():
        while not is_open("waits_for_a_lock"):
            time.sleep(0.02)
        lock.release()
    threading.Thread(target=open_it, name="opener").start()
    begun("waits_for_a_lock")
    assert lock.acquire(timeout=60)

def test_reads_a_pipe():
    reading, writing = os.pipe()
    def write():
        while not is_open("reads_a_pipe"):
            time.sleep(0.02)
        os.write(writing, b"x")
    threading.Thread(target=write).start()
    begun("reads_a_pipe")
    assert os.read(reading, 1) == b"x"

def test_is_busy():
    begun("is_busy")
    count = 0
    while not is_open("is_busy"):
        count += 1
    assert count

def test_has_handlers_of_its_own():
    got = []
    own = (signal.SIGUSR1, signal.SIGALRM)
    before = {number: signal.signal(number, lambda *told: got.append(told)) for number in own}
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    sleeps_at("has_handlers_of_its_own")
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)
    assert got

def test_has_a_forked_child():
    child = os.fork()
    if not child:
        with open("/proc/self/status") as status:
            caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
        os._exit(3 if caught >> 40 else 0)  # the upper real-time signals
    begun("has_a_forked_child")
    assert os.waitpid(child, 0)[1] == 0
    sleeps_at("has_a_forked_child")

def test_has_many_threads():
    over = threading.Event()
    def dive(depth):
        return dive(depth - 1) if depth else over.wait()
    threads = [threading.Thread(target=dive, args=(90,)) for _ in range(30)]
    for thread in threads:
        thread.start()
    sleeps_at("has_many_threads")
    over.set()
    for thread in threads:
        thread.join()

def test_prints_a_secret_name():
    exec(compile("def hunter2_is_secret(name):\\n  sleeps_at(name)", "/tmp/x.py", "exec"), globals())
    hunter2_is_secret("prints_a_secret_name")

def test_fails_all_the_same():
    sleeps_at("fails_all_the_same")
    assert 0
"""
TESTS = {
    "sleeps": "sleeps_at",
    "waits_for_a_process": "subprocess.py",
    "waits_for_a_lock": "test_waits_for_a_lock",
    "reads_a_pipe": "test_reads_a_pipe",
    "is_busy": "test_is_busy",
    "has_handlers_of_its_own": "test_has_handlers_of_its_own",
    "has_a_forked_child": "test_has_a_forked_child",
    "has_many_threads": "... (cut)\n",
    "prints_a_secret_name": "sleeps_at",
    "fails_all_the_same": "test_fails_all_the_same",
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    project.write("test_hangs.py", SUITE)
    project.environment["GATES"] = str(tmp_path)
    yield project
    project.close()


def wait_for(path: Path, run: subprocess.Popen[str]) -> None:
    """Until the test has begun; fails at once when its pytest has ended before."""
    limit = threading.Event()
    for _ in range(int(SECONDS * 50)):
        if path.exists():
            return
        assert run.poll() is None, run.communicate()
        limit.wait(0.02)
    raise AssertionError(f"{path.name} never came")


def stack(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``semantest stack``, once the run has come to the recorder."""
    limit = threading.Event()
    for _ in range(int(SECONDS * 5)):
        done = project.semantest("stack", *arguments)
        if done.returncode != 3 and "NOT_CONNECTED" not in done.stderr:
            return done
        limit.wait(0.2)
    raise AssertionError(done.stderr)


def ask(project: Project, *arguments: str) -> dict[str, Any]:
    done = stack(project, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    (dump,) = json.loads(done.stdout)["stacks"]
    return dict(dump)


def test_each_is_seen_in_its_middle_and_ends_as_it_would_have(project: Project, tmp_path: Path) -> None:
    run = project.background_pytest(
        "-p", "no:randomly", "-o", "faulthandler_timeout=300", "--semantest-redact", "hunter2"
    )
    for name, expected in TESTS.items():
        wait_for(tmp_path / f"{name}.begun", run)
        dump = ask(project, "--worker", "main")
        assert dump["testId"] == f"test_hangs.py::test_{name}"
        assert f"in test_{name}\n" in dump["text"]
        assert expected in dump["text"]
        assert "hunter2" not in dump["text"], "redacted as output is"
        assert len(dump["text"]) < 70_000
        (tmp_path / name).write_text("")
    out, _err = run.communicate(timeout=SECONDS)
    assert "1 failed, 9 passed" in out, out
    assert run.returncode == 1
    (result,) = [test for test in project.json("report")["tests"] if test["id"].endswith("fails_all_the_same")]
    (log,) = result["attemptsDetail"][-1]["logs"]
    assert "in test_fails_all_the_same" in log["message"]
    shown = project.semantest("show", "test_sleeps")
    assert "stacks when somebody asked" in shown.stdout
    assert "in test_sleeps" in shown.stdout


def test_a_worker_of_xdist_is_asked_by_its_name(project: Project, tmp_path: Path) -> None:
    run = project.background_pytest("-n", "2", "-k", "sleeps or busy")
    for name in ("sleeps", "is_busy"):
        wait_for(tmp_path / f"{name}.begun", run)
    watch = project.popen("watch", "--wait")
    assert watch.stdout is not None
    assert "tests" in watch.stdout.readline(), "it follows the run"
    done = stack(project)
    assert done.returncode == 0, done.stderr
    assert "gw0 runs test_hangs.py::" in done.stdout
    assert "gw1 runs test_hangs.py::" in done.stdout
    assert "\nmain\n" in f"\n{done.stdout}"
    for name in ("sleeps", "is_busy"):
        (tmp_path / name).write_text("")
    out, _err = run.communicate(timeout=SECONDS)
    assert "2 passed" in out, out
    seen, _err = watch.communicate(timeout=SECONDS)
    assert "gw0: its stacks\n" in seen
    assert "in test_is_busy\n" in seen


CLOSED = """
import os, time

def test_closes_what_it_finds():
    for name in os.listdir("/proc/self/fd"):
        if os.path.exists(f"/proc/self/fd/{name}") or os.path.islink(f"/proc/self/fd/{name}"):
            if "semantest-stacks" in os.readlink(f"/proc/self/fd/{name}"):
                os.close(int(name))
    gates = os.environ["GATES"]
    open(os.path.join(gates, "closed.begun"), "w").close()
    while not os.path.exists(os.path.join(gates, "closed")):
        time.sleep(0.05)
"""


@pytest.mark.parametrize(
    ("options", "why"),
    [((), "a test has closed what its stacks are written into"), (("--semantest-stacks", "off"), "does not offer")],
)
def test_who_cannot_be_asked_says_why_and_is_not_hurt(
    project: Project, tmp_path: Path, options: tuple[str, ...], why: str
) -> None:
    project.write("test_hangs.py", CLOSED)
    run = project.background_pytest(*options)
    wait_for(tmp_path / "closed.begun", run)
    done = stack(project)
    assert done.returncode == 1
    assert why in done.stderr
    (tmp_path / "closed").write_text("")
    out, _err = run.communicate(timeout=SECONDS)
    assert "1 passed" in out, out


def test_without_a_run_there_is_nobody_to_ask(project: Project) -> None:
    project.write("test_hangs.py", "def test_ok(): pass")
    project.pytest()
    done = project.semantest("stack")
    assert (done.returncode, "no run goes on" in done.stderr) == (3, True)
    found = json.loads((project.folder / "recorder.json").read_text())
    status, answer = answer_of(found["url"], "POST", "/api/v1/runs/last/workers/main/stack", found["token"])
    assert status == 404
    assert json.loads(answer)["code"] == "RUN_NOT_FOUND"
