"""``start``, ``stop``, ``status`` and ``completion``."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest
import websocket

from pytest_semantest.protocol.liveness import process_exists
from semantest_recorder.cli.daemon import describe
from semantest_recorder.cli.recorder import main
from semantest_recorder.cli.stop import Stop
from tests.recorder.cli_recorder.daemons import COMMAND, DEADLINE_S, Daemon, environment, run, wait_until


def test_start_status_stop(project: Path) -> None:
    started = run("start", cwd=project)
    assert started.returncode == 0, started.stderr
    url = started.stdout.strip()
    found = json.loads((project / ".semantest" / "recorder.json").read_text())
    assert found["url"] == url

    status = run("status", cwd=project)
    assert (status.returncode, status.stderr) == (0, "")
    assert url in status.stdout
    as_json = run("status", "--json", cwd=project)
    answer = json.loads(as_json.stdout)
    assert answer["running"] is True
    assert (answer["pid"], answer["url"], answer["status"]) == (found["pid"], url, "ok")
    assert answer["database"] == str(project / ".semantest" / "semantest.db")
    assert answer["databaseBytes"] > 0
    assert (answer["pendingEvents"], answer["sources"], answer["connections"]) == (0, {}, 0)
    assert answer["uptimeMs"] > 0
    assert found["token"] not in as_json.stdout

    stopped = run("stop", cwd=project)
    assert stopped.returncode == 0, stopped.stderr
    assert url in stopped.stdout
    assert not process_exists(found["pid"])
    assert not (project / ".semantest" / "recorder.json").exists()


def test_starting_twice_gives_the_same_recorder(project: Path) -> None:
    first, second = run("start", cwd=project), run("start", cwd=project)
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout


def test_starting_several_at_once_gives_all_the_same_recorder(project: Path) -> None:
    (project / ".semantest").mkdir()
    racers = [
        subprocess.Popen(
            [*COMMAND, "start", "--timeout", str(DEADLINE_S / 2)],
            cwd=project,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [racer.communicate(timeout=DEADLINE_S) for racer in racers]
    assert {racer.returncode for racer in racers} == {0}, answers
    assert len({out for out, _err in answers}) == 1


def test_the_folder_is_found_from_below(project: Path) -> None:
    (project / ".semantest").mkdir()
    (project / "src" / "deep").mkdir(parents=True)
    assert run("start", cwd=project / "src" / "deep").returncode == 0
    assert (project / ".semantest" / "recorder.json").exists()
    assert not (project / "src" / "deep" / ".semantest").exists()
    assert run("status", cwd=project).returncode == 0
    assert run("status", cwd=project.parent, SEMANTEST_DIR=str(project / ".semantest")).returncode == 0


@pytest.mark.hazard(11)
def test_a_started_recorder_holds_nothing_of_its_starter(project: Path) -> None:
    """``start | cat`` ends when ``start`` does, and its working directory can go."""
    done = subprocess.run(
        [*COMMAND, "start"], cwd=project, env=environment(), capture_output=True, timeout=DEADLINE_S, check=True
    )
    assert done.stdout.startswith(b"http://127.0.0.1:")
    pid = json.loads((project / ".semantest" / "recorder.json").read_text())["pid"]
    assert os.getsid(pid) != os.getsid(0)
    for number in (0, 1, 2):
        assert "pipe:" not in str(Path(f"/proc/{pid}/fd/{number}").readlink())


@pytest.mark.parametrize("dashes", [[], ["--"]], ids=["plain", "behind two dashes"])
def test_start_takes_the_options_of_serve(project: Path, dashes: list[str]) -> None:
    (project / "token").write_text("smt_of-this-very-file-and-long-enough")
    (project / "token").chmod(0o600)
    started = run("start", *dashes, "--idle-timeout", "0.3", "--token-file", "token", cwd=project)
    assert started.returncode == 0, started.stderr
    wait_until(lambda: run("status", cwd=project).returncode == 3, "it ends when idle")


def test_start_refuses_an_option_that_serve_does_not_have(project: Path) -> None:
    done = run("start", "--prot", "4711", cwd=project)
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert not (project / ".semantest").exists()


def status_of(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("status", "--json", cwd=project).stdout)
    return found


def test_the_status_says_what_the_recorder_was_started_with(project: Path) -> None:
    run("start", "--idle-timeout", "600", "--allow-host", "b:1", "--allow-host", "a:1", cwd=project)
    assert status_of(project)["options"] == {
        "host": "127.0.0.1",
        "port": 0,
        "tlsCert": None,
        "tlsKey": None,
        "tlsTerminated": False,
        "allowAnonymous": False,
        "allowOrigin": [],
        "allowHost": ["a:1", "b:1"],
        "idleTimeout": 600.0,
        "logFormat": "text",
        "logLevel": "info",
    }


def test_started_by_a_run_it_would_end_when_idle_started_by_hand_it_stays(
    serve: Callable[..., Daemon], project: Path
) -> None:
    daemon = serve("--idle-timeout", "600").ready()
    old = daemon.discovery
    started = run("start", cwd=project)
    assert started.returncode == 0, started.stderr
    assert started.stderr.count("\n") == 1
    assert f"pid {old['pid']}" in started.stderr
    assert "idle" in started.stderr
    daemon.process.wait(timeout=DEADLINE_S)
    found = status_of(project)
    assert (found["url"], found["options"]["idleTimeout"]) == (started.stdout.strip(), 0.0)
    again = run("start", cwd=project)
    assert (again.stdout, again.stderr) == (started.stdout, "")


def test_a_client_of_the_recorder_that_start_replaces_is_told_to_come_again(
    serve: Callable[..., Daemon], project: Path
) -> None:
    daemon = serve("--idle-timeout", "600").ready()
    connection = daemon.connect()
    connection.send(json.dumps({"type": "events", "source": "s.main", "firstSeq": 1, "events": [RUN_START]}))
    assert json.loads(connection.recv())["seq"] == 1
    assert run("start", cwd=project).returncode == 0
    opcode, data = connection.recv_data()
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1001).to_bytes(2, "big"))


def test_options_of_start_reach_also_a_recorder_that_a_run_started(serve: Callable[..., Daemon], project: Path) -> None:
    serve("--idle-timeout", "600").ready()
    token = "smt_" + "t" * 20
    started = run("start", "--allow-host", "tests:1", cwd=project, SEMANTEST_TOKEN=token)
    assert started.returncode == 0, started.stderr
    found = status_of(project)
    assert (found["options"]["allowHost"], found["options"]["idleTimeout"]) == (["tests:1"], 0.0)
    assert json.loads((project / ".semantest" / "recorder.json").read_text())["token"] == token


def test_one_with_the_same_options_is_left_alone(serve: Callable[..., Daemon], project: Path) -> None:
    daemon = serve("--idle-timeout", "600").ready()
    started = run("start", "--idle-timeout", "600.0", cwd=project)
    assert (started.returncode, started.stderr) == (0, "")
    assert started.stdout.strip() == daemon.discovery["url"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "1"], "--port 1"),
        (["--log-level", "debug"], "--log-level debug"),
        (["--allow-anonymous"], "--allow-anonymous"),
    ],
)
def test_options_that_a_recorder_of_the_users_does_not_have_are_not_dropped_silently(
    serve: Callable[..., Daemon], project: Path, options: list[str], told: str
) -> None:
    daemon = serve("--allow-host", "tests:1", "--idle-timeout", "600").ready()
    done = run("start", *options, cwd=project)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert "semantest-recorder stop" in done.stderr
    done = run("start", cwd=project, SEMANTEST_TOKEN="smt_" + "t" * 20)
    assert done.returncode == 4
    assert "token" in done.stderr
    assert "t" * 20 not in done.stderr
    kept = run("start", cwd=project)
    assert kept.returncode == 0, kept.stderr
    assert kept.stdout.strip() == daemon.discovery["url"]
    assert "600 s" in kept.stderr, "it does not stay, as its user wanted"


def test_start_says_which_folder_it_made(project: Path) -> None:
    assert str(project / ".semantest") in run("start", cwd=project).stderr
    assert run("start", cwd=project).stderr == ""


def test_a_folder_of_a_project_means_the_one_inside(project: Path) -> None:
    assert run("start", cwd=project).returncode == 0
    assert run("status", "--directory", project, cwd=project.parent).returncode == 0
    assert {path.name for path in project.iterdir()} == {".semantest"}


def test_start_repeats_the_line_of_a_recorder_that_cannot_serve(project: Path) -> None:
    done = run("start", "--host", "0.0.0.0", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "--tls-cert" in done.stderr
    (project / ".semantest" / "semantest.db").mkdir()
    done = run("start", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "semantest.db" in done.stderr


@pytest.mark.parametrize("command", ["status", "stop"])
def test_where_none_runs(project: Path, command: str) -> None:
    done = run(command, cwd=project)
    assert done.returncode == 3
    assert (done.stdout + done.stderr).count("\n") == 1
    assert not (project / ".semantest").exists(), "asking creates nothing"


def test_a_killed_one_does_not_run_though_its_file_says_so(serve: Callable[..., Daemon], project: Path) -> None:
    daemon = serve().ready()
    daemon.end(signal.SIGKILL)
    assert (project / ".semantest" / "recorder.json").exists()
    assert run("status", cwd=project).returncode == 3
    assert json.loads(run("status", "--json", cwd=project).stdout)["running"] is False
    assert run("stop", cwd=project).returncode == 3
    assert run("start", cwd=project).returncode == 0


def test_a_discovery_file_with_a_stranger_s_pid_harms_no_stranger(project: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        (project / ".semantest").mkdir()
        forged = {"pid": stranger.pid, "url": "http://127.0.0.1:1", "token": "smt_0123456789abcdef", "version": "0"}
        (project / ".semantest" / "recorder.json").write_text(json.dumps(forged | {"protocolVersion": 1}))
        assert run("stop", cwd=project).returncode == 3
        assert stranger.poll() is None
        assert run("status", cwd=project).returncode == 3
        assert run("start", cwd=project).returncode == 0
        stranger.kill()


@pytest.mark.hazard(21)
def test_one_that_hangs_is_told_from_one_that_does_not_run(serve: Callable[..., Daemon], project: Path) -> None:
    daemon = serve().ready()
    daemon.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: _state(daemon.process.pid) == "T", "it is stopped")
    with ThreadPoolExecutor() as each:  # each of them waits for an answer
        found = list(each.map(partial(run, cwd=project), ("status", "stop", "start")))
    for done in found:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1
        assert f"kill -KILL {daemon.process.pid}" in done.stderr
    daemon.process.send_signal(signal.SIGCONT)
    assert run("status", cwd=project).returncode == 0


def test_stop_waits_only_as_long_as_it_was_told(serve: Callable[..., Daemon], project: Path) -> None:
    daemon = serve().ready()
    connection = daemon.connect()
    with blocked(project / ".semantest" / "semantest.db"):
        connection.send(json.dumps({"type": "events", "source": "s.main", "firstSeq": 1, "events": [RUN_START]}))
        wait_until_pending(daemon)
        done = run("stop", "--timeout", "0.1", cwd=project)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "--timeout" in done.stderr
    assert daemon.end()[0] == 0
    assert json.loads(connection.recv())["seq"] == 1


def test_a_store_that_hangs_does_not_hold_the_end_and_nothing_unstored_is_acknowledged(
    serve: Callable[..., Daemon], project: Path
) -> None:
    daemon = serve().ready()
    connection = daemon.connect()
    frame = json.dumps({"type": "events", "source": "s.main", "firstSeq": 1, "events": [RUN_START]})
    with blocked(project / ".semantest" / "semantest.db"):
        connection.send(frame)
        wait_until_pending(daemon)
        code, _out, err = daemon.end()
    assert code == 1
    assert "unacknowledged" in err
    opcode, data = connection.recv_data()
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1001).to_bytes(2, "big"))
    assert not (project / ".semantest" / "recorder.json").exists()
    connection = serve().ready().connect()
    connection.send(frame)
    assert json.loads(connection.recv())["seq"] == 1


RUN_START = {
    "type": "run/start",
    "timestamp": 1_763_683_200_000.0,
    "payload": {"runId": "r", "session": "s", "source": "s.main", "worker": "main", "pid": 1, "host": "h"},
}


def wait_until_pending(daemon: Daemon) -> None:
    """Returns when an event waits for the store; without a process for each look, for the store waits only seconds."""
    other = daemon.connect()

    def pending() -> bool:
        other.send('{"type":"request","method":"server.health"}')
        return bool(json.loads(other.recv())["payload"]["pendingEvents"])

    wait_until(pending, "it waits")
    other.close()


@contextmanager
def blocked(database: Path) -> Iterator[None]:
    """Another program holds the database's write lock."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(project: Path, shell: str) -> None:
    printed = run("completion", shell, cwd=project)
    assert printed.returncode == 0
    assert "_SEMANTEST_RECORDER_COMPLETE" in printed.stdout
    by_variable = subprocess.run(
        ["semantest-recorder"],
        env=environment(_SEMANTEST_RECORDER_COMPLETE=f"{shell}_source"),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert printed.stdout == by_variable.stdout


def test_completion_completes() -> None:
    answer = subprocess.run(
        ["semantest-recorder"],
        env=environment(
            _SEMANTEST_RECORDER_COMPLETE="bash_complete", COMP_WORDS="semantest-recorder st", COMP_CWORD="1"
        ),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert sorted(line.partition(",")[2] for line in answer.stdout.splitlines()) == ["start", "status", "stop"]


@pytest.mark.parametrize("name", ["", *sorted(main.commands)])
def test_every_help_has_an_example(name: str) -> None:
    command: click.Command = main.commands[name] if name else main
    with click.Context(command, info_name="semantest-recorder") as context:
        text = command.get_help(context)
    assert f"    {'semantest-recorder' if name != 'completion' else 'eval'}" in text
    assert "Example" in text
    assert "\b" not in text


def test_an_answer_that_is_no_recorders_is_told(project: Path) -> None:
    assert describe({"running": False, "directory": "/x"}).startswith("no recorder runs for /x")
    with pytest.raises(Stop, match="does not say what a recorder of this version says"):
        describe({"running": True, "url": "http://127.0.0.1:1", "sources": {}})
