"""A ``.semantest`` folder that came from somebody else: in a checkout, in an archive, as an artifact of CI.

Its files belong to whoever unpacked it. What is in it may be wrong about anything, and reaches nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from pytest_semantest.protocol.layout import OWN_NAMES
from pytest_semantest.protocol.private_folder import require_private_folder
from tests.recorder.cli_recorder.daemons import run
from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import IngestServer
from tests.shipper.journals import Journal, session
from tests.shipper.test_shipping import ended_session, finish, wait_until

pytestmark = pytest.mark.hazard(34)

#: When nobody uses a folder that holds no journal any more.
LONG_AGO = (1.0, 1.0)


def test_a_link_to_a_folder_is_no_session(
    directory: Path, tmp_path: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    ended_session(directory)
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("draft.tmp", "disk.status", "stop"):
        (mine / name).write_text("mine\n")
    os.utime(mine, LONG_AGO)
    (directory / "sessions" / "20200101-000000-aaaaaa").symlink_to(mine)
    others = Journal(session(tmp_path / "another project", "20200101-000000-bbbbbb"))
    others.start()
    others.end()
    (directory / "sessions" / "20200101-000000-bbbbbb").symlink_to(others.folder)
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert sorted(path.name for path in mine.iterdir()) == ["disk.status", "draft.tmp", "stop"]
    assert [path.name for path in others.folder.iterdir()] == ["main.journal"]
    assert others.source not in server.events


@pytest.mark.parametrize("what", ["one artifact", "all artifacts", "a journal"])
def test_what_a_link_in_a_session_leads_to_is_sent_to_nobody(
    directory: Path, tmp_path: Path, server: IngestServer, start_shipper: StartShipper, what: str
) -> None:
    folder, kept = ended_session(directory).folder, tmp_path / "kept"
    secret = b"-----BEGIN OPENSSH PRIVATE KEY-----"
    name = hashlib.sha256(secret).hexdigest()
    kept.mkdir()
    (kept / name).write_bytes(secret)
    others = Journal(session(tmp_path / "another project"))
    others.start()
    others.test("test_of_another_project.py::test_it")
    if what == "one artifact":
        (folder / "artifacts").mkdir()
        (folder / "artifacts" / name).symlink_to(kept / name)
    elif what == "all artifacts":
        (folder / "artifacts").symlink_to(kept)
    else:
        (folder / "gw0.journal").symlink_to(others.path)
    (folder / "ship.json").write_text(json.dumps({"named": True, "recorder": server.url}))  # it names the thief
    code, said = finish(start_shipper(sync=True))
    assert server.events[f"{folder.name}.main"], said
    if what == "a journal":  # it may be somebody's by mistake: the session stays, and is told
        assert (code, "gw0.journal cannot be read: it is a symbolic link" in said) == (5, True), said
    assert (server.artifacts, server.puts) == ({}, [])
    assert "another_project" not in json.dumps(server.events)
    assert (kept / name).read_bytes() == secret
    assert others.path.exists()


def test_a_lock_that_leads_elsewhere_is_not_taken(
    directory: Path, tmp_path: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine\n")
    folder = ended_session(directory).folder
    (folder / "ship.lock").symlink_to(mine)
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert (code, "it is a symbolic link: remove it" in said) == (5, True), said
    assert mine.read_text() == "mine\n"


def test_names_of_ours_that_lead_elsewhere_stop_whoever_would_write_there(
    directory: Path, tmp_path: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine\n")
    for name in OWN_NAMES:
        (directory / name).symlink_to(mine)
        refusal = re.escape(f"it is a symbolic link: remove it: '{directory / name}'")
        with pytest.raises(PermissionError, match=f"{refusal}$"):
            require_private_folder(str(directory))
        (directory / name).unlink()
    (directory / "sessions").symlink_to(mine)
    told = f"{directory / 'sessions'}: it is a symbolic link: remove it"
    served = run("serve", "--idle-timeout", "0.1", cwd=tmp_path)
    assert (served.returncode, told in served.stderr) == (1, True), served.stderr
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert (code, told in said) == (2, True), said
    assert mine.read_text() == "mine\n"


def test_a_recorder_that_only_a_folder_names_stops_no_process(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    """A journal names processes, and a recorder may have those of its run ended: here both are the thief's word."""
    mine = subprocess.Popen(["sleep", "600"])
    try:
        journal = Journal(session(directory), pid=mine.pid)
        journal.start()
        (journal.folder / "ship.json").write_text(json.dumps({"named": True, "recorder": server.url}))
        cancel = {"type": "cancel", "payload": {"runId": journal.folder.name, "reason": "harm", "graceMs": 0}}
        server.behaviour.nonsense = [json.dumps(cancel)]
        shipper = start_shipper(sync=True, timeout=60)
        wait_until(lambda: not server.behaviour.nonsense, "it is said")
        journal.test("test_a.py::test_a")
        wait_until(lambda: server.events.get(journal.source) == journal.events(), "what came before was heard")
        assert (mine.poll(), (journal.folder / "stop").exists()) == (None, False)
    finally:
        mine.kill()
        mine.wait()
    assert finish(shipper)[0] == 0
