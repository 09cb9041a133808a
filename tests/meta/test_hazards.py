"""Every hazard is carried out by a test that runs with all the others, and no marker names another one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.hazards import HAZARDS

TESTS = Path(__file__).resolve().parents[1]
#: Markers of tests that `make test` leaves out, or that run nowhere.
_LEFT_OUT = {"slow", "index", "skip"}
Mark = tuple[str, int | None]


def marks_in(node: ast.AST) -> Iterator[Mark]:
    """Names of ``pytest.mark``, with the number that each is given."""
    called = set()
    for part in ast.walk(node):  # a call comes before what is called
        if isinstance(part, ast.Call) and (name := _mark(part.func)) is not None:
            called.add(part.func)
            if part.args and isinstance(part.args[0], (ast.Name, ast.Subscript)):
                continue  # worked out when it is collected
            number = part.args[0] if part.args else None
            yield name, number.value if isinstance(number, ast.Constant) and isinstance(number.value, int) else None
        elif part not in called and (name := _mark(part)) is not None:
            yield name, None


def _mark(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "mark":
        return node.attr
    return None


def marked(body: Iterable[ast.stmt], outer: frozenset[Mark] = frozenset()) -> Iterator[tuple[str, frozenset[Mark]]]:
    """Each test of a module or a class by its name, with the marks on it and on what it stands in."""
    body = list(body)
    for node in body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            outer |= set(marks_in(node.value))
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            marks = [set(marks_in(decorator)) for decorator in node.decorator_list]
            on_it = set().union(*(some for some in marks if "parametrize" not in dict(some)))  # that has some of cases
            if isinstance(node, ast.ClassDef):
                yield from marked(node.body, outer | on_it)
            elif node.name.startswith("test_"):
                yield node.name, outer | on_it


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    files = {str(file.relative_to(TESTS)): file.read_text(encoding="utf-8") for file in TESTS.rglob("test_*.py")}
    return {name: ast.parse(text) for name, text in files.items() if ".hazard" in text}


def test_every_hazard_is_carried_out_by_a_test_that_runs(modules: dict[str, ast.Module]) -> None:
    held = {
        number
        for module in modules.values()
        for _name, marks in marked(module.body)
        if not _LEFT_OUT & {kind for kind, _number in marks}
        for kind, number in marks
        if kind == "hazard"
    }
    assert {number: HAZARDS[number] for number in HAZARDS if number not in held} == {}


def test_no_marker_names_another_hazard(modules: dict[str, ast.Module]) -> None:
    named = {(name, mark[1]) for name, module in modules.items() for mark in marks_in(module) if mark[0] == "hazard"}
    assert len(named) > len(HAZARDS)
    assert {(name, number) for name, number in named if number not in HAZARDS} == set()


def test_the_hazards_are_numbered_without_a_hole() -> None:
    assert list(HAZARDS) == list(range(1, 37))
    assert len(set(HAZARDS.values())) == len(HAZARDS)
