"""Tokens of a running recorder: taken in at once, and gone at once (HAZARDS 31, 32)."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websocket

from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.core.access import digest_of
from semantest_recorder.token_file import TokenFile
from tests.recorder.cli.command import Said, semantest_in
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, answer_of, ask, end_of, environment
from tests.recorder.small_disk import fill, small_disk

pytestmark = [pytest.mark.hazard(31), pytest.mark.hazard(32)]

Serve = Callable[..., Daemon]
SEMANTEST = [sys.executable, "-m", "semantest_recorder.cli.semantest"]


def token(folder: Path, *arguments: str) -> Said:
    """Runs ``semantest token``."""
    return semantest_in(folder.parent, environment(), "token", *arguments, "--directory", str(folder))


def create(folder: Path, name: str, *roles: str, expires: str | None = None) -> str:
    options = [part for role in roles for part in ("--role", role)] + (["--expires", expires] if expires else [])
    made = token(folder, "create", "--name", name, *options)
    assert made.code == 0, made.err
    return made.out.strip()


def status_of(url: str, bearer: str) -> int:
    return answer_of(url, "GET", "/api/v1/status", bearer)[0]


def connect(url: str, bearer: str) -> websocket.WebSocket:
    connection = websocket.create_connection(
        url.replace("http", "ws", 1) + "/ws",
        header={"Authorization": f"Bearer {bearer}"},
        suppress_origin=True,
        http_no_proxy=["*"],
        timeout=DEADLINE_S,
    )
    assert json.loads(connection.recv())["payload"]["type"] == "system.connected"
    return connection


def test_a_token_works_from_the_moment_it_is_made_to_the_moment_it_is_revoked(project: Path, serve: Serve) -> None:
    folder = project / ".semantest"
    early = create(folder, "early", "read")  # before there is any recorder
    daemon = serve().ready()
    url, own = daemon.discovery["url"], daemon.discovery["token"]
    assert status_of(url, early) == 200
    late, other = create(folder, "late", "read"), create(folder, "other", "ingest")
    assert status_of(url, late) == 200
    assert status_of(url, other) == 403
    reader, kept = connect(url, late), connect(url, early)
    assert token(folder, "revoke", "late").out == "Revoked late.\n"
    assert status_of(url, late) == 401
    assert end_of(reader) == (1008, "the token was revoked or has expired")
    assert ask(kept, {"type": "ping", "id": 1})["type"] == "pong"
    kept.close()
    _code, out, err = daemon.end()
    for secret in (early, late, other, own):
        assert secret not in out + err


def test_the_log_says_by_name_who_connected_was_refused_and_lost_a_token(project: Path, serve: Serve) -> None:
    daemon = serve("--log-format", "json").ready()
    url, sender = daemon.discovery["url"], create(daemon.folder, "ci2", "ingest")
    assert status_of(url, sender) == 403
    assert status_of(url, "smt_of-nobody-at-all") == 401
    connections = [connect(url, sender), connect(url, sender)]
    for number in range(3):  # said once for each kind
        connections[0].send(json.dumps({"type": "subscribe", "id": number, "payload": {"eventTypes": ["*"]}}))
        connections[0].send(json.dumps({"type": "request", "method": "getStatistics", "id": f"q{number}"}))
        assert [json.loads(connections[0].recv())["type"] for _ in range(2)] == ["error", "response"]
    connect(url, daemon.discovery["token"]).close()
    token(daemon.folder, "revoke", "ci2")
    for connection in connections:
        assert end_of(connection)[0] == 1008
    _code, _out, err = daemon.end()
    lines = [json.loads(line) for line in err.splitlines()]
    named = [(line["name"], line["message"]) for line in lines if "name" in line]
    ids = [line["client"] for line in lines if line["message"].startswith("client") and line.get("name") == "ci2"]
    assert len(ids) == 2
    said = [text for name, text in named if name == "ci2"]
    assert said[0].startswith("refused GET /api/v1/status from 127.0.0.1 (ci2): this needs the role read, and ")
    assert [text for text in said if "a message" in text] == [
        f"refused a message of client {ids[0]} (ci2): subscribe needs the role read",
        f"refused a message of client {ids[0]} (ci2): getStatistics needs the role read",
    ]
    assert f"client {ids[0]} (ci2) connected: no User-Agent" in said
    assert said[-2:] == [
        "the token ci2 is gone",
        "closed 2 connections of ci2: the token was revoked or has expired",
    ]
    assert any(name == "owner" and "(owner) connected" in text for name, text in named)


def test_a_token_that_expires_during_a_connection_closes_it(project: Path, serve: Serve) -> None:
    daemon = serve().ready()
    mine = create(daemon.folder, "brief", "read", expires="30d")
    connection = connect(daemon.discovery["url"], mine)
    path = daemon.folder / "tokens.json"
    table = json.loads(path.read_text())
    table["tokens"][0]["expiresMs"] = time.time() * 1000 + 1500  # nothing but the clock tells of the end
    write_whole(path, json.dumps(table).encode())  # in one step: a file that is being written is none to be trusted
    assert end_of(connection)[0] == 1008
    assert status_of(daemon.discovery["url"], mine) == 401
    listed = json.loads(token(daemon.folder, "list", "--json").out)
    assert [(one["name"], one["expired"]) for one in listed["tokens"]] == [("brief", True)]


_DAMAGES = ["no json", "writable by others", "a newer schema", "a pipe"]


@pytest.mark.parametrize("damage", _DAMAGES + (["of another user"] if os.geteuid() == 0 else []))
def test_a_file_that_cannot_be_trusted_gives_nobody_a_role_but_the_owner(
    project: Path, serve: Serve, damage: str
) -> None:
    daemon = serve().ready()
    mine, path = create(daemon.folder, "ci", "read"), daemon.folder / "tokens.json"
    url = daemon.discovery["url"]
    connection, good = connect(url, mine), path.read_text()
    if damage == "no json":
        path.write_text('{"tokens": [')
    elif damage == "a newer schema":
        path.write_text(good.replace('"schema": 1', '"schema": 2'))
    elif damage == "of another user":
        os.chown(path, 12345, 12345)
    elif damage == "a pipe":
        path.unlink()
        os.mkfifo(path)
    else:
        path.chmod(0o666)
    assert end_of(connection)[0] == 1008
    assert status_of(url, mine) == 401
    assert status_of(url, daemon.discovery["token"]) == 200
    refused = token(daemon.folder, "create", "--name", "x", "--role", "read")
    assert (refused.code, refused.out, len(refused.err.splitlines())) == (1, "", 1)
    path.unlink()
    path.write_text(good)
    path.chmod(0o600)
    assert status_of(url, mine) == 200
    assert "no token but the recorder's own is valid" in daemon.end()[2]


def test_tokens_outlive_database_and_recorder(project: Path, serve: Serve) -> None:
    daemon = serve().ready()
    mine = create(daemon.folder, "ci", "read")
    daemon.end()
    for file in daemon.folder.glob("semantest.db*"):
        file.unlink()
    assert status_of(serve().ready().discovery["url"], mine) == 200


def test_commands_that_run_at_the_same_time_lose_no_token(project: Path) -> None:
    folder = project / ".semantest"
    command = [*SEMANTEST, "token", "create", "--role", "read", "--directory", str(folder), "--name"]
    running = [
        subprocess.Popen([*command, f"t{number}"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in range(6)
    ]
    said = [process.communicate(timeout=DEADLINE_S)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 6
    assert len(set(said)) == 6
    listed = json.loads(token(folder, "list", "--json").out)["tokens"]
    assert sorted(one["name"] for one in listed) == [f"t{number}" for number in range(6)]
    path = folder / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [secret for secret in said if secret.strip() in path.read_bytes()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for others")
def test_what_root_makes_in_the_folder_of_a_service_belongs_to_the_service(project: Path) -> None:
    folder = project / ".semantest"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    create(folder, "ci", "read")
    assert {(folder / name).stat().st_uid for name in ("tokens.json", "tokens.lock")} == {12345}


def test_what_is_wrong_is_told_in_one_line(project: Path) -> None:
    folder = project / ".semantest"
    assert token(folder, "revoke", "ci").code == 3
    create(folder, "ci", "read")
    taken = token(folder, "create", "--name", "ci", "--role", "read")
    assert taken.code == 2
    assert "semantest token revoke ci" in taken.err
    missing = token(folder, "revoke", "cj", "--dry-run")
    assert (missing.code, missing.err) == (3, "semantest: there is no token named 'cj'; there are ci\n")
    assert token(folder, "revoke", "ci", "--dry-run").out == "Would revoke ci.\n"
    assert token(folder, "create", "--name", "x", "--role", "read", "--expires", "soon").code == 2
    assert "ci: read; made" in token(folder, "list").out


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """This process cannot open anything."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_changed_file_that_cannot_be_opened_now_is_read_later(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    folder.mkdir()

    first = digest_of(create(folder, "first", "read"))
    known = TokenFile(folder, lambda: time.time() * 1000)
    second = digest_of(create(folder, "second", "read"))
    with no_descriptor_left():
        before = known.holder(first), known.holder(second)
    assert [holder.name if holder else None for holder in before] == ["first", None]
    after = known.holder(first), known.holder(second)
    assert [holder.name if holder else None for holder in after] == ["first", "second"]


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", "64k") as folder:
        yield folder


@pytest.mark.parametrize("folder_is_there", [True, False])
def test_a_full_disk_is_told_and_leaves_nothing_half_written(small_disk: Path, folder_is_there: bool) -> None:
    folder, ballast = small_disk / ".semantest", small_disk / "ballast"
    if folder_is_there:
        create(folder, "old", "read")
    fill(ballast)
    said = token(folder, "create", "--name", "new", "--role", "read")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "No space left on device; make room" in said.err
    ballast.unlink()
    create(folder, "new", "read")
    assert (folder / ".gitignore").read_text() == "*\n"
    names = [one["name"] for one in json.loads(token(folder, "list", "--json").out)["tokens"]]
    assert names == (["old", "new"] if folder_is_there else ["new"])
