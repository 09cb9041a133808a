"""What goes wrong in an xdist worker reaches the user, who sees the controller only."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from tests.acceptance.conftest import Project, states

#: Something stands where the worker's journal is to be: it cannot be made, whoever runs this.
BLOCKED = """
    import pathlib
    def pytest_configure_node(node):
        for session in pathlib.Path(".semantest/sessions").iterdir():
            (session / f"{node.gateway.id}.journal").mkdir()
    def pytest_testnodedown(node, error):
        for journal in pathlib.Path(".semantest").glob(f"sessions/*/{node.gateway.id}.journal"):
            journal.rmdir()
"""
#: For a while the worker may make no file longer, as when the disk is full.
LIMITED = """
    import resource
    def test_fills_up():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    def test_makes_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    def test_after(): pass
"""
PATIENT = "--semantest-flush-timeout=60"


def write(project: Project, **files: str) -> None:
    for name, text in files.items():
        (project.path / f"{name}.py").write_text(dedent(text))


def test_workers_that_record_everything_are_no_problem_for_strict(project: Project) -> None:
    write(project, test_a="def test_a(): pass\ndef test_b(): pass")
    code, output = project.pytest("-n1", "--semantest-strict", PATIENT)
    assert code == 0, output
    assert "semantest: gw0:" not in output


@pytest.mark.hazard(15)
@pytest.mark.parametrize(("strict", "expected"), [((), 0), (("--semantest-strict",), 1)])
def test_a_worker_that_cannot_begin_its_journal_is_named(
    project: Project, strict: tuple[str, ...], expected: int
) -> None:
    write(project, conftest=BLOCKED, test_a="def test_a(): pass\ndef test_b(): pass")
    code, output = project.pytest("-n1", PATIENT, *strict)
    assert code == expected, output
    assert "2 passed" in output
    assert re.search(r"^semantest: gw0: not recording: cannot write .*gw0.journal", output, re.MULTILINE), output
    assert "semantest: the recording is not complete" in output
    assert set(states(project.report()).values()) == {"lost"}


@pytest.mark.hazard(15)
@pytest.mark.parametrize(("strict", "expected"), [((), 0), (("--semantest-strict",), 1)])
def test_a_worker_that_cannot_go_on_with_its_journal_is_named(
    project: Project, strict: tuple[str, ...], expected: int
) -> None:
    write(project, test_a=LIMITED)
    code, output = project.pytest("-n1", PATIENT, *strict)
    assert code == expected, output
    assert "3 passed" in output
    assert re.search(r"^semantest: gw0: cannot write .*gw0\.journal: ", output, re.MULTILINE), output
    assert "semantest: the recording is not complete" in output
    report = project.report()
    assert report["run"]["state"] == "failed"
    assert report["run"]["gaps"] == 2
    assert states(report)["test_after"] == "passed"
