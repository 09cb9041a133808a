"""``/api``: the REST API of this recorder, for people who write programs against it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from semantest_recorder.api.reference import Operation, operations, shapes
from semantest_recorder.pages.page import Page, Visit


def api_page(describe: Callable[[], Mapping[str, Any]]) -> Page:
    """The page; ``describe`` gives the OpenAPI document, and is called once."""

    @cache
    def values() -> Mapping[str, Any]:
        document = describe()
        told = operations(document)
        calls = {one.id: call_of(one) for group in told.values() for one in group}
        questions = {one.id: question_of(one) for group in told.values() for one in group}
        return {
            "groups": told,
            "calls": calls,
            "questions": questions,
            "shapes": {shape.name: shape for shape in shapes(document)},
        }

    def view(_visit: Visit) -> Mapping[str, Any]:
        return values()

    return Page("/api", "api.html", "api", view)


def question_of(operation: Operation) -> str:
    """The address of what is asked about the last run, with what its query must have."""
    needs_run = "{run}" not in operation.path and any(
        one.name == "run" and one.is_required for one in operation.parameters
    )
    return operation.path.replace("{run}", "last") + ("?run=last" if needs_run else "")


def call_of(operation: Operation) -> str:
    """The route as curl asks for it; ``URL`` and ``TOKEN`` are variables of the reader's shell."""
    parts = ["curl", "--silent", "--header", '"Authorization: Bearer $TOKEN"']
    if operation.method != "GET":
        parts += ["--request", operation.method]
    if operation.body == "application/octet-stream":
        parts += ["--data-binary", "@file"]
    elif operation.body is not None:
        parts += ["--json", "@body.json"]
    path = question_of(operation) if operation.method == "GET" else operation.path
    return " ".join([*parts, f'"$URL"{shlex.quote(path)}'])
