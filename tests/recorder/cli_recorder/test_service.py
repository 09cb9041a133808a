"""The recorder as a service: what systemd is told, the files that are installed, and those that come with us."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.cli.recorder import main
from semantest_recorder.cli.service_files import agent, unit, unit_name
from tests.recorder.cli_recorder.daemons import COMMAND, DEADLINE_S, Daemon, run, wait_until
from tests.recorder.server.running import batch, run_start

Serve = Callable[..., Daemon]
ROOT = Path(__file__).resolve().parents[3]
SERVICE, CONTAINER = ROOT / "recorder" / "semantest-recorder.service", ROOT / "recorder" / "Containerfile"


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_of_begin_and_end(tmp_path: Path, project: Path, serve: Serve, abstract: bool) -> None:
    address = f"\0semantest-{os.getpid()}" if abstract else str(tmp_path / "n.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(DEADLINE_S)
        daemon = serve(NOTIFY_SOCKET=address.replace("\0", "@")).ready()
        state, status = manager.recv(4096).decode().split("\n")
        assert (state, status) == ("READY=1", f"STATUS=listening on {daemon.discovery['url']}")
        assert daemon.end()[0] == 0
        assert manager.recv(4096).decode() == "STOPPING=1\nSTATUS=stopping: received SIGTERM"


@pytest.mark.parametrize("address", ["/no/such/socket", "nonsense", "@nobody-listens-here", "", "/" + "x" * 300])
def test_a_service_manager_that_does_not_listen_changes_nothing(project: Path, serve: Serve, address: str) -> None:
    daemon = serve(NOTIFY_SOCKET=address).ready()
    assert daemon.end()[0] == 0


def probe(url: str, path: str) -> int:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_while_it_stops_it_lives_and_is_not_ready(project: Path, serve: Serve) -> None:
    daemon = serve().ready()
    url = daemon.discovery["url"]
    assert (probe(url, "/healthz"), probe(url, "/readyz")) == (200, 200)
    client = daemon.connect()
    holder = sqlite3.connect(daemon.folder / "semantest.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")  # the writer waits for us, and the end waits for the writer
    client.send(json.dumps(batch(1, [run_start()])))
    client.send(json.dumps({"type": "ping", "id": 1}))  # answered behind the batch
    assert json.loads(client.recv())["type"] == "pong"
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.stderr is not None
    while "stopping" not in daemon.process.stderr.readline():
        assert daemon.process.poll() is None
    assert (probe(url, "/healthz"), probe(url, "/readyz")) == (200, 503)
    holder.execute("ROLLBACK")
    holder.close()
    assert json.loads(client.recv())["type"] == "ack"
    assert daemon.end()[0] == 0


@pytest.mark.hazard(22)
def test_it_is_ready_again_when_the_store_is_though_nobody_sends_anything(project: Path, serve: Serve) -> None:
    daemon = serve().ready()
    url, database = daemon.discovery["url"], daemon.folder / "semantest.db"
    client = daemon.connect()
    for part in database.parent.glob("semantest.db*"):
        if part.suffix != ".lock":
            part.unlink()
    database.mkdir()  # nothing can be opened there
    client.send(json.dumps(batch(1, [run_start()])))
    assert json.loads(client.recv())["code"] == "STORE_ERROR"
    assert probe(url, "/readyz") == 503
    database.rmdir()
    wait_until(lambda: probe(url, "/readyz") == 200, "it is ready")
    client.send(json.dumps(batch(1, [run_start()])))
    assert json.loads(client.recv())["type"] == "ack"
    assert daemon.end()[0] == 0


def serve_flags(command: str = "serve") -> set[str]:
    assert isinstance(main, click.Group)
    return {flag for parameter in main.commands[command].params for flag in parameter.opts}


def test_every_option_in_the_unit_and_the_container_file_exists() -> None:
    for file in (SERVICE, CONTAINER):
        told = " ".join(line for line in file.read_text().splitlines() if line.startswith(("ExecStart", "ENTRYPOINT")))
        flags = set(re.findall(r"--[a-z-]+", told))
        assert flags
        assert flags <= serve_flags()


def test_every_path_that_the_container_file_copies_exists() -> None:
    copied = [line.split()[1:-1] for line in CONTAINER.read_text().splitlines() if line.startswith("COPY ")]
    here = [path for paths in copied if not paths[0].startswith("--from") for path in paths]
    assert "pyproject.toml" in here
    assert not [path for path in here if not (ROOT / path).exists()]
    lines = CONTAINER.read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]


def verified(path: Path, *options: str) -> str:
    """What systemd has against a unit."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the unit cannot be verified")
    command = ["systemd-analyze", *options, "verify", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    return done.stderr


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "semantest-recorder"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / SERVICE.name
    copy.write_text(SERVICE.read_text().replace("/opt/semantest/bin/semantest-recorder", str(program)))
    assert SERVICE.name not in verified(copy)


def test_the_installed_unit_runs_the_recorder_and_goes_again(project: Path, serve: Serve) -> None:
    folder = project / "a b %h $HOME" / ".semantest"
    home = {"XDG_CONFIG_HOME": str(project / "config")}
    told: list[str | Path] = ["--directory", folder, "--port", "0", "--log-format", "json", "--json"]
    dry = json.loads(run("install-service", *told, "--dry-run", cwd=project, **home).stdout)
    assert not Path(dry["path"]).exists()
    made = json.loads(run("install-service", *told, cwd=project, **home).stdout)
    path = Path(made["path"])
    assert path.read_text() == made["content"] == dry["content"]
    assert path.parent == project / "config" / "systemd" / "user"
    assert path.name == unit_name(str(folder))
    assert made["run"][1] == ["systemctl", "--user", "enable", "--now", path.name]
    (line,) = re.findall(r"^ExecStart=(.*)$", made["content"], re.MULTILINE)
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]
    assert words[4:] == ["serve", "--directory", str(folder), "--port", "0", "--log-format", "json"]
    assert words[0] == COMMAND[0]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        assert "listening on" in process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE_S)
    assert path.name not in verified(path, "--user")
    assert run("uninstall-service", "--directory", folder, "--dry-run", cwd=project, **home).returncode == 0
    assert path.exists()
    gone = run("uninstall-service", "--directory", folder, cwd=project, **home)
    assert (gone.returncode, path.exists()) == (0, False)
    again = run("uninstall-service", "--directory", folder, cwd=project, **home)
    assert (again.returncode, len(again.stderr.splitlines())) == (3, 1)


