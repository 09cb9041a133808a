"""A recorder does not serve a folder in which others can give themselves tokens."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from semantest_recorder.discovery import read_discovery
from tests.recorder.cli_recorder.daemons import run

STRANGER = 12345
_FOUND = {"pid": 1, "url": "http://127.0.0.1:1", "token": "x", "version": "1", "protocolVersion": 1}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@pytest.mark.parametrize("command", ["serve", "start"])
def test_no_recorder_in_a_folder_that_every_user_may_write(project: Path, command: str) -> None:
    folder = project / ".semantest"
    folder.mkdir()
    folder.chmod(0o777)
    done = run(command, cwd=project)
    assert done.returncode == 1
    assert "every user may write it: run `chmod go-w" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(folder.iterdir()) == [], "nothing is written into it"


def test_a_log_that_leads_elsewhere_is_refused(project: Path) -> None:
    victim = project / "bashrc"
    victim.write_text("# mine\n")
    (project / ".semantest").mkdir(mode=0o700)
    (project / ".semantest" / "recorder.log").symlink_to(victim)
    done = run("start", cwd=project)
    assert (done.returncode, "it is a symbolic link: remove it" in done.stderr) == (1, True)
    assert victim.read_text() == "# mine\n"


@pytest.mark.parametrize(("command", "lock"), [("serve", "recorder.lock"), ("start", "recorder-starting.lock")])
def test_a_lock_that_leads_elsewhere_empties_nothing(project: Path, command: str, lock: str) -> None:
    victim = project / "bashrc"
    victim.write_text("# mine\n")
    (project / ".semantest").mkdir(mode=0o700)
    (project / ".semantest" / lock).symlink_to(victim)
    done = run(command, cwd=project)
    assert (done.returncode, "it is a symbolic link" in done.stderr) == (1, True)
    assert done.stderr.count("\n") == 1
    assert victim.read_text() == "# mine\n"


@as_root
@pytest.mark.parametrize("name", ["tokens.json", "semantest.db"])
def test_a_file_that_somebody_else_put_there_is_refused(project: Path, name: str) -> None:
    (project / ".semantest").mkdir(mode=0o700)
    (project / ".semantest" / name).touch(mode=0o644)
    os.chown(project / ".semantest" / name, STRANGER, STRANGER)
    done = run("serve", cwd=project)
    assert done.returncode == 1
    assert f"{name}: it belongs to user {STRANGER}: remove it" in done.stderr


@as_root
def test_a_recorder_that_somebody_else_names_is_none(tmp_path: Path) -> None:
    path = tmp_path / "recorder.json"
    path.write_text(json.dumps(_FOUND))
    path.chmod(0o600)
    assert read_discovery(tmp_path) is not None
    os.chown(path, STRANGER, STRANGER)
    assert read_discovery(tmp_path) is None


def test_a_recorder_that_others_could_have_named_is_none(tmp_path: Path) -> None:
    path = tmp_path / "recorder.json"
    path.write_text(json.dumps(_FOUND))
    path.chmod(0o666)
    assert read_discovery(tmp_path) is None
