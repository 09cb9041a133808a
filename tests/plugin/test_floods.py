"""Far more than a test usually says, and far more tests: bounded memory, and what is cut is marked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.leftovers import end_processes_of
from tests.plugin.conftest import KEPT, Record_, read_journals
from tests.user_environment import user_environment

pytestmark = pytest.mark.hazard(17)

MIB = 1024 * 1024
#: Runs pytest and says how much memory it took at most, in KiB.
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], stdout=subprocess.DEVNULL)
print(json.dumps([done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def measure(folder: Path, *args: str) -> tuple[int, int]:
    """Exit code, and the largest resident size in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "-p", "no:cacheprovider", *args],
        cwd=folder,
        env=user_environment(),
        capture_output=True,
        check=True,
    )
    code, kib = json.loads(done.stdout)
    return code, kib * 1024


def test_a_failure_that_says_a_megabyte(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        class Large:
            def __repr__(self): return "BEGINNING" + "r" * 2_000_000 + "THE END"
        def test_message(): raise ValueError("BEGINNING" + "m" * 2_000_000 + "THE END")
        def test_locals():
            large = Large()
            assert not large
        """
    )
    recorded = record("--showlocals", "-vv")
    for name, kind in (("test_message", "ValueError"), ("test_locals", "AssertionError")):
        error = recorded.end(name)["error"]
        assert error["type"] == kind
        assert len(error["message"]) <= 4200
        assert "characters left out" in error["stack"]
    stack = recorded.end("test_message")["error"]["stack"]
    assert stack.startswith(">   def test_message")
    assert "THE END" in stack[-300:]
    (journal,) = pytester.path.glob(".semantest/sessions/*/main.journal")
    assert journal.stat().st_size < MIB


@pytest.mark.slow
def test_a_hundred_megabytes_of_output(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_loud():
            print("FIRST")
            for _ in range(100):
                print("x" * 1024 * 1024)
            print("LAST")
            assert 0
        """
    )
    try:
        bare = measure(pytester.path, "-p", "no:semantest", "--show-capture=no")
        recorded = measure(pytester.path, "--show-capture=no", *KEPT)
        assert (bare[0], recorded[0]) == (1, 1)
        assert recorded[1] < bare[1] + 30 * MIB
        (end,) = (event.payload for event in read_journals(pytester.path / ".semantest") if event.type == "test/end")
        (log,) = end["logs"]
        assert log["text"].startswith("FIRST")
        assert log["text"].endswith("LAST\n")
        assert log["dropped"] > 99 * MIB
    finally:
        end_processes_of(pytester.path)


@pytest.mark.slow
def test_a_hundred_thousand_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.parametrize('n', range(100_000))\ndef test_n(n): pass")
    try:
        bare = measure(pytester.path, "-q", "-p", "no:semantest")
        recorded = measure(pytester.path, "-q", *KEPT)
        assert (bare[0], recorded[0]) == (0, 0)
        assert recorded[1] < bare[1] + 60 * MIB
        types = [event.type for event in read_journals(pytester.path / ".semantest")]
        assert (types.count("test/start"), types.count("test/end"), types.count("run/plan")) == (100_000, 100_000, 200)
    finally:
        end_processes_of(pytester.path)