def test_a_unit_of_somebody_else_is_left_alone(project: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(project / "config")}
    path = project / "config" / "systemd" / "user" / unit_name(str(project / ".semantest"))
    path.parent.mkdir(parents=True)
    path.write_text("[Unit]\n")
    for command in ("install-service", "uninstall-service"):
        refused = run(command, "--directory", project / ".semantest", cwd=project, **home)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert path.read_text() == "[Unit]\n"


@pytest.mark.hazard(32)
@pytest.mark.parametrize(
    ("options", "file"),
    [
        (["--host", "0.0.0.0"], ""),
        ([], "host = '0.0.0.0'"),
        (["--host", "0.0.0.0", "--tls-terminated"], ""),
        (["--allow-anonymous", "--tls-terminated"], ""),
        (["--tls-cert", "nowhere.pem"], ""),
        (["--tls-cert", "/no/where.pem", "--tls-key", "/no/where.pem"], ""),
        (["--allow-origin", "foo"], ""),
        (["--allow-host", "a/b"], ""),
        ([], "allow-host = ['a/b']"),
        ([], "[plugins.performanc]\nslow = 1"),
    ],
)
def test_what_serve_refuses_is_not_installed(project: Path, options: list[str], file: str) -> None:
    (project / "semantest.toml").write_text(f"[recorder]\n{file}\n")
    refused = run("install-service", *options, cwd=project, XDG_CONFIG_HOME=str(project / "config"))
    served = run("serve", *options, cwd=project)
    assert (refused.returncode, served.returncode) == (2, 2)
    assert refused.stderr == served.stderr
    assert not (project / "config").exists()


def test_variables_are_not_carried_over_nor_looked_at(project: Path) -> None:
    variables = {"SEMANTEST_TOKEN": "abc", "SEMANTEST_RECORDER_HOST": "0.0.0.0", "SEMANTEST_RECORDER_ALLOW_HOST": "a/b"}
    home = {"XDG_CONFIG_HOME": str(project / "config")}
    done = run("install-service", "--json", cwd=project, **home, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["content"].count("0.0.0.0") == 0


def test_a_token_file_that_cannot_be_used_is_told_before_anything_is_written(project: Path) -> None:
    (project / "token").write_text("abc")
    home = {"XDG_CONFIG_HOME": str(project / "config")}
    refused = run("install-service", "--token-file", "token", cwd=project, **home)
    assert (refused.returncode, "the token in token is not" in refused.stderr) == (2, True)
    assert not (project / "config").exists()


@pytest.mark.skipif(shutil.which("systemd-escape") is None, reason="systemd-escape is not installed")
@pytest.mark.parametrize("path", ["/", "/srv/a-b", "/x y/.semantest", "/.hidden", "/ä/%h/$x", "/a//b/", "/a\\b:c_d"])
def test_names_are_escaped_as_systemd_does(path: str) -> None:
    done = subprocess.run(["systemd-escape", "--path", path], capture_output=True, text=True, check=True)
    assert unit_name(path) == f"semantest-recorder@{done.stdout.strip()}.service"


@given(st.text(alphabet=st.characters(blacklist_characters="\n\r\0", blacklist_categories=["Cs"]), min_size=1))
def test_no_path_breaks_out_of_its_line(text: str) -> None:
    lines = unit(["/bin/true", text], "/x").split("\n")
    (line,) = [line for line in lines if line.startswith("ExecStart=")]
    inner = line.removeprefix('ExecStart="/bin/true" "').removesuffix('"')
    read = re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL).replace("%%", "%").replace("$$", "$")
    assert read == text
    assert not re.search(r'(?<!\\)(?:\\\\)*"', inner)
    assert not re.search(r"(?<!%)(?:%%)*%(?!%)", inner)


def test_the_launch_agent_can_be_read_back() -> None:
    import plistlib  # noqa: PLC0415 - for this one test

    found = plistlib.loads(agent(["/usr/bin/python3", "a & <b>"], "/srv/x", "/srv/x/recorder.log").encode())
    assert found["ProgramArguments"] == ["/usr/bin/python3", "a & <b>"]
    assert found["Label"] == "semantest-recorder.srv-x"
