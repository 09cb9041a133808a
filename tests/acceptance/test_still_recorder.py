"""A recorder that stands still while pytest runs: the suite ends as ever, and all of it arrives later."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.acceptance.conftest import Project, states
from tests.recorder.cli_recorder.daemons import Daemon

SUITE = """
import pytest

def test_passes(): pass

@pytest.mark.parametrize("n", range(30))
def test_many(n): print(n)

def test_fails(): assert 0

def test_skips(): pytest.skip("so it is")
"""


@pytest.mark.hazard(21)
def test_a_suite_ends_while_the_recorder_is_stopped_and_arrives_later(project: Project) -> None:
    (project.path / "test_suite.py").write_text(SUITE)
    recorder = Daemon(project.directory).ready().process
    project.running.append(recorder)
    bare, bare_output = project.pytest(recorded=False)
    recorder.send_signal(signal.SIGSTOP)
    code, output = project.pytest("--semantest-flush-timeout=0.1")
    assert psutil.Process(recorder.pid).status() == psutil.STATUS_STOPPED, "nobody waited for it"
    assert (code, bare) == (1, 1)
    assert outcome(output) == outcome(bare_output) == "1 failed, 31 passed, 1 skipped"
    recorder.send_signal(signal.SIGCONT)
    report = project.report()
    found = states(report)
    assert (found.pop("test_fails"), found.pop("test_skips")) == ("failed", "skipped")
    assert set(found.values()) == {"passed"}
    counts = dict(project.rows("SELECT type, count(*) FROM events GROUP BY type"))
    assert (counts["test/start"], counts["test/end"]) == (33, 33)


def outcome(output: str) -> str:
    """What pytest's last line counts."""
    return output.splitlines()[-1].strip("= ").partition(" in ")[0]
