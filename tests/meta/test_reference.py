"""The reference is complete: what the code knows is in docs/reference, and nothing that it no longer knows."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from click.testing import CliRunner

from pytest_semantest import hookspecs
from pytest_semantest.fixtures import Semantest
from semantest_recorder.cli.recorder import main as recorder_command
from semantest_recorder.cli.semantest import main as semantest_command
from semantest_recorder.core.access import ANY_ROLE, Role
from semantest_recorder.core.commands import COMMANDS as WIRE_COMMANDS
from semantest_recorder.core.messages import RequestMessage, Tagged
from semantest_recorder.core.session import Session

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
#: Upper-case words of SQL and HTTP that are no error codes.
VERBS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BEGIN", "COMMIT", "ROLLBACK", "VACUUM"}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def strings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[click.Command, tuple[str, ...]]]:
    """Every command below, with the arguments that lead to it."""
    yield command, path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, f"{name} is listed and does not exist"
            yield from commands(child, (*path, name))


COMMANDS = [
    pytest.param(root, path, id=" ".join((name, *path)))
    for name, root in (("semantest", semantest_command), ("semantest-recorder", recorder_command))
    for _, path in commands(root)
]


def test_the_pages_made_from_the_code_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_error_code_is_explained_and_every_explained_one_exists() -> None:
    folders = [f"recorder/semantest_recorder/{room}" for room in ("core", "server", "store")]
    known = {
        text
        for file in sources(*folders)
        for text in strings(file)
        if re.fullmatch(r"[A-Z]{3,}(_[A-Z]+)*", text) and text not in VERBS
    }
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", (REFERENCE / "errors.md").read_text(), re.MULTILINE))
    assert known == explained


def test_every_message_and_command_is_in_the_reference_with_its_role_and_answer() -> None:
    page = (REFERENCE / "wire.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:3] == "| `"]
    told = {name: row[1:] for row in rows for name in re.findall(r"`([^` ]+)`", row[0])}  # routes are told elsewhere
    for kind in get_args(Tagged):
        roles = told.pop(str(kind.__struct_config__.tag), ["missing"])[0]
        assert _names(Session._HANDLERS[kind].roles) == roles or kind is RequestMessage, kind
    for name, command in WIRE_COMMANDS.items():
        roles, _payload, answer, _what = told.pop(name, ["missing"] * 4)
        assert (roles, answer) == (_names(command.roles), f"`{command.answer}`" if command.answer else ""), name
    assert not told, "the page describes what is not there"


def _names(roles: frozenset[Role]) -> str:
    return "any" if roles == ANY_ROLE else " or ".join(sorted(role.value for role in roles))


def test_every_hook_is_documented_and_tested() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("pytest_semantest_")}
    assert hooks
    page = (REFERENCE / "hooks.md").read_text(encoding="utf-8")
    assert {heading.partition("(")[0] for heading in re.findall(r"^## `(.*)`$", page, re.MULTILINE)} == hooks
    for name in hooks:
        told = inspect.signature(getattr(hookspecs, name)).parameters
        assert f"## `{name}({', '.join(told)})`" in page
        assert any(
            f"def {name}" in file.read_text(encoding="utf-8") for file in (ROOT / "tests" / "plugin").glob("*.py")
        )


def test_every_call_of_the_fixture_is_in_the_guide() -> None:
    page = (ROOT / "docs" / "guide" / "details.md").read_text(encoding="utf-8")
    calls = {name for name in vars(Semantest) if not name.startswith("_")}
    assert set(re.findall(r"^\| `(\w+)\(", page, re.MULTILINE)) == calls


def test_every_environment_variable_is_in_the_reference() -> None:
    reference = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    used = {
        variable
        for file in sources("pytest_semantest", "recorder/semantest_recorder")
        for text in strings(file)
        for variable in re.findall(r"\bSEMANTEST(?:_[A-Z]+)+\b", text)
    }
    assert used
    assert not {variable for variable in used if variable not in reference}


@pytest.mark.parametrize(("command", "path"), COMMANDS)
def test_help_can_be_read_and_shows_an_example(command: click.Command, path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(command, [*path, "--help"])
    assert shown.exit_code == 0
    assert "\\b" not in shown.output
    assert "Example" in shown.output
