"""The suites whose tests write down by themselves, past the plugin, what they did."""

from __future__ import annotations

from pathlib import Path

#: Names of the suites: one has every kind of end, the other one passes.
MIXED, GREEN = "test_mixed.py", "test_green.py"

_NOTES = '''
import os
import random
import time
import uuid

import pytest

def note(word, request, outcome="-"):
    """One line of the oracle, in one write: start, proof or end, run, test, process, and the proof or outcome."""
    line = f"{word} {os.environ['SEMANTEST_RUN_ID']} {request.node.nodeid} {os.getpid()} {outcome}\\n"
    descriptor = os.open(os.environ["ORACLE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)

def work():
    print("x" * random.randrange(2000))
    time.sleep(random.random() * 0.05)

def prove(request, semantest):
    """Something that only this attempt says and attaches."""
    proof = uuid.uuid4().hex
    print(proof)
    semantest.attach(proof, "proof.txt")
    note("proof", request, proof)
'''

_GREEN = """
@pytest.mark.parametrize("n", range(24))
def test_passes(n, request):
    note("start", request)
    work()
    note("end", request, "passed")
"""

_MIXED = """
tries = {}

@pytest.fixture
def broken(request):
    note("start", request)
    work()
    note("end", request, "error")
    raise RuntimeError("broken")

@pytest.fixture
def leaves_badly(request):
    yield
    note("end", request, "error")
    raise RuntimeError("left badly")

@pytest.mark.parametrize("n", range(12))
def test_passes(n, request, semantest):
    note("start", request)
    with semantest.step("works"):
        work()
    note("end", request, "passed")

@pytest.mark.parametrize("n", range(3))
def test_fails(n, request, semantest):
    note("start", request)
    prove(request, semantest)
    work()
    note("end", request, "failed")
    assert n < 0

@pytest.mark.parametrize("n", range(3))
def test_fails_at_first(n, request):
    tries[n] = tries.get(n, 0) + 1
    note("start", request)
    work()
    note("end", request, "failed" if tries[n] == 1 else "passed")
    assert tries[n] == 2, "first try"

@pytest.mark.parametrize("n", range(2))
def test_skips(n, request):
    note("start", request)
    note("end", request, "skipped")
    pytest.skip("not today")

@pytest.mark.xfail
def test_expected(request):
    note("start", request)
    work()
    note("end", request, "xfailed")
    assert 0

@pytest.mark.parametrize("n", range(2))
def test_cannot_begin(n, broken):
    pass

@pytest.mark.parametrize("n", range(2))
def test_leaves_badly(n, request, leaves_badly):
    note("start", request)
    work()
"""

#: Options of a run of each suite.
OPTIONS = {MIXED: ("--semantest-retries", "1", "--semantest-retry-match", "first try"), GREEN: ()}


def write_suites(folder: Path) -> None:
    """Writes both suites, and the file that makes the folder their root."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / MIXED).write_text(_NOTES + _MIXED)
    (folder / GREEN).write_text(_NOTES + _GREEN)
