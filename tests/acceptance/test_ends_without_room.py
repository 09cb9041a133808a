"""A process that ended, and had no room to write that down, did not die."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.acceptance.conftest import WATCHED, Project, states

#: From the second test on the process that runs them may make no file longer, as when the disk is full.
FULL = """
    import resource
    from watched import wait_until_watched
    def test_before():
        wait_until_watched()
    def test_fills_up():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    def test_after(): pass
"""


@pytest.mark.hazard(15)
@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_a_process_without_room_for_its_end_ended_all_the_same(project: Project, workers: str) -> None:
    (project.path / "watched.py").write_text(WATCHED)
    (project.path / "test_a.py").write_text(dedent(FULL))
    code, output = project.pytest(workers, "--semantest-flush-timeout=60")
    assert code == 0, output
    assert "3 passed" in output
    report = project.report()
    run = report["run"]
    assert (run["exitCode"], run["state"]) == (0, "failed")
    assert run["stopReason"] is None
    assert run["gaps"] >= 3  # the end of the second test, the third one, and the end of the process
    assert states(report) == {"test_before": "passed", "test_fills_up": "lost", "test_after": "lost"}


#: The worker has no room for any test; the shipper, which alone could reach its memory, dies before it ends.
NOTHING = """
    import glob, json, os, pathlib, resource, signal
    def pytest_collection_finish(session):
        if hasattr(session.config, "workerinput"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    def pytest_testnodedown(node, error):
        for path in glob.glob(".semantest/sessions/*/ship.json"):
            os.kill(json.loads(pathlib.Path(path).read_text())["pid"], signal.SIGKILL)
"""


@pytest.mark.hazard(15)
def test_what_a_worker_could_not_write_is_told_by_its_controller(project: Project) -> None:
    (project.path / "conftest.py").write_text(dedent(NOTHING))
    (project.path / "test_a.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    code, output = project.pytest("-n1", "--semantest-flush-timeout=60")
    assert code == 0, output
    report = project.report()
    assert (report["run"]["state"], report["run"]["gaps"]) == ("failed", 5)  # two tests, and its end
    assert set(states(report).values()) == {"lost"}


def test_a_run_that_stopped_early_without_room_is_not_said_to_be_interrupted(project: Project) -> None:
    (project.path / "watched.py").write_text(WATCHED)
    (project.path / "test_a.py").write_text(
        "import resource\nfrom watched import wait_until_watched\nwait_until_watched()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))\nraise RuntimeError\n"
    )
    code, output = project.pytest("--semantest-flush-timeout=60")
    assert code == 2, output
    run = project.report()["run"]
    assert (run["exitCode"], run["state"]) == (2, "failed")
