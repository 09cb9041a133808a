"""No route without a description, a role and a test, and a description that is OpenAPI."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.api.openapi import openapi
from semantest_recorder.role_table import served_routes
from semantest_recorder.server.routes import Route

TESTS = Path(__file__).resolve().parents[1]
PROBES = ("/healthz", "/readyz", "/metrics")
#: What programs use, beside the WebSocket.
ROUTES = [route for route in served_routes() if route.path.startswith("/api/") or route.path in PROBES]
DESCRIBED = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]


def texts() -> Iterator[str]:
    """What stands in strings of tests; what an f-string puts in is ``{}``."""
    for file in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "path_of":
                parts = [str(arg.value) if isinstance(arg, ast.Constant) else "{}" for arg in node.args]
                yield "/".join(["/api/v1", *parts])


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """Paths that tests ask for."""
    found = (re.search(r"(/api/v1/[^?\s]+|/healthz|/readyz|/metrics)", text) for text in texts())
    return {match[1] for match in found if match is not None}


@pytest.mark.parametrize("route", DESCRIBED)
def test_every_route_has_a_description_and_a_test(route: Route, asked: set[str]) -> None:
    assert route.doc is not None, "give it a Doc: the reference and OpenAPI are made of it"
    assert route.doc.summary
    pattern = re.compile(re.sub(r"{\w+}", "[^/]+", route.path))
    assert any(pattern.fullmatch(path) for path in asked), "no test asks for it"


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (str(value) for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_description_is_whole() -> None:
    document = openapi(served_routes(), "1")
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    assert {ref.rpartition("/")[2] for ref in references(document)} == set(schemas)
    operations = [told for path in document["paths"].values() for told in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            parts = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert parts == set(re.findall(r"{(\w+)}", path))
