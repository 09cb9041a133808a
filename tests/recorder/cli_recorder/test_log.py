"""The log takes so much and no more, whatever strangers order."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pytest_semantest.protocol.recorder_log import MOST_BYTES, last_words
from semantest_recorder.cli.log_ration import MOST, RationedHandler
from tests.recorder.cli_recorder.daemons import COMMAND, DEADLINE_S, Daemon, environment, wait_until


def test_refusals_of_one_kind_are_few_short_and_counted(serve: Callable[..., Daemon]) -> None:
    daemon = serve().ready()
    address = urlsplit(daemon.discovery["url"])
    said = f"GET /{'%01' * 2600} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
    with socket.create_connection((address.hostname, address.port), timeout=DEADLINE_S) as stranger:
        for _ in range(500):
            stranger.sendall(said)
            answer = stranger.recv(64 * 1024)
            assert answer.startswith(b"HTTP/1.1 401")
            while b'"status":401' not in answer:
                answer += stranger.recv(64 * 1024)
    lines = daemon.end()[2].splitlines()
    refusals = [line for line in lines if " refused GET " in line]
    assert 0 < len(refusals) < 500
    assert max(map(len, lines)) < 2000
    assert [line for line in lines if "more lines such as: refused %s %s from %s: %s" in line]


def test_lines_of_other_kinds_are_not_held_up() -> None:
    now, stream = [0.0], StringIO()
    handler = RationedHandler(stream, lambda: now[0])

    def log(text: str, *values: object) -> None:
        handler.handle(logging.LogRecord("here", logging.WARNING, "", 0, text, values, None))

    for number in range(MOST + 5):
        log("refused %d", number)
    log("something else")
    assert stream.getvalue().splitlines() == [*(f"refused {number}" for number in range(MOST)), "something else"]
    now[0] = 1.0
    log("refused %d", 99)
    assert stream.getvalue().splitlines()[-2:] == ["and 5 more lines such as: refused %d", "refused 99"]


def write_log(directory: Path, program: str, log: Path | None = None) -> None:
    """Runs a program whose stdout and stderr are a log, with ``own`` and ``fill``."""
    begin = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from pytest_semantest.protocol.recorder_log import MOST_BYTES, OwnLog\n"
        "folder = Path(sys.argv[1])\n"
        "own = OwnLog(folder)\n"
        "def fill(): os.write(2, b'x' * MOST_BYTES)\n"
    )
    with (log or directory / "recorder.log").open("ab") as file:
        subprocess.run([sys.executable, "-c", begin + program, directory], stdout=file, stderr=file, check=True)


def test_a_log_that_grows_large_is_turned_over_while_its_process_goes_on(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        """
fill()
assert not own.turn_over()
os.write(1, b"y")
assert own.turn_over()
os.write(1, b"out ")
os.write(2, b"err")
""",
    )
    assert (tmp_path / "recorder.log").read_text() == "out err"
    assert (tmp_path / "recorder.log.1").stat().st_size == MOST_BYTES + 1


@pytest.mark.parametrize("large", [True, False])
def test_a_log_that_was_removed_is_begun_anew(tmp_path: Path, large: bool) -> None:
    write_log(
        tmp_path,
        f"""
if {large}:
    fill()
    fill()
(folder / "recorder.log").unlink()
assert own.turn_over()
assert not own.turn_over()
os.write(1, b"out ")
os.write(2, b"err")
""",
    )
    assert (tmp_path / "recorder.log").read_text() == "out err"


def test_a_log_that_somebody_else_turned_over_is_not_left_to_grow(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        """
fill()
os.write(2, b"y")
(folder / "recorder.log").rename(folder / "recorder.log.1")
(folder / "recorder.log").write_text("another ")
assert own.turn_over()
os.write(1, b"out")
""",
    )
    assert (tmp_path / "recorder.log").read_text() == "another out"


def test_a_log_for_whose_successor_there_is_no_room_stays_in_place(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        """
fill()
os.write(2, b"y")
(folder / "recorder.log.new").mkdir()
try:
    own.turn_over()
except OSError:
    os.write(1, b"!")
else:
    sys.exit(1)
(folder / "recorder.log.new").rmdir()
assert own.turn_over()
os.write(1, b"out")
""",
    )
    assert (tmp_path / "recorder.log").read_text() == "out"
    assert (tmp_path / "recorder.log.1").stat().st_size == MOST_BYTES + 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("semantest-recorder: no such plugin", "no such plugin"),
        ("2026-11-21T09:30:00.123Z ERROR no such plugin", "no such plugin"),
        ('{"time": "2026-11-21T09:30:00.123Z", "level": "error", "message": "no such plugin"}', "no such plugin"),
        ('{"time": 1}', '{"time": 1}'),
        ("{" * 2000, "{" * 500),
        ("", ""),
    ],
)
def test_the_last_words_of_a_recorder(tmp_path: Path, line: str, words: str) -> None:
    assert last_words(tmp_path, 0) == ""
    (tmp_path / "recorder.log").write_text(f"an earlier one's\n{line}\n\n")
    assert last_words(tmp_path, len("an earlier one's\n")) == words


def test_a_log_that_goes_elsewhere_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "recorder.log").write_text("another one's")
    write_log(tmp_path, "fill(); fill()\nassert not own.turn_over()", tmp_path / "elsewhere")
    (tmp_path / "recorder.log").unlink()
    write_log(tmp_path, "fill(); fill()\nassert not own.turn_over()", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere").stat().st_size == 4 * MOST_BYTES
    assert not (tmp_path / "recorder.log").exists()


def test_a_recorder_whose_large_log_was_removed_ends_when_idle_all_the_same(project: Path) -> None:
    folder = project / ".semantest"
    folder.mkdir(mode=0o700)
    path = folder / "recorder.log"
    with path.open("ab+") as log:
        log.write(b"x" * (MOST_BYTES + 1))
        log.flush()
        command = [*COMMAND, "serve", "--directory", str(folder), "--idle-timeout", "0.5"]
        with subprocess.Popen(command, env=environment(), stdout=log, stderr=log) as process:
            try:
                wait_until(lambda: (folder / "recorder.json").exists() or process.poll() is not None, "it serves")
                path.unlink()
                assert process.wait(DEADLINE_S) == 0
            finally:
                process.kill()
        log.seek(MOST_BYTES + 1)
        said = log.read() + (path.read_bytes() if path.exists() else b"")
    assert b"idle for" in said
    assert b"Traceback" not in said
