"""The import rules name every module they are about: a new one cannot slip past import-linter."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "pytest_semantest"
RECORDER = ROOT / "recorder" / "semantest_recorder"
IN_THE_TEST_PROCESS = "the test process imports the standard library, pytest and pluggy only"


def contracts() -> dict[str, dict[str, Any]]:
    with open(ROOT / "pyproject.toml", "rb") as file:
        rules = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return {contract["name"]: contract for contract in rules}


def imported(file: Path) -> Iterator[str]:
    """Top-level names that the file imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_every_module_outside_the_shipper_is_held_to_the_test_process_rule() -> None:
    modules = {
        f"pytest_semantest.{entry.stem}"
        for entry in PLUGIN.iterdir()
        if (entry.suffix == ".py" and entry.stem != "__init__") or (entry / "__init__.py").is_file()
    }
    assert set(contracts()[IN_THE_TEST_PROCESS]["source_modules"]) == modules - {"pytest_semantest.shipper"}


def test_every_room_of_the_recorder_is_in_the_purity_rule() -> None:
    rooms = {f"semantest_recorder.{entry.name}" for entry in RECORDER.iterdir() if (entry / "__init__.py").is_file()}
    forbidden = set(contracts()["the core is pure"]["forbidden_modules"])
    assert rooms - {"semantest_recorder.core"} <= forbidden


def test_the_test_process_imports_the_standard_library_pytest_and_pluggy_only() -> None:
    allowed = sys.stdlib_module_names | {"pytest", "_pytest", "pluggy", "pytest_semantest"}
    wrong = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in PLUGIN.rglob("*.py")
        if "shipper" not in file.relative_to(PLUGIN).parts
        for name in imported(file)
        if name.partition(".")[0] not in allowed
    }
    assert not wrong


def test_the_recorder_never_imports_pytest_nor_more_of_the_plugin_than_the_contract() -> None:
    wrong = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in RECORDER.rglob("*.py")
        for name in imported(file)
        if name.partition(".")[0] in {"pytest", "_pytest"}
        or (name.startswith("pytest_semantest.") and not name.startswith("pytest_semantest.protocol"))
    }
    assert not wrong
