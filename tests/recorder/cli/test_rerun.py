"""The commands that a report ends with, given to a real shell: they run the bad tests of this very run."""

from __future__ import annotations

import shlex
import subprocess
import sys

from tests.recorder.cli.project import Project


def _advice(report: str) -> str:
    return report.partition("\nRerun\n")[2].strip()


def _in_shell(project: Project, line: str) -> None:
    """Runs the line with the programs of this environment."""
    programs = {"pytest": "pytest", "semantest": "semantest_recorder.cli.semantest"}
    functions = [f'{name}() {{ {shlex.quote(sys.executable)} -m {module} "$@"; }}' for name, module in programs.items()]
    subprocess.run(
        ["/bin/sh", "-c", "\n".join([*functions, line])],
        cwd=project.root,
        env=project.environment | {"SEMANTEST_FLUSH_TIMEOUT": "60"},
        stdout=subprocess.DEVNULL,
        timeout=90,
        check=False,
    )


def _states(project: Project, *run: str) -> dict[str, str]:
    return {test["id"]: test["state"] for test in project.json("report", *run)["tests"]}


def test_many_bad_tests_of_an_earlier_run_and_no_others(project: Project) -> None:
    project.write(
        "test_a.py",
        """
        import pytest

        @pytest.mark.parametrize("text", ["a b", "$(x)", "'q'", '"', "#2", "two::parts", "é", "@x"])
        def test_bad(text):
            assert not text

        def test_good():
            pass
        """,
    )
    assert project.pytest("-n", "2", "-x", "-k", "bad or good", "--maxfail", "99", ".").returncode == 1
    earlier = project.json("report")["run"]["id"]
    assert project.pytest("test_a.py::test_good").returncode == 0
    advice = _advice(project.semantest("report", earlier).stdout)
    pytest = "pytest --semantest @rerun.txt -p no:cacheprovider --semantest-flush-timeout 60 -n 2"
    assert advice == f"semantest report {earlier} --rerun > rerun.txt && {pytest}"
    _in_shell(project, advice)
    again = _states(project)
    assert len(again) == 8
    assert again == {name: state for name, state in _states(project, earlier).items() if state != "passed"}


def test_of_two_rootdirs_the_test_that_failed(project: Project) -> None:
    (project.root / "pytest.ini").unlink()
    for name, body in (("svc-a", "pass"), ("svc-b", "assert 0")):
        (project.root / name / "tests").mkdir(parents=True)
        project.write(f"{name}/pytest.ini", "[pytest]\naddopts = --import-mode=importlib\n")
        project.write(f"{name}/tests/test_x.py", f"def test_two(): {body}\n")
    assert project.pytest("--semantest-dir", ".semantest", "svc-a", "svc-b").returncode == 1
    bad = project.json("report")
    assert (bad["counts"]["passed"], bad["counts"]["failed"]) == (1, 1)
    _in_shell(project, _advice(project.semantest("report").stdout))
    again = project.json("report")
    assert again["run"]["id"] != bad["run"]["id"]
    assert (again["counts"]["passed"], again["counts"]["failed"]) == (0, 1)
