"""The files of docs/guide/ci.md: they are YAML and TOML, name what exists, and do what the page says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pytest_semantest.protocol.configuration import read_configuration
from pytest_semantest.protocol.keys import OWN_FILE, RECORDING
from semantest_recorder.cli.semantest import main
from tests.recorder.cli.project import SECONDS, Project

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "ci.md"
SUITE = """
    tries = []
    def test_flaky():
        tries.append(1)
        assert len(tries) > 1
    def test_ok(): pass
    def test_more(): pass
    def test_last(): pass
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def lines_of(value: Any) -> Iterator[str]:
    """Every shell line of a file of GitHub, GitLab or Azure."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("run", "script", "after_script") and isinstance(one, (str, list)):
                yield from one if isinstance(one, list) else one.splitlines()
            else:
                yield from lines_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from lines_of(one)


def commands() -> list[list[str]]:
    """Every command of every file, as a shell parts it."""
    texts = [line for block in blocks("yaml") for line in lines_of(yaml.safe_load(block))]
    texts += re.findall(r"sh '(.*?)'", blocks("groovy")[0])
    parts = [part.strip() for text in texts for part in re.split(r"&&|\|\|", text.replace("${{ matrix.shard }}", "1"))]
    return [shlex.split(part) for part in parts]


def parse(command: click.Command, arguments: list[str]) -> None:
    """Raises ``UsageError`` for what the command would not take."""
    if isinstance(command, click.Group):
        found = command.get_command(click.Context(command), arguments[0])
        assert found is not None, arguments[0]
        parse(found, arguments[1:])
    else:
        command.make_context("semantest", list(arguments))


def test_every_command_of_the_page_exists_with_its_options() -> None:
    found = commands()
    assert len(found) > 15
    known = {key.flag for key in RECORDING}
    for name, *arguments in found:
        if name == "pytest":
            assert {one for one in arguments if one.startswith("--")} <= known
        elif name == "semantest":
            parse(main, arguments)
        else:
            assert name in ("pip", "mkdir", "test")


def test_the_gate_of_the_page_is_a_configuration() -> None:
    (text,) = blocks("toml")
    assert tomllib.loads(text)["gate"]["base"] == "main"
    assert read_configuration(".", {OWN_FILE: text.encode()}).problems == ()


@pytest.mark.slow
def test_the_workflow_of_the_page_gives_one_run_of_all_shards(project: Project, tmp_path: Path) -> None:
    """What the runner does is done here: folders for machines, copies for caches and artifacts."""
    workflow = next(found for block in blocks("yaml") if "jobs" in (found := yaml.safe_load(block)))
    project.write("test_a.py", SUITE)
    jobs = workflow["jobs"]
    machines = []
    for shard in jobs["test"]["strategy"]["matrix"]["shard"]:
        machine = tmp_path / f"machine-{shard}"
        shutil.copytree(project.root, machine, ignore=shutil.ignore_patterns("machine-*"))
        for line in run_lines(jobs["test"], shard):
            assert in_shell(project, line, machine, tmp_path) == 0
        machines.append(machine)
    last = tmp_path / "report"
    for number, machine in enumerate(machines, 1):
        shutil.copytree(machine / ".semantest", last / "artifacts" / f"semantest-{number}")
    for line in run_lines(jobs["report"], 0):
        assert in_shell(project, line, last, tmp_path) == 0, line
    page = (tmp_path / "step.md").read_text(encoding="utf-8")
    assert page.startswith("# ✅ Run `build-7`: passed")
    assert "| 4 | 3 | 1 |" in page


def run_lines(job: Any, shard: int) -> list[str]:
    lines = [step["run"] for step in job["steps"] if "run" in step and not step["run"].startswith("pip ")]
    return [line.replace("${{ matrix.shard }}", str(shard)) for line in lines]


def in_shell(project: Project, line: str, folder: Path, home: Path) -> int:
    """As a step of the runner: with its variables, and our programs in front."""
    environment = project.environment | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(home / "step.md"),
        "SEMANTEST_RUN_ID": "build-7",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", line],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    print(f"$ {line}\n{done.stdout}{done.stderr}")
    return done.returncode
