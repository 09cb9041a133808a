"""The reference of the REST API, from the table of routes and the description that is made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from semantest_recorder.api.openapi import openapi
from semantest_recorder.role_table import served_routes

_METHODS = ("get", "post", "put", "patch", "delete")


def rest_page(note: str) -> str:
    """The page; ``note`` stands above it."""
    document = openapi(served_routes(), "")
    tags: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                tags.setdefault(operation["tags"][0], []).append(_section(method, path, operation))
    sections = (f"## {tag}\n\n{(chr(10) * 2).join(parts)}" for tag, parts in sorted(tags.items()))
    return f"""{note}
# REST API

`GET /api/v1/openapi.json` is the same for programs (OpenAPI 3.1), with the shapes of all bodies. How it is used:
[guide/api.md](../guide/api.md). A route that takes `GET` takes `HEAD`, too. Errors are
`application/problem+json` (RFC 9457) with a `code` of [errors.md](errors.md). Any route may answer 401 or 403 to who
lacks the role, and 415 to a compressed body.

{(chr(10) * 2).join(sections)}
"""


def _section(method: str, path: str, operation: Mapping[str, Any]) -> str:
    return f"### `{method.upper()} {path}`\n\n" + "\n\n".join(_parts(operation))


def _parts(operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"{operation['summary']}. {operation['description']}"
    if operation["parameters"]:
        rows = (f"| `{one['name']}` | {_kind(one)} | {one.get('description', '')} |" for one in operation["parameters"])
        yield "\n".join(["| parameter | value | meaning |", "| --- | --- | --- |", *rows])
    body = operation.get("requestBody")
    if body is not None:
        (media, told), *_others = body["content"].items()
        yield f"Body: {_shape(media, told['schema'])}{'' if body['required'] else ', may be left out'}."
    yield " ".join(_answers(operation["responses"]))


def _answers(responses: Mapping[str, Any]) -> Iterator[str]:
    for status, told in responses.items():
        content = told.get("content")
        if content is not None and "application/problem+json" not in content:
            ((media, body),) = content.items()
            yield f"{status}: {_shape(media, body['schema'])}."
        elif int(status) < 400:
            yield f"{status}: {told['description'].lower()}."
    yield f"Errors: {', '.join(status for status in responses if int(status) >= 400)}."


def _shape(media: str, schema: Mapping[str, Any]) -> str:
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    return "a JSON object" if media == "application/json" else f"`{media}`"


def _kind(parameter: Mapping[str, Any]) -> str:
    """What a value looks like."""
    schema: Mapping[str, Any] = parameter["schema"]
    several = ""
    if schema.get("type") == "array":
        several = ", several with commas" if parameter.get("explode") is False else ", repeatable"
        schema = schema["items"]
    if "enum" in schema:
        text = ", ".join(f"`{value}`" for value in schema["enum"])
    elif schema.get("type") == "integer":
        text = f"{schema.get('minimum', '')} to {schema.get('maximum', '')}"
    else:
        text = "text"
    default = f"; `{schema['default']}`" if "default" in schema else ""
    return re.sub(r"\|", "\\|", f"{text}{several}{default}")
