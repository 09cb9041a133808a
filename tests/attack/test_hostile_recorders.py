"""A recorder elsewhere that a pytest asks before it selects: its answers are none, or would make the session green."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_semantest.selection.owed import is_about, parse_owed
from pytest_semantest.shipper.fetching import main as fetch

SNAPSHOT = json.dumps({"version": 1, "runs": 1, "untilMs": 1.0, "tests": {"a.py::t": [1, 0, "p", None]}}).encode()
GREEN: dict[str, Any] = {
    "schema": 1,
    "runs": ["r1"],
    "chain": ["r1"],
    "missing": [],
    "running": [],
    "complete": True,
    "state": "passed",
    "outstanding": 0,
    "tests": {"a.py::t": ["passed", False, None]},
}


class Hostile(ThreadingHTTPServer):
    """Answers every question with ``answer``: a status, headers and a body."""

    daemon_threads = True
    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Hostile

    def do_GET(self) -> None:
        self.server.asked += 1
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
        pass


@pytest.fixture
def recorder() -> Iterator[Hostile]:
    with Hostile(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_is_no_snapshot_takes_no_place_of_one_that_is(
    recorder: Hostile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "snapshot.json"
    recorder.answer = (200, {"Content-Type": "application/json"}, SNAPSHOT)
    assert fetch([recorder.url, str(place), "run"]) == 0
    answers = {
        "no JSON": (200, {}, b"<html>Sign in"),
        "no snapshot": (200, {"Content-Type": "application/json"}, b'{"version": 2}'),
        "no JSON ": (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08\x00"),
        "it answers 302": (302, {"Location": f"{recorder.url}/elsewhere"}, b""),
        " no JSON": (200, {"Content-Length": "1000"}, SNAPSHOT[:-10]),
        "nested too deeply": (200, {}, b"[" * 100_000),
    }
    for told, recorder.answer in answers.items():
        assert fetch([recorder.url, str(place), "run"]) == 1
        assert told.strip() in capsys.readouterr().err
        assert place.read_bytes() == SNAPSHOT
    assert recorder.asked == 1 + len(answers), "a redirect was followed"


@pytest.mark.parametrize(
    "lie",
    [
        {"tests": {"a.py::t": ["failed", True, None]}},
        {"outstanding": -1},
        {"outstanding": 1, "tests": {"a.py::t": ["failed", True, None]}},
        {"complete": False},
        {"missing": ["r0"]},
        {"running": ["r1"]},
    ],
)
def test_an_answer_that_contradicts_itself_makes_nothing_green(lie: dict[str, Any]) -> None:
    assert parse_owed(json.dumps(GREEN).encode()).green
    with pytest.raises(ValueError, match="the answer contradicts itself"):
        parse_owed(json.dumps(GREEN | lie).encode())


@pytest.mark.parametrize(
    ("asked", "runs", "is_one"),
    [
        (["r1"], ["r1"], True),
        (["r"], ["r1"], True),
        (["last"], ["r1"], True),
        (["r1", "last"], ["r1"], True),
        (["r1", "r2"], ["r1", "r2"], True),
        (["r1"], [], False),
        (["last"], [], False),
        (["r1"], ["green"], False),
        (["r1"], ["r1", "green"], False),
        (["r1", "r2"], ["r1"], False),
    ],
)
def test_an_answer_about_other_runs_is_none(asked: list[str], runs: list[str], is_one: bool) -> None:
    assert is_about(parse_owed(json.dumps(GREEN | {"runs": runs}).encode()), asked) is is_one
