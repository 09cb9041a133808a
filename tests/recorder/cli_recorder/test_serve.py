"""``serve``: one line with the address, one clear line for everything that keeps it from serving, a polite end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
import websocket

from tests.recorder.cli_recorder.daemons import Daemon, run, wait_until

Serve = Callable[..., Daemon]


def test_it_says_where_it_listens_and_leaves_the_way_there_in_a_private_file(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    found = daemon.discovery
    assert re.fullmatch(
        rf"semantest-recorder: listening on {re.escape(found['url'])} "
        rf"\(pid {daemon.process.pid}, database {re.escape(str(project))}/.semantest/semantest.db\)\n",
        daemon.line,
    )
    assert found["pid"] == daemon.process.pid
    assert found["protocolVersion"] == 1
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", found["url"])
    assert re.fullmatch(r"smt_[A-Za-z0-9_-]{43}", found["token"])
    path = project / ".semantest" / "recorder.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (project / ".semantest" / ".gitignore").read_text() == "*\n"
    assert sorted(p.name for p in path.parent.glob(".recorder*")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_politely(serve: Serve, project: Path, number: signal.Signals) -> None:
    daemon = serve().ready()
    connection = daemon.connect()
    code, _out, err = daemon.end(number)
    assert code == 0, err
    assert number.name in err
    opcode, data = connection.recv_data()
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1001).to_bytes(2, "big"))
    assert not (project / ".semantest" / "recorder.json").exists()
    assert not list((project / ".semantest").glob("*-wal")), "the database was closed"


def test_a_volley_of_signals_is_no_more_than_one(serve: Serve) -> None:
    """A service manager sends a second SIGTERM whenever it likes, up to the process's last breath."""
    daemon = serve().ready()
    while daemon.process.poll() is None:
        daemon.process.send_signal(signal.SIGTERM)
    code, _out, err = daemon.end()
    assert code == 0, err
    assert "Traceback" not in err


@pytest.mark.hazard(24)
def test_a_second_one_says_who_serves_and_changes_nothing(serve: Serve) -> None:
    daemon = serve().ready()
    before = daemon.discovery
    second = serve()
    second_out, second_err = second.process.communicate(timeout=60)
    assert (second.process.returncode, second_out) == (4, "")
    assert second_err.count("\n") == 1
    assert f"pid {before['pid']} at {before['url']}" in second_err
    assert daemon.discovery == before


def test_a_race_of_several_leaves_exactly_one(serve: Serve) -> None:
    daemons = [serve() for _ in range(4)]
    wait_until(lambda: sum(d.process.poll() is None for d in daemons) == 1, "three have given up")
    losers = [d for d in daemons if d.process.poll() is not None]
    (winner,) = [d for d in daemons if d not in losers]
    winner.ready()
    assert winner.discovery["pid"] == winner.process.pid
    assert {d.process.returncode for d in losers} == {4}


