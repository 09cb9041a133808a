"""What the shipper learns of processes, output, git and CI, and the small files it writes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pytest_semantest.protocol.layout import session_folders
from pytest_semantest.protocol.liveness import FOREIGN_SILENCE_MS, process_exists
from pytest_semantest.protocol.record import encode
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.shipper.backoff import Backoff
from pytest_semantest.shipper.ci import ci_context
from pytest_semantest.shipper.context import ContextLookup, environment_summary, git_context, run_context
from pytest_semantest.shipper.diagnostics import LOG, MAX_BYTES, Diagnostics
from pytest_semantest.shipper.folder import is_running, remove, sweep
from pytest_semantest.shipper.liveness import ProcessWatch
from pytest_semantest.shipper.output import TAIL_BYTES, CapturedOutput
from pytest_semantest.shipper.own_journal import OwnJournal
from pytest_semantest.shipper.spawn import TOKEN_VARIABLE, shipper_environment, spawn_command
from pytest_semantest.shipper.state import ShipState, StateFile, read_state
from tests.shipper.journals import NO_PID, Journal, session


def now_ms() -> float:
    return time.time() * 1000


def facts_of(pid: int, **more: Any) -> dict[str, Any]:
    return {"pid": pid, "host": os.uname().nodename, **more}


def start_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])


def test_a_running_process_lives_until_it_is_a_zombie() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watch = ProcessWatch(facts_of(process.pid, processStart=start_ticks(process.pid)), now_ms())
        assert watch.alive(0.0, now_ms())
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, but not reaped
        assert not watch.alive(0.0, now_ms())
        assert not process_exists(process.pid)
        watch.close()


@pytest.mark.parametrize(
    ("facts", "started_ms"),
    [
        (facts_of(NO_PID), now_ms()),
        (facts_of(os.getpid()), now_ms() - 10 * 86_400_000),  # the pid was somebody else's ten days ago
        (facts_of(os.getpid(), processStart=start_ticks(os.getpid()) - 1), now_ms()),
        ({"host": os.uname().nodename}, now_ms()),
    ],
    ids=["no such pid", "reused pid", "another start", "no pid"],
)
def test_a_pid_that_is_not_that_process_is_dead(facts: dict[str, Any], started_ms: float) -> None:
    watch = ProcessWatch(facts, started_ms)
    assert not watch.alive(now_ms(), now_ms())
    watch.close()


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@pytest.mark.parametrize("boot", [{}, {"bootId": boot_id()}, {"bootId": None}], ids=["absent", "same", "unknown"])
def test_a_clock_that_was_set_back_does_not_kill_a_process(boot: dict[str, str | None]) -> None:
    facts = facts_of(os.getpid(), processStart=start_ticks(os.getpid()), **boot)
    watch = ProcessWatch(facts, now_ms() - 10 * 86_400_000)
    assert watch.alive(0.0, now_ms())
    watch.close()


def test_the_same_pid_and_ticks_after_another_boot_are_another_process() -> None:
    facts = facts_of(os.getpid(), processStart=start_ticks(os.getpid()), bootId=boot_id()[::-1])
    watch = ProcessWatch(facts, now_ms())
    assert not watch.alive(now_ms(), now_ms())
    watch.close()


@pytest.mark.parametrize("elsewhere", [{"host": "another"}, {"pidNamespace": "pid:[1]"}])
def test_a_process_that_cannot_be_seen_lives_while_its_journal_is_fresh(elsewhere: dict[str, str]) -> None:
    watch = ProcessWatch(facts_of(os.getpid()) | elsewhere, now_ms())
    assert watch.foreign
    assert watch.alive(0.0, FOREIGN_SILENCE_MS - 1)
    assert not watch.alive(0.0, FOREIGN_SILENCE_MS + 1)


def test_the_tail_of_an_unlinked_capture_file_is_read_and_redacted() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        status = os.fstat(file.fileno())
        named = {"fd": file.fileno(), "device": status.st_dev, "inode": status.st_ino}
        output = CapturedOutput(os.getpid(), {"stdout": named, "stderr": {**named, "inode": 1}})
        # The secret begins before the tail: what is left of it must not be told.
        file.write(b"a" * 9000 + b"password=" + b"s" * 300 + b"b" * (TAIL_BYTES - 100))
    ((stream, text),) = output.tail(Redactor(["s" * 300]))
    assert stream == "stdout"
    assert len(text) <= TAIL_BYTES
    assert "sss" not in text
    output.close()


@pytest.mark.parametrize("files", [None, 3, {"stdout": None}, {"stdout": {"fd": "0"}}, {"stdout": {"fd": 99999}}])
def test_capture_files_that_are_none_give_no_output(files: object) -> None:
    assert CapturedOutput(os.getpid(), files).tail(Redactor()) == []


def test_git_context_of_a_real_repository(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Ann Author", "-c", "user.email=ann@example.org"]
        done = subprocess.run(["git", *identity, "-C", str(tmp_path), *arguments], check=True, capture_output=True)
        return done.stdout.decode().strip()

    assert git_context(str(tmp_path), os.environ) is None
    git("init", "-q", "-b", "topic")
    assert git_context(str(tmp_path), os.environ) is None  # no commit yet
    (tmp_path / "a.txt").write_text("1")
    git("add", "a.txt")
    git("commit", "-q", "-m", "First one")
    git("remote", "add", "origin", "https://ann:hunter2secret@example.org/repo.git")
    (tmp_path / "fsmonitor").write_text(f"#!/bin/sh\ntouch {tmp_path}/harm\n")
    (tmp_path / "fsmonitor").chmod(0o755)
    git("config", "core.fsmonitor", str(tmp_path / "fsmonitor"))
    context = run_context(str(tmp_path), {**os.environ, "GIT_DIR": "/nowhere"}, Redactor())
    assert context["git"] == {
        "commit": git("rev-parse", "HEAD"),
        "branch": "topic",
        "dirty": False,
        "remote": "https://ann:[REDACTED]@example.org/repo.git",
        "root": str(tmp_path),
        "subject": "First one",
        "author": "Ann Author",
    }
    assert context["environment"]["packages"]["pytest"] == pytest.__version__
    (tmp_path / "harm").unlink(missing_ok=True)  # plain git, above, ran it
    (tmp_path / "a.txt").write_text("2")
    changed = git_context(str(tmp_path), os.environ)
    assert changed is not None
    assert changed["dirty"] is True
    assert not (tmp_path / "harm").exists()


def test_a_distribution_that_cannot_be_read_is_left_out_of_the_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in (
        ("broken", b"Name: \xff\xfe\n"),
        ("sound", b"Metadata-Version: 2.1\nName: sound\nVersion: 7\n"),
    ):
        (tmp_path / f"{name}-7.dist-info").mkdir()
        (tmp_path / f"{name}-7.dist-info" / "METADATA").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    packages = environment_summary()["packages"]
    assert packages["sound"] == "7"
    assert packages["pytest"] == pytest.__version__


def test_a_look_up_that_fails_gives_what_could_be_found(tmp_path: Path) -> None:
    unusable = {**os.environ, "GITHUB_ACTIONS": "true", "NAME": "a\0b"}  # no program takes such an environment
    context = ContextLookup(str(tmp_path), unusable, Redactor()).wait(30.0)
    assert context is not None
    assert sorted(context) == ["ci", "environment"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"CI": "true"}, {"provider": "unknown"}),
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "7",
                "GITHUB_REF": "refs/pull/12/merge",
                "GITHUB_HEAD_REF": "topic",
                "GITHUB_SHA": "abc",
            },
            {
                "provider": "github",
                "branch": "topic",
                "commit": "abc",
                "pullRequest": "12",
                "buildUrl": "https://github.com/o/r/actions/runs/7",
                "buildId": "7",
            },
        ),
        (
            {"GITLAB_CI": "true", "CI_COMMIT_REF_NAME": "main", "CI_JOB_ID": "3"},
            {"provider": "gitlab", "branch": "main", "jobId": "3"},
        ),
        ({"JENKINS_URL": "x", "BRANCH_NAME": "main"}, {"provider": "jenkins", "branch": "main"}),
        ({"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "false"}, {"provider": "buildkite"}),
        (
            {"CIRCLECI": "true", "CIRCLE_PULL_REQUEST": "https://github.com/o/r/pull/5"},
            {"provider": "circleci", "pullRequest": "5"},
        ),
        ({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/a/b"}, {"provider": "azure", "branch": "a/b"}),
    ],
)
def test_ci_is_told_by_its_variables(environment: dict[str, str], expected: dict[str, str] | None) -> None:
    assert ci_context(environment) == expected


def test_ship_json_is_written_at_once_for_a_new_state_and_else_not_too_often(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.write(ShipState(1, "i", "connecting"), 0.0)
    file.write(ShipState(1, "i", "connecting", sources={"main": {"acked": 1}}), 0.05)
    assert read_state(tmp_path)["sources"] == {}
    file.write(ShipState(1, "i", "connecting", sources={"main": {"acked": 1}}), 0.11)
    assert read_state(tmp_path)["sources"] == {"main": {"acked": 1}}
    file.write(ShipState(1, "i", "done"), 0.12)
    assert read_state(tmp_path)["state"] == "done"
    assert stat.S_IMODE((tmp_path / "ship.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["ship.json"]


def test_the_log_stays_small_and_keeps_the_newest(tmp_path: Path) -> None:
    log = Diagnostics(tmp_path)
    for number in range(5000):
        log(f"line {number} {'x' * 100}")
    log("the last")
    log("the last")
    text = (tmp_path / LOG).read_text()
    assert len(text) <= MAX_BYTES
    assert text.count("the last") == 1
    assert all("line" in line for line in text.splitlines()[:-1])


def test_words_of_a_recorder_steer_no_terminal_out_of_the_log(tmp_path: Path) -> None:
    Diagnostics(tmp_path)("refused: \x1b]0;pwned\x07\u202e\x9b31m no\nforged")
    text = (tmp_path / LOG).read_text()
    assert text.endswith(" refused: ?]0;pwned???31m no forged\n")
    assert text.count("\n") == 1


def test_an_own_journal_goes_on_where_the_one_before_stopped(tmp_path: Path) -> None:
    first = OwnJournal(tmp_path, "s")
    first.start("r", "host", 1.0)
    first.append([{"type": "worker/crash", "timestamp": 2.0, "payload": {"source": "s.gw0"}}])
    with first.path.open("ab") as file:
        file.write(b"J1 3 500 torn")
    second = OwnJournal(tmp_path, "s")
    second.start("r", "host", 3.0)
    assert second.crashes_told == {"s.gw0"}
    assert not second.run_end_told
    second.append([{"type": "run/end", "timestamp": 4.0, "payload": {}}])
    third = OwnJournal(tmp_path, "s")
    assert third.run_end_told
    assert third.seq == second.seq


@pytest.mark.hazard(15)
@pytest.mark.parametrize(
    "rest", [b"", b"}", b',"payload":[]}', b',"payload":' + b"[" * 5000], ids=["torn", "empty", "list", "deep"]
)
def test_a_record_of_its_own_that_is_no_event_keeps_no_shipper_from_its_work(tmp_path: Path, rest: bytes) -> None:
    kinds = (b"worker/crash", b"run/end", b"run/context")
    lines = [encode(seq, b'{"type":"%b"%b' % (kind, rest)) for seq, kind in enumerate(kinds, 1)]
    (tmp_path / "shipper.journal").write_bytes(b"".join(lines))
    own = OwnJournal(tmp_path, "s")
    assert (own.seq, own.run_end_told, own.context_told) == (3, True, True)


def test_a_session_folder_is_removed_but_not_what_others_put_there(directory: Path) -> None:
    journal = Journal(session(directory))
    journal.start()
    assert session_folders(directory) == [journal.folder]
    (journal.folder / "artifact.png").write_bytes(b"1")
    assert remove(journal.folder) == ["artifact.png"]
    assert [path.name for path in journal.folder.iterdir()] == ["artifact.png"]
    (journal.folder / "artifact.png").unlink()
    assert remove(journal.folder) == []
    assert session_folders(directory) == []


def test_what_a_killed_removal_left_is_swept(directory: Path) -> None:
    half = session(directory, ".done-20261121-093000-a1b2c3")
    (half / "gw0.journal").write_bytes(b"")
    assert session_folders(directory) == []
    sweep(directory)
    assert not half.exists()


def test_an_old_folder_without_a_journal_that_nobody_holds_is_swept(directory: Path) -> None:
    old = time.time() - 3600
    folders = {}
    for name in ("old", "held", "young", "strange", "journal"):
        folder = folders[name] = session(directory, name)
        (folder / "ship.lock").touch()
        (folder / "ship.json").write_text("{}")
    (folders["strange"] / "artifact.png").touch()
    (folders["journal"] / "main.journal").touch()
    for name in ("old", "held", "strange", "journal"):
        os.utime(folders[name], (old, old))
    assert session_folders(directory) == [folders["journal"]]
    with FileLock(folders["held"] / "ship.lock"):
        sweep(directory)
    assert {name for name, folder in folders.items() if folder.exists()} == {"held", "young", "strange", "journal"}
    assert (folders["strange"] / "artifact.png").exists()


def test_a_session_runs_while_one_of_its_processes_does(directory: Path) -> None:
    folder = session(directory)
    Journal(folder).start()
    assert not is_running(folder, now_ms())
    Journal(folder, "gw0", pid=os.getpid()).start()
    assert is_running(folder, now_ms())


def test_waits_double_with_jitter_up_to_the_longest() -> None:
    backoff = Backoff(first=0.1, longest=5.0)
    waits = [backoff.next() for _ in range(12)]
    for number, wait in enumerate(waits):
        whole = min(0.1 * 2**number, 5.0)
        assert whole / 2 <= wait <= whole
    backoff.reset()
    assert backoff.next() <= 0.1


def test_the_command_is_isolated_and_carries_no_token(tmp_path: Path) -> None:
    command = spawn_command(str(tmp_path), "s-1", url="http://127.0.0.1:1")
    assert command[1:3] == ["-I", "-c"]
    assert command[4:] == [
        "--directory",
        str(tmp_path),
        "--session",
        "s-1",
        "--url",
        "http://127.0.0.1:1",
    ]
    environment = shipper_environment(
        {"PYTHONPATH": "x", "COV_CORE_SOURCE": "x", "COVERAGE_PROCESS_START": "x", "HOME": "/h"}, token="t"
    )
    assert environment == {"HOME": "/h", TOKEN_VARIABLE: "t"}
    assert json.dumps(command).find("smt_") == -1


@pytest.mark.parametrize(
    "arguments", [["--directory", "."], ["--directory", ".", "--session", "../x"], ["--session", "x"]]
)
def test_wrong_arguments_are_one_line_and_exit_code_2(arguments: list[str]) -> None:
    command = [*spawn_command(".", "x")[:4], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "error: " in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "given", ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "", "nonsense", "00-4bf9"]
)
def test_the_span_in_which_pytest_was_started_is_kept_when_it_is_one(tmp_path: Path, given: str) -> None:
    found = run_context(str(tmp_path / "nowhere"), {"TRACEPARENT": given}, Redactor())
    assert found.get("trace") == ({"traceparent": given} if given.startswith("00-4bf92f") else None)
