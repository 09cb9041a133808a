"""Artifacts go in by their hash and come out as downloads."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_semantest.protocol.artifacts import MAX_ARTIFACT
from semantest_recorder.store.artifact_sweep import sweep_artifacts
from tests.recorder.server.running import DEADLINE_S, TOKEN, RunningServer, wait_until

BEARER = {"Authorization": f"Bearer {TOKEN}"}
BODY = b"<script>alert(1)</script>" * 20_000
NAME = hashlib.sha256(BODY).hexdigest()
#: More than waits in the buffers of a connection.
LONG = bytes(24 * 1024 * 1024)
LONG_NAME = hashlib.sha256(LONG).hexdigest()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


def ask(
    server: RunningServer, method: str, name: str, body: bytes | Iterator[bytes] | None = None, **headers: str
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    try:
        connection.request(method, f"/api/v1/artifacts/{name}", body=body, headers=BEARER | headers)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def begin_upload(server: RunningServer, header: str, value: str, name: str = NAME) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    connection.putrequest("PUT", f"/api/v1/artifacts/{name}")
    connection.putheader("Authorization", BEARER["Authorization"])
    connection.putheader(header, value)
    connection.endheaders()
    return connection


def files(server: RunningServer) -> list[str]:
    root = server.database.parent / "artifacts"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.hazard(35)
def test_what_a_stranger_sends_is_not_decompressed(server: RunningServer) -> None:
    """What is no gzip would end the connection if somebody tried."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    for _ in range(2):
        connection.request("PUT", f"/api/v1/artifacts/{NAME}", b"no gzip", {"Content-Encoding": "gzip"})
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["code"]) == (401, "UNAUTHORIZED")
    connection.close()


def test_a_compressed_body_of_a_client_is_not_taken(server: RunningServer) -> None:
    packed = gzip.compress(BODY)
    answer = ask(server, "PUT", NAME, packed, **{"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (415, "INVALID_REQUEST")
    assert files(server) == []
    assert ask(server, "PUT", NAME, BODY, **{"Content-Encoding": "identity"}).status == 201


def test_what_goes_in_comes_out_as_a_download(server: RunningServer) -> None:
    assert ask(server, "GET", NAME).status == 404
    first, again = ask(server, "PUT", NAME, BODY), ask(server, "PUT", NAME, BODY)
    assert (first.status, again.status) == (201, 200)
    assert json.loads(first.body) == json.loads(again.body) == {"sha256": NAME, "size": len(BODY)}
    assert files(server) == [f"{NAME[:2]}/{NAME}"]
    got = ask(server, "GET", NAME)
    assert (got.status, got.body) == (200, BODY)
    assert got.headers["Content-Disposition"] == "attachment"
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]


def test_one_that_is_sent_again_stays_until_its_event_is_there(server: RunningServer) -> None:
    ask(server, "PUT", NAME, BODY)
    folder, path = server.database.parent, server.database.parent / "artifacts" / NAME[:2] / NAME
    os.utime(path, (1.0, 1.0))
    assert ask(server, "PUT", NAME, BODY).status == 200
    assert sweep_artifacts(folder, server.database, time.time() * 1000).files == []
    os.utime(path, (1.0, 1.0))
    assert len(sweep_artifacts(folder, server.database, time.time() * 1000).files) == 1
    assert ask(server, "PUT", NAME, BODY).status == 201


def test_a_file_belongs_to_its_owner_alone(server: RunningServer) -> None:
    ask(server, "PUT", NAME, BODY)
    path = server.database.parent / "artifacts" / NAME[:2] / NAME
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.hazard(34)
@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fsemantest.db",
        "%2e%2e",
        "../../etc/passwd",
        NAME.upper(),
        NAME[:-1],
        NAME + "0",
        "%00" * 64,
        "/etc/passwd",
        "incoming",
        "x" * 64,
    ],
)
def test_a_name_that_is_no_hash_reaches_no_file(server: RunningServer, name: str) -> None:
    for method in ("PUT", "GET"):
        answer = ask(server, method, name, BODY if method == "PUT" else None)
        assert answer.status in (400, 404, 405)
        assert answer.code in ("INVALID_REQUEST", "NOT_FOUND", "METHOD_NOT_ALLOWED")
    assert files(server) == []


def test_another_content_is_refused_whether_the_hash_is_known_or_not(server: RunningServer) -> None:
    unknown = ask(server, "PUT", NAME, b"guessed")
    assert ask(server, "PUT", NAME, BODY).status == 201
    known = ask(server, "PUT", NAME, b"guessed")
    told, untold = json.loads(known.body), json.loads(unknown.body)
    assert told.pop("requestId") != untold.pop("requestId")
    assert (known.status, told) == (unknown.status, untold)
    assert known.code == "HASH_MISMATCH"
    again = ask(server, "PUT", NAME, BODY)
    assert (again.status, json.loads(again.body)) == (200, {"sha256": NAME, "size": len(BODY)})


