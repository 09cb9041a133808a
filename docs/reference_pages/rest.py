"""docs/reference/rest.md: the REST API, from the table of routes and the description that is made of it."""

from __future__ import annotations

from collections.abc import Iterator

from docs.reference_pages.markdown import NOTE, table
from semantest_recorder.api.openapi import openapi
from semantest_recorder.api.reference import Operation, operations
from semantest_recorder.role_table import served_routes


def rest_page() -> str:
    """Every route, by what it is about."""
    found = operations(openapi(served_routes(), ""))
    sections = (f"## {tag}\n\n{(chr(10) * 2).join(map(_section, told))}" for tag, told in found.items())
    return f"""{NOTE}
# REST API

`GET /api/v1/openapi.json` is the same for programs (OpenAPI 3.1), with the shapes of all bodies; a recorder shows both
to people at `/api`. How it is used: [guide/api.md](../guide/api.md). A route that takes `GET` takes `HEAD`, too. Errors
are `application/problem+json` (RFC 9457) with a `code` of [errors.md](errors.md). Any route may answer 401 or 403 to
who lacks the role, and 415 to a compressed body.

{(chr(10) * 2).join(sections)}
"""


def _section(operation: Operation) -> str:
    return f"### `{operation.method} {operation.path}`\n\n" + "\n\n".join(_parts(operation))


def _parts(operation: Operation) -> Iterator[str]:
    yield f"{operation.summary}. {operation.needs}"
    if operation.parameters:
        rows = ((f"`{one.name}`", one.value, one.meaning) for one in operation.parameters)
        yield table(("parameter", "value", "meaning"), rows)
    if operation.body is not None:
        name, comma, rest = operation.body.partition(",")
        yield f"Body: {_code(name)}{comma}{rest}."
    answers = (f"{status}: {_code(told)}." for status, told in operation.answers)
    yield " ".join([*answers, f"Errors: {', '.join(operation.errors)}."])


def _code(told: str) -> str:
    """The name of a shape, or a type of media, as code; words as they are."""
    names = told.split(" or ")
    return told if any(" " in name for name in names) else " or ".join(f"`{name}`" for name in names)
