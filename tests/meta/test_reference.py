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
import msgspec
import pytest
from click.testing import CliRunner

from pytest_semantest import hookspecs
from pytest_semantest.fixtures import Semantest
from semantest_recorder import embedding
from semantest_recorder.cli.recorder import main as recorder_command
from semantest_recorder.cli.semantest import main as semantest_command
from semantest_recorder.core.access import ANY_ROLE, Role
from semantest_recorder.core.commands import COMMANDS as WIRE_COMMANDS
from semantest_recorder.core.messages import RequestMessage, Tagged
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.rows import RunRow
from semantest_recorder.core.run_config import RunConfig
from semantest_recorder.core.run_status import run_status
from semantest_recorder.core.run_status import test_result as result_of
from semantest_recorder.core.session import Session
from semantest_recorder.core.validation import REQUIREMENTS

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
#: Rooms that speak to people, in words.
NO_CODES = {"cli", "foreign", "reports"}
#: Upper-case words of SQL and HTTP that are no error codes.
VERBS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BEGIN", "COMMIT", "ROLLBACK", "VACUUM"}
VERBS |= {"INSERT", "UPDATE", "ATTACH", "DETACH", "SAVEPOINT", "REINDEX", "ANALYZE", "TEXT", "INTEGER", "REAL"}
#: Neither are a word of OpenSSL, of systemd, and of plugins.
VERBS |= {"KEY_VALUES_MISMATCH", "NOTIFY_SOCKET", "DROP"}
#: Nor are variables of OpenTelemetry.
VERBS |= {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"}


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
    """What looks like a code is one, wherever it stands in the rooms that speak to clients."""
    known = {
        text
        for file in sources("recorder/semantest_recorder")
        if file.relative_to(ROOT / "recorder" / "semantest_recorder").parts[0] not in NO_CODES
        for text in strings(file)
        if re.fullmatch(r"[A-Z]{3,}[A-Z0-9]*(_[A-Z0-9]+)*", text) and text not in VERBS
    }
    explained = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (REFERENCE / "errors.md").read_text(), re.MULTILINE))
    assert known == explained


def test_every_type_of_event_is_in_the_reference_with_what_it_requires() -> None:
    page = (REFERENCE / "events.md").read_text() + (ROOT / "docs" / "design" / "events.md").read_text()
    known = {
        text
        for text in strings(ROOT / "pytest_semantest" / "protocol" / "events.py")
        if "/" in text and " " not in text
    }
    assert {"run/start", "test/end", "test/assert"} <= known
    assert not {kind for kind in known if f"`{kind}`" not in page}
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]*) \|", (REFERENCE / "events.md").read_text(), re.MULTILINE)
    required = {
        kind: set(re.findall(r"\w+", " ".join(re.findall(r"\*\*([^*]+)\*\*", told))))
        for names, told in rows
        for kind in re.findall(r"`([^`]+)`", names)
        if "**" in told
    }
    assert required == {kind: {one.field for one in wanted} for kind, wanted in REQUIREMENTS.items()}


def test_every_message_that_the_recorder_sends_is_in_the_reference() -> None:
    page = (REFERENCE / "wire.md").read_text()
    told = set(re.findall(r"^\| \*\*(\w+)\*\* ", page, re.MULTILINE))
    sent = {
        kind
        for file in sources("recorder/semantest_recorder/core", "recorder/semantest_recorder/server")
        for kind in re.findall(r"\bencode\(\s*\"(\w+)\"", file.read_text(encoding="utf-8"))
    }
    assert sent == told


def test_every_field_of_a_run_and_of_a_result_is_in_the_reference() -> None:
    wire, events = (REFERENCE / "wire.md").read_text(), (REFERENCE / "events.md").read_text()
    for field in msgspec.structs.fields(RunConfig):
        assert re.search(rf"`[^`]*\b{field.encode_name}\b", wire), field.encode_name
    for field in msgspec.structs.fields(Policy):
        assert re.search(rf"`[^`]*\b{field.encode_name}\b", wire), field.encode_name
    row = RunRow("r")
    for name in run_status(row, {}, (0, 0)):
        assert re.search(rf"\b{name}\b", wire), name
    result = result_of(["k", "t", "passed", 1, *[None] * 8], None, (), cut=False)
    for name in result:
        assert re.search(rf"`[^`]*\b{name}\b", events), name


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


def test_every_class_and_method_for_embedding_is_in_the_reference() -> None:
    page = (REFERENCE / "embedding.md").read_text(encoding="utf-8")
    sections = {part.partition("`")[0]: part for part in page.split("\n## `")[1:]}
    assert set(sections) == set(embedding.__all__)
    for name, section in sections.items():
        kind = getattr(embedding, name)
        methods = vars(kind) if inspect.isclass(kind) else {}
        for method, function in methods.items():
            if method.startswith("_") or not inspect.isfunction(function):
                continue
            assert f"\n### `{method}`\n" in section, f"{name}.{method}"
            assert inspect.getdoc(function), f"{name}.{method}"
            told = f"await {method}(" if inspect.iscoroutinefunction(function) else f"{method}("
            assert told in section, f"{name}.{method} is a coroutine"


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
