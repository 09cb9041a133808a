"""A discovery file that names no address or no process counts as none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from semantest_recorder.cli.daemon import _end
from semantest_recorder.cli.health.recorder_health import recorder_checks
from semantest_recorder.discovery import Discovery
from tests.recorder.cli.recording import DEAD_PID
from tests.recorder.cli_recorder.daemons import Daemon, run, wait_until

_FOUND = {"pid": 1, "url": "http://127.0.0.1:1", "token": "x", "version": "1", "protocolVersion": 1}
_ODD: list[dict[str, object]] = [
    {"url": "http://["},
    {"url": "http://[::1"},
    {"url": "http://127.0.0.1:999999"},
    {"url": "http://127.0.0.1:x"},
    {"url": "http://a b\n:1"},
    {"url": "ftp://127.0.0.1:1"},
    {"url": "http://192.0.2.1:8765"},
    {"url": "http://recorder.example:80"},
    {"url": "http://127.0.0.1:1@192.0.2.1:80"},
    {"url": ""},
    {"pid": 10**20},
    {"pid": 10**18},
    {"pid": 2**31},
    {"pid": 0},
    {"pid": -1},
]
_CONTENTS = {str(odd): json.dumps(_FOUND | odd).encode() for odd in _ODD} | {
    "no UTF-8": json.dumps(_FOUND | {"version": "?"}).encode().replace(b"?", b"\xff"),
    "nested": b"[" * 200_000,
    "nested in a field": b'{"pid": ' + b"[" * 200_000,
}


@pytest.mark.parametrize("content", _CONTENTS.values(), ids=_CONTENTS)
def test_a_discovery_file_that_nobody_can_use_is_none(project: Path, content: bytes) -> None:
    (project / ".semantest").mkdir()
    path = project / ".semantest" / "recorder.json"
    path.write_bytes(content)
    path.chmod(0o600)
    for command in ("status", "stop"):
        done = run(command, cwd=project)
        assert done.returncode == 3, done.stderr
        assert (done.stdout + done.stderr).count("\n") == 1
    (told,) = recorder_checks(path.parent)
    assert (told.name, told.status) == ("recorder", "fail")
    assert told.advice == f"Remove {path}; the next run writes it."


def test_a_recorder_that_ends_by_itself_just_before_it_is_ended_is_no_failure() -> None:
    _end(Discovery(DEAD_PID, "http://127.0.0.1:1", "x", "1", 1), timeout_s=0.0)


def test_a_running_recorder_puts_its_file_back_in_the_place_of_one_that_cannot_be_read(
    serve: Callable[..., Daemon],
) -> None:
    daemon = serve("--idle-timeout", "3").ready()
    before = daemon.discovery
    (daemon.folder / "recorder.json").write_bytes(json.dumps(before).encode().replace(b"smt_", b"\xff"))
    wait_until(lambda: b"\xff" not in (daemon.folder / "recorder.json").read_bytes(), "the file is there again")
    assert daemon.discovery == before
    assert daemon.process.wait(60) == 0, "it still ends when idle"
    assert not (daemon.folder / "recorder.json").exists()
