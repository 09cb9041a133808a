"""Very many pytest processes at once into one recorder, and one that records much faster than it may."""

from __future__ import annotations

import pytest

from semantest_recorder.client import Client
from semantest_recorder.discovery import read_discovery
from tests.acceptance.conftest import Project, wait_for

_SESSIONS = 128
#: So many processes on few cores take their time.
_PATIENCE_S = 1800.0

_RUNS = """
SELECT r.id, r.state, (SELECT count(*) FROM attempts a WHERE a.run_key = r.run_key AND a.outcome = 'passed')
FROM runs r ORDER BY r.id
"""


@pytest.mark.slow
@pytest.mark.hazard(28)
def test_128_pytests_at_once_are_all_stored_once(project: Project) -> None:
    (project.path / "test_few.py").write_text(
        "import pytest\n@pytest.mark.parametrize('n', range(5))\ndef test_n(n):\n    print(n)\n"
    )
    running = [project.start_pytest("-q", "--semantest-flush-timeout=0") for _ in range(_SESSIONS)]
    wait_for(project.recorder_pid, "a recorder", _PATIENCE_S)
    assert project.semantest("runs").returncode in (0, 3), "whoever asks meanwhile is answered"
    for process in running:
        output, _ = process.communicate(timeout=_PATIENCE_S)
        assert process.returncode == 0, output
    wait_for(lambda: not any(project.directory.glob("sessions/*/*.journal")), "the last acknowledgement", _PATIENCE_S)
    stored = project.rows(_RUNS)
    assert [(state, passed) for _run, state, passed in stored] == [("passed", 5)] * _SESSIONS


@pytest.mark.slow
@pytest.mark.hazard(28)
def test_of_a_pytest_that_is_told_to_wait_all_comes(project: Project) -> None:
    (project.path / "semantest.toml").write_text("[policy]\nmax-events-per-second = 100\n")
    (project.path / "test_many.py").write_text(
        "import pytest\n@pytest.mark.parametrize('n', range(1500))\ndef test_n(n):\n    pass\n"
    )
    (project.path / "test_few.py").write_text("def test_one():\n    pass\n")
    many = project.start_pytest("-q", "--semantest-flush-timeout=0", "test_many.py")
    few = project.start_pytest("-q", "--semantest-flush-timeout=0", "test_few.py")
    for process in (many, few):
        output, _ = process.communicate(timeout=_PATIENCE_S)
        assert process.returncode == 0, output
    wait_for(lambda: not any(project.directory.glob("sessions/*/*.journal")), "the last acknowledgement", _PATIENCE_S)
    assert sorted((state, passed) for _run, state, passed in project.rows(_RUNS)) == [("passed", 1), ("passed", 1500)]
    found = read_discovery(project.directory)
    assert found is not None
    with Client(found.url, found.token) as client:
        assert client.request("getSecurityMetrics")["rateLimitExceeded"] > 0