def test_another_content_is_not_taken(server: RunningServer) -> None:
    answer = ask(server, "PUT", NAME, BODY + b"!")
    assert (answer.status, answer.code) == (422, "HASH_MISMATCH")
    assert ask(server, "PUT", NAME, b"").status == 422
    assert files(server) == []


def test_too_much_is_not_taken_whatever_length_is_said(server: RunningServer) -> None:
    answer = ask(server, "PUT", NAME, None, **{"Content-Length": str(MAX_ARTIFACT + 1)})
    assert (answer.status, answer.code) == (413, "ARTIFACT_TOO_LARGE")
    assert files(server) == []


def test_too_much_is_not_taken_when_no_length_is_said(server: RunningServer) -> None:
    chunk = bytes(1024 * 1024)
    connection = begin_upload(server, "Transfer-Encoding", "chunked")
    try:
        for _ in range(MAX_ARTIFACT // len(chunk)):
            connection.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        assert [Path(name).parent.name for name in files(server)] == ["incoming"]
        connection.send(b"1\r\n!\r\n")  # one byte more, and no end
        response = connection.getresponse()
        assert (response.status, json.load(response)["code"]) == (413, "ARTIFACT_TOO_LARGE")
    finally:
        connection.close()
    wait_until(lambda: files(server) == [])


def test_an_upload_that_pauses_for_too_long_is_to_be_sent_again(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "a.db", silence_s=0.2)
    connection = begin_upload(server, "Content-Length", str(len(BODY)))
    try:
        connection.send(BODY[:1000])
        response = connection.getresponse()
        assert (response.status, json.load(response)["code"]) == (408, "INVALID_REQUEST")
        assert files(server) == []
        assert ask(server, "PUT", NAME, BODY).status == 201
    finally:
        connection.close()
        server.close()


def test_a_recorder_is_not_idle_while_an_upload_or_a_download_goes_on(server: RunningServer) -> None:
    hour_ms = 3_600_000.0
    server.stands_ms = time.time() * 1000 + hour_ms

    def is_idle_an_hour_later() -> bool:
        assert server.stands_ms is not None
        server.stands_ms += hour_ms
        return bool(server.call(server.hub.idle_ms) >= hour_ms)

    with closing(begin_upload(server, "Content-Length", str(len(LONG)), LONG_NAME)) as upload:
        upload.send(LONG[:1000])
        wait_until(lambda: len(files(server)) == 1)
        assert not is_idle_an_hour_later()
        upload.send(LONG[1000:])
        assert upload.getresponse().status == 201
    wait_until(is_idle_an_hour_later)
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S)) as download:
        said = f"GET /api/v1/artifacts/{LONG_NAME} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        download.sendall(f"{said}Authorization: {BEARER['Authorization']}\r\n\r\n".encode())
        assert download.recv(100).startswith(b"HTTP/1.1 200")
        assert not is_idle_an_hour_later()
    wait_until(is_idle_an_hour_later)


def test_a_client_that_leaves_halfway_leaves_nothing(server: RunningServer) -> None:
    connection = begin_upload(server, "Content-Length", str(len(BODY)))
    connection.send(BODY[:1000])
    wait_until(lambda: len(files(server)) == 1)
    connection.close()
    wait_until(lambda: files(server) == [])
    assert ask(server, "PUT", NAME, BODY).status == 201


def test_what_a_killed_recorder_left_is_swept(tmp_path: Path) -> None:
    incoming = tmp_path / "artifacts" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "tmpabc").write_bytes(b"half")
    server = RunningServer(tmp_path / "a.db")
    try:
        assert ask(server, "PUT", NAME, BODY).status == 201
        assert files(server) == [f"{NAME[:2]}/{NAME}"]
    finally:
        server.close()


@pytest.mark.hazard(34)
@pytest.mark.parametrize("link", ["incoming", NAME[:2]])
def test_a_link_in_a_folder_from_elsewhere_leads_to_nobodys_files(tmp_path: Path, link: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("mine")
    folder = tmp_path / "project" / "artifacts"
    folder.mkdir(parents=True)
    (folder / link).symlink_to(precious)
    server = RunningServer(tmp_path / "project" / "a.db")
    try:
        answer = ask(server, "PUT", NAME, BODY)
        assert (answer.status, answer.code) == (503, "STORE_ERROR")
    finally:
        server.close()
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]


@pytest.mark.hazard(31)
def test_only_who_may(server: RunningServer) -> None:
    for method in ("PUT", "GET"):
        assert ask(server, method, NAME, b"", Authorization="Bearer smt_wrong").status == 401
        assert ask(server, method, NAME, b"", Origin="https://evil.example").status == 403
    assert files(server) == []


@pytest.mark.hazard(22)
def test_a_folder_that_cannot_be_written_is_told(server: RunningServer) -> None:
    (server.database.parent / "artifacts").write_text("in the way")
    answer = ask(server, "PUT", NAME, BODY)
    assert (answer.status, answer.code) == (503, "STORE_ERROR")
    (server.database.parent / "artifacts").unlink()
    assert ask(server, "PUT", NAME, BODY).status == 201
