"""Where tokens are, and where they are not: not in arguments, children, the database, journals and logs."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from semantest_recorder.token_file import new_token
from tests.recorder.cli.project import Project
from tests.recorder.cli_recorder.daemons import Daemon

pytestmark = pytest.mark.hazard(32)

#: A test that looks at what it was given, at what all processes show to every user once the shipper of its run is
#: one of them, and prints what it finds.
LOOKS = """
import contextlib, json, os, pathlib, subprocess, sys

def arguments():
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            yield path.read_bytes().decode(errors="replace")

def test_looks():
    shown = []
    while not any("--session" in line and f"{os.getcwd()}/" in line for line in shown):
        shown = list(arguments())
    child = subprocess.run([sys.executable, "-c", "import os; print(dict(os.environ))"], capture_output=True, text=True)
    pathlib.Path("seen.json").write_text(json.dumps([shown, dict(os.environ), child.stdout]))
    print("it has", os.environ.get("SEMANTEST_TOKEN"))
    assert os.environ.get("SEMANTEST_TOKEN") is None
"""


@pytest.fixture
def recorded(project: Path) -> Iterator[Project]:
    made = Project(project)
    yield made
    made.close()


def holders(folder: Path, secret: str) -> list[str]:
    """The files that hold a secret."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    )


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="arguments of all processes are looked at in /proc")
def test_a_token_is_in_one_file_of_its_owner_and_nowhere_else(recorded: Project, serve: Callable[..., Daemon]) -> None:
    folder = recorded.folder
    made = recorded.semantest("token", "create", "--name", "ci", "--role", "ingest", SEMANTEST_DIR=str(folder))
    assert made.returncode == 0, made.stderr
    created = made.stdout.strip()
    daemon = serve("--log-format", "json").ready()
    own = daemon.discovery["token"]
    recorded.write("test_looks.py", LOOKS)

    def environments() -> str:
        """Those that a test of the last run saw, its own and a child's. No process showed a token."""
        shown, *given = json.loads((recorded.root / "seen.json").read_text())
        assert not [line for line in shown if own in line or created in line]
        return json.dumps(given)

    done = recorded.pytest("-q")  # to the project's own recorder, by its discovery file
    assert done.returncode == 0, done.stdout + done.stderr
    given = environments()
    assert (own in given, created in given) == (False, False)
    recorded.environment |= {
        "SEMANTEST_URL": f"http://127.0.0.1:{daemon.discovery['url'].rpartition(':')[2]}",
        "SEMANTEST_TOKEN": created,
    }
    named = recorded.pytest("-q")  # a test of a pytest that was given a token sees it, and prints it
    assert (named.returncode, f"it has {created}" in named.stdout) == (1, True), named.stdout + named.stderr
    given = environments()
    assert (own in given, created in given) == (False, True)
    process = psutil.Process(daemon.process.pid)
    assert not [value for value in process.environ().values() if own in value or created in value]
    status = recorded.recorder("status", "--json").stdout
    doctor = recorded.semantest("doctor", "--json").stdout
    report = recorded.semantest("report", "--output").stdout
    assert "it has" in report
    _code, out, err = daemon.end()
    for secret in (own, created):
        assert secret not in status + doctor + report + out + err
        assert holders(folder, secret) == [], "the discovery file went with its recorder"
    assert (folder / "tokens.json").stat().st_mode & 0o777 == 0o600


def test_the_file_of_a_recorder_is_its_owners_alone(project: Path, serve: Callable[..., Daemon]) -> None:
    old = os.umask(0)
    try:
        daemon = serve().ready()
    finally:
        os.umask(old)
    assert holders(daemon.folder, daemon.discovery["token"]) == ["recorder.json"]
    modes = {path.name: path.stat().st_mode & 0o777 for path in daemon.folder.iterdir() if path.is_file()}
    assert {name: mode for name, mode in modes.items() if mode & 0o022} == {}
    secret = ("recorder.json", "recorder.lock", "semantest.db", "semantest.db-wal", "semantest.db-shm")
    assert {name: modes[name] for name in secret} == dict.fromkeys(secret, 0o600)
    assert daemon.folder.stat().st_mode & 0o777 == 0o700


def test_a_token_is_256_random_bits_behind_a_prefix() -> None:
    made = {new_token() for _ in range(1000)}
    assert len(made) == 1000
    bits = [base64.urlsafe_b64decode(token.removeprefix("smt_") + "=") for token in made if token.startswith("smt_")]
    assert {len(one) for one in bits} == {32}
    for byte in range(32):
        assert len({one[byte] for one in bits}) > 200, "each of its bytes takes all values"
