"""Artifacts outlive a recorder that is killed, and one whose disk is full takes the others."""

from __future__ import annotations

import hashlib
import http.client
import json
import resource
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon


def put(daemon: Daemon, data: bytes) -> tuple[int, dict[str, object]]:
    """The answer to an upload. Raises ``OSError`` or ``HTTPException`` when the recorder goes away."""
    found = daemon.discovery
    connection = http.client.HTTPConnection(urlsplit(found["url"]).netloc, timeout=DEADLINE_S)
    try:
        name = hashlib.sha256(data).hexdigest()
        headers = {"Authorization": f"Bearer {found['token']}"}
        connection.request("PUT", f"/api/v1/artifacts/{name}", body=data, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "artifacts").rglob("*") if path.is_file()}


@pytest.mark.hazard(18)
def test_what_was_answered_is_there_whole_after_kills(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    answered: set[str] = set()
    for turn in range(4):
        daemon = Daemon(folder).ready()
        try:
            for number in range(turn * 3, turn * 3 + 5):
                data = bytes([number]) * 400_000
                status, _ = put(daemon, data)
                assert status in (200, 201)
                answered.add(hashlib.sha256(data).hexdigest())
            found = daemon.discovery
            half = http.client.HTTPConnection(urlsplit(found["url"]).netloc, timeout=DEADLINE_S)
            half.putrequest("PUT", f"/api/v1/artifacts/{'a' * 64}")
            half.putheader("Authorization", f"Bearer {found['token']}")
            half.putheader("Content-Length", "1000000")
            half.endheaders()
            half.send(b"x" * 500_000)
        finally:
            daemon.end(signal.SIGKILL)
        half.close()
    daemon = Daemon(folder).ready()
    try:
        kept = files(folder)
        assert set(kept) == answered  # and nothing of what was left halfway
        assert all(hashlib.sha256(data).hexdigest() == name for name, data in kept.items())
    finally:
        daemon.end()


@pytest.mark.hazard(22)
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process can be set on Linux only")
def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / ".semantest").ready()
    try:
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
        status, told = put(daemon, b"x" * 3_000_000)
        assert (status, told["code"]) == (507, "STORE_FULL")
        assert put(daemon, b"small")[0] == 201
        assert list(files(tmp_path / ".semantest").values()) == [b"small"]
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert put(daemon, b"x" * 3_000_000)[0] == 201
    finally:
        daemon.end()