def test_what_a_killed_one_left_behind_is_replaced(serve: Serve) -> None:
    killed = serve().ready()
    killed.end(signal.SIGKILL)
    old = killed.discovery
    fresh = serve().ready()
    assert fresh.discovery["pid"] == fresh.process.pid
    assert fresh.discovery["token"] != old["token"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_it_refuses_to_listen_for_others(project: Path, host: str) -> None:
    done = run("serve", "--host", host, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "--tls-cert" in done.stderr
    assert not (project / ".semantest").exists()


def test_a_port_in_use_is_one_line(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("serve", "--port", str(port), cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert f"port {port}" in done.stderr
    assert done.stderr.lower().count("address") == 1
    assert "--port 0" in done.stderr


@pytest.mark.parametrize("where", ["a-file", "below-a-file"])
def test_a_folder_that_cannot_be_written_is_one_line(project: Path, where: str) -> None:
    (project / "file").write_text("")
    folder = project / "file" if where == "a-file" else project / "file" / ".semantest"
    done = run("serve", "--directory", folder, cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert str(folder) in done.stderr
    assert (project / "file").read_text() == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_line(project: Path) -> None:
    folder = project / ".semantest"
    folder.mkdir(mode=0o500)
    done = run("serve", cwd=project)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(folder) in done.stderr


def test_a_database_of_a_newer_version_is_one_line_and_stays_untouched(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    daemon.end()
    database = project / ".semantest" / "semantest.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = database.read_bytes()
    done = run("serve", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "999" in done.stderr
    assert "upgrade" in done.stderr
    assert database.read_bytes() == before


@pytest.mark.hazard(29)
def test_a_corrupt_database_is_set_aside_and_it_serves(serve: Serve, project: Path) -> None:
    database = project / ".semantest" / "semantest.db"
    database.parent.mkdir()
    garbage = b"SQLite format 3\x00" + os.urandom(8192)
    database.write_bytes(garbage)
    daemon = serve().ready()
    _code, _out, err = daemon.end()
    aside = [p for p in database.parent.iterdir() if p.is_file() and p.read_bytes() == garbage]
    assert len(aside) == 1
    assert err.count(aside[0].name) == 1


@pytest.mark.parametrize("token", ["short", "has blanks in the middle", "umlaut-äöü-0123456789"])
def test_a_token_that_is_none_is_refused_and_not_repeated(project: Path, token: str) -> None:
    done = run("serve", cwd=project, SEMANTEST_TOKEN=token)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "SEMANTEST_TOKEN" in done.stderr
    assert token not in done.stderr


def test_the_users_own_token_from_file_or_environment(serve: Serve, project: Path) -> None:
    (project / "token").write_text("smt_0123456789abcdef\n")
    daemon = serve("--token-file", project / "token", SEMANTEST_TOKEN="smt_another-one-entirely").ready()
    assert daemon.discovery["token"] == "smt_0123456789abcdef"
    daemon.connect().close()
    daemon.end()
    daemon = serve(SEMANTEST_TOKEN="smt_another-one-entirely").ready()
    assert daemon.discovery["token"] == "smt_another-one-entirely"
    missing = run("serve", "--token-file", "nowhere", cwd=project)
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)


def test_it_ends_when_nobody_needs_it(serve: Serve, project: Path) -> None:
    daemon = serve("--idle-timeout", "0.4").ready()
    assert daemon.process.wait(60) == 0
    assert "idle" in daemon.end()[2]
    assert not (project / ".semantest" / "recorder.json").exists()


def test_a_connection_keeps_it_alive(serve: Serve) -> None:
    for idle_s in (0.3, 1.2, 4.8, 19.2):  # a busy machine may need longer to connect than the recorder waits
        daemon = serve("--idle-timeout", str(idle_s)).ready()
        with suppress(OSError, websocket.WebSocketException):  # no discovery file, or nobody there
            connection = daemon.connect()
            break

    def uptime_ms() -> float:
        connection.send('{"type":"request","method":"server.info"}')
        return float(json.loads(connection.recv())["payload"]["uptimeMs"])

    wait_until(lambda: uptime_ms() > 4000 * idle_s, "it has lived for several idle times")
    connection.close()
    assert daemon.process.wait(60) == 0


def test_a_lost_discovery_file_comes_back(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    before = daemon.discovery
    (project / ".semantest" / "recorder.json").unlink()
    wait_until((project / ".semantest" / "recorder.json").exists, "the discovery file is back")
    assert daemon.discovery == before


def test_without_its_folder_nobody_could_find_it_and_it_ends(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    # Its files go at one moment: in a half deleted folder it may write its discovery file again.
    shutil.rmtree((project / ".semantest").rename(project / "removed"))
    assert daemon.process.wait(60) == 1, "a failure, for whoever is to start it again"
    assert "removed" in daemon.end()[2]
    assert not (project / ".semantest").exists()


def test_a_recorder_whose_lock_was_removed_makes_room_for_one_that_can_be_found(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    before = daemon.discovery
    for lock in (project / ".semantest").glob("*.lock"):
        lock.unlink()
    assert run("status", cwd=project).returncode == 3, "it is taken for gone"
    assert daemon.process.wait(60) == 1
    assert f"{project / '.semantest'}, or recorder.lock in it, was removed or taken over" in daemon.end()[2]
    after = serve().ready()
    assert after.discovery != before
    assert run("status", cwd=project).returncode == 0


def test_a_removed_database_gets_nothing_more_and_the_log_says_so(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    connection = daemon.connect()
    database = project / ".semantest" / "semantest.db"
    for number in range(3):
        names = {"runId": f"r{number}", "session": f"s{number}", "source": f"s{number}.main", "worker": "main"}
        bodies = [("run/start", names | {"pid": 1, "host": "h"}), ("run/end", {"runId": f"r{number}", "exitCode": 5})]
        events = [{"type": kind, "timestamp": 1_763_683_200_000.0, "payload": payload} for kind, payload in bodies]
        connection.send(json.dumps({"type": "events", "source": names["source"], "firstSeq": 1, "events": events}))
        assert json.loads(connection.recv())["seq"] == 2
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
            assert reader.execute("SELECT id FROM runs").fetchall() == [(f"r{number}",)]
        for part in database.parent.glob("semantest.db*"):
            part.unlink()
    code, _out, err = daemon.end()
    assert code == 0, err
    assert err.count(f"{database} was removed") == 2
    assert "Traceback" not in err


def test_log_lines_as_json(serve: Serve) -> None:
    daemon = serve("--log-format", "json").ready()
    connection = daemon.connect()
    connection.close()
    _code, _out, err = daemon.end()
    lines = [json.loads(line) for line in err.splitlines()]
    assert {"info"} == {line["level"] for line in lines}
    assert any("connected" in line["message"] for line in lines)


def test_a_refused_request_is_in_fields_of_its_own_as_json(serve: Serve) -> None:
    daemon = serve("--log-format", "json").ready()
    port = int(daemon.discovery["url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET /api/v1/status?token=smt_never HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert b" 401 " in raw.recv(1000)
    _code, _out, err = daemon.end()
    (line,) = [found for found in map(json.loads, err.splitlines()) if "status" in found]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/status", 401)
    assert (line["remote"], line["level"]) == ("127.0.0.1", "warning")
    assert "smt_never" not in err


def test_nothing_that_a_client_says_breaks_a_log_line_and_no_token_is_in_the_log(serve: Serve) -> None:
    daemon = serve("--log-level", "debug").ready()
    token = daemon.discovery["token"]
    port = int(daemon.discovery["url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET /x%0a2026-01-01 ERROR forged HTTP/1.1\r\nHost: evil\x1b[31m\r\nA: {token}\r\n\r\n".encode())
        raw.recv(1000)
    with socket.create_connection(("127.0.0.1", port)) as raw:
        request = f"GET /%0aforged%1b[31m?token={token} HTTP/1.1\r\nHost: evil\r\nAuthorization: Bearer {token}\r\n\r\n"
        raw.sendall(request.encode())
        assert b" 403 " in raw.recv(1000)
    connection = daemon.connect()
    connection.close()
    _code, _out, err = daemon.end()
    assert token not in err
    assert "\x1b" not in err
    assert not [line for line in err.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]


@pytest.mark.parametrize(
    "said", [b"\x16\x03\x01\x02\x00hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_http_costs_the_log_one_line(serve: Serve, said: bytes) -> None:
    daemon = serve().ready()
    port = int(daemon.discovery["url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(said)
        assert stranger.recv(100).startswith(b"HTTP/1.0 400 ")
    _code, _out, err = daemon.end()
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 2, err


def test_two_folders_have_two_recorders(serve: Serve, project: Path) -> None:
    one, two = serve(folder=project / "one").ready(), serve(folder=project / "two").ready()
    assert one.discovery["url"] != two.discovery["url"]


def test_ipv6_loopback(serve: Serve) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    daemon = serve("--host", "::1")
    try:
        daemon.ready()
    except AssertionError as error:
        if "cannot listen" in str(error):
            pytest.skip("no IPv6 loopback here")
        raise
    assert daemon.discovery["url"].startswith("http://[::1]:")
    daemon.connect().close()


def test_the_history_for_the_next_session_is_written_when_a_run_has_ended(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    connection = daemon.connect()
    names = {"runId": "r", "session": "s", "source": "s.main", "worker": "main", "pid": 1, "host": "h"}
    test = {"testId": "a.py::test_x", "testName": "test_x", "attempt": 1}
    ended = test | {"status": "passed", "outcome": "passed", "duration": 12.5}
    bodies = [
        ("run/start", names),
        ("test/start", test),
        ("test/end", ended),
        ("run/end", {"runId": "r", "exitCode": 0}),
    ]
    events = [{"type": kind, "timestamp": 1_763_683_200_000.0, "payload": payload} for kind, payload in bodies]
    connection.send(json.dumps({"type": "events", "source": "s.main", "firstSeq": 1, "events": events}))
    assert json.loads(connection.recv())["seq"] == 4
    history = project / ".semantest" / "history.json"
    wait_until(history.exists, "history.json is there")
    assert json.loads(history.read_text())["durations"] == {"a.py::test_x": 12.5}


def test_a_run_that_ended_just_before_the_recorder_is_in_the_history(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    connection = daemon.connect()
    names = {"runId": "r", "session": "s", "source": "s.main", "worker": "main", "pid": 1, "host": "h"}
    bodies = [("run/start", names), ("run/end", {"runId": "r", "exitCode": 5})]
    events = [{"type": kind, "timestamp": 1_763_683_200_000.0, "payload": payload} for kind, payload in bodies]
    connection.send(json.dumps({"type": "events", "source": "s.main", "firstSeq": 1, "events": events}))
    assert json.loads(connection.recv())["seq"] == 2
    assert daemon.end()[0] == 0
    assert json.loads((project / ".semantest" / "history.json").read_text())["durations"] == {}


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}


def test_nobody_else_can_read_what_it_keeps(serve: Serve, project: Path) -> None:
    daemon = serve().ready()
    daemon.connect()
    found = modes(project / ".semantest")
    assert found[".semantest"] == 0o700
    assert found["semantest.db"] == found["semantest.db-wal"] == 0o600
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_nobody_else_can_read_what_start_makes(project: Path) -> None:
    started = run("start", cwd=project)
    assert started.returncode == 0, started.stderr
    found = modes(project / ".semantest")
    assert found[".semantest"] == 0o700
    assert found["recorder.log"] == 0o600
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}
    assert run("stop", cwd=project).returncode == 0
