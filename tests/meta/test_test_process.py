"""Recording adds to a user's test process: modules of pytest_semantest and the standard library, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.leftovers import end_processes_of
from tests.user_environment import user_environment

# A user's suite that writes down what its process holds.
SUITE = """
import json, os, sys, threading

def look():
    descriptors = []
    for number in os.listdir("/proc/self/fd"):
        try:
            descriptors.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            pass  # the one of the listing itself
    return {
        "modules": sorted(sys.modules),
        "threads": sorted(type(thread).__name__ + thread.name for thread in threading.enumerate()),
        "descriptors": sorted(descriptors),
        "signals": [str(__import__("signal").getsignal(n)) for n in (1, 2, 3, 10, 12, 13, 14, 15, 17)],
        "environment": sorted(os.environ),
        "recursion_limit": sys.getrecursionlimit(),
        "path": sys.path[1:],
        "path_hooks": len(sys.path_hooks),
        "meta_path": len(sys.meta_path),
        "excepthook": sys.excepthook is sys.__excepthook__,
    }

def test_passes():
    print("some output")

def test_fails():
    import logging
    logging.getLogger("user").warning("on the way down")
    assert [1, 2] == [1, 3]

def test_looks():
    seen = look()
    with open(os.environ["LOOK_FILE"], "w") as file:
        json.dump(seen, file)
"""


class Look(NamedTuple):
    """What the user's process held."""

    modules: frozenset[str]
    threads: list[str]
    sockets: int
    files: frozenset[str]
    rest: dict[str, object]


def look(folder: Path, *, recorded: bool, workers: int) -> Look:
    """Runs the suite in a process of its own and reads what it wrote down."""
    suite = folder / "suite"
    suite.mkdir(exist_ok=True)
    (suite / "test_look.py").write_text(SUITE)
    (suite / "pytest.ini").write_text("[pytest]\n")
    out = folder / ("recorded.json" if recorded else "bare.json")
    # Nobody answers at that address: the shipper keeps trying beside us, no recorder is started and left behind.
    ours = ["--semantest", "--semantest-url=http://127.0.0.1:9", "--semantest-token=none"]
    ours += [f"--semantest-dir={folder / 'semantest'}", "--semantest-flush-timeout=0"]
    command = [sys.executable, "-m", "pytest", "-n", str(workers), *(ours if recorded else ["-p", "no:semantest"])]
    done = subprocess.run(
        command,
        cwd=suite,
        env={**user_environment(), "LOOK_FILE": str(out)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    if recorded:
        assert list((folder / "semantest" / "sessions").glob("*/*.journal")), "nothing was recorded"
    seen = json.loads(out.read_text())
    descriptors = seen.pop("descriptors")
    return Look(
        modules=frozenset(seen.pop("modules")),
        threads=seen.pop("threads"),
        sockets=sum(name.startswith("socket:") for name in descriptors),
        files=frozenset(name for name in descriptors if name.startswith("/") and "(deleted)" not in name),
        rest=seen,
    )


class Looks(NamedTuple):
    """Of the same suite in both ways, and the folder where it was."""

    folder: Path
    bare: Look
    recorded: Look


@pytest.fixture(scope="module", params=[0, 2], ids=["alone", "xdist worker"])
def looks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looks]:
    folder, workers = tmp_path_factory.mktemp("looks"), request.param
    bare = look(folder, recorded=False, workers=workers)
    yield Looks(folder, bare, look(folder, recorded=True, workers=workers))
    end_processes_of(folder)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads descriptors from /proc")
def test_recording_adds_nothing_else_to_the_test_process(looks: Looks) -> None:
    folder, bare, recorded = looks
    foreign = {
        name
        for name in recorded.modules - bare.modules
        if name.partition(".")[0] not in sys.stdlib_module_names | {"pytest_semantest"}
    }
    assert not foreign
    assert recorded.threads == bare.threads
    assert recorded.sockets == bare.sockets
    assert recorded.rest == bare.rest
    added = {Path(name) for name in recorded.files - bare.files}
    assert all(file.is_relative_to(folder / "semantest") for file in added), added
    assert any(file.suffix == ".journal" for file in added)


def test_heavy_parts_of_the_standard_library_stay_out(looks: Looks) -> None:
    """Each costs milliseconds of start-up, or brings threads, sockets or an event loop with it."""
    _folder, bare, recorded = looks
    heavy = {"asyncio", "sqlite3", "ssl", "http.client", "urllib.request", "multiprocessing", "concurrent.futures"}
    assert not heavy & (recorded.modules - bare.modules)
    assert not any(name.startswith("pytest_semantest.selection") for name in recorded.modules)  # nobody asked for it


def test_an_inactive_plugin_imports_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_look.py").write_text(
        "import sys\n"
        "def test_look():\n"
        "    assert {n for n in sys.modules if n.startswith('pytest_semantest')}"
        " == {'pytest_semantest' + name for name in"
        " ('', '.hookspecs', '.options', '.plugin', '.protocol', '.protocol.keys')}\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, env=user_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert {entry.name for entry in tmp_path.iterdir()} <= {"test_look.py", "__pycache__"}
