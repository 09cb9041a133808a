"""The description of the API for people: what its OpenAPI document says, in words (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: What stands behind a shape of whose entries fields can be chosen.
_CHOSEN_TOO = " or {}Fields"
_METHODS = ("get", "post", "put", "patch", "delete")


class Parameter(NamedTuple):
    """A part of the path, or a parameter of the query; ``value``: what it may be, in Markdown's code marks."""

    name: str
    value: str
    meaning: str
    is_required: bool


class Operation(NamedTuple):
    """A method of a route; ``body``: what is sent, ``answers``: by status what comes, ``errors``: other statuses.

    Bodies are names of shapes, or types of media.
    """

    id: str
    method: str
    path: str
    summary: str
    needs: str
    parameters: list[Parameter]
    body: str | None
    answers: list[tuple[str, str]]
    errors: list[str]


class Shape(NamedTuple):
    """A JSON object; ``fields``: names with types."""

    name: str
    text: str
    fields: list[tuple[str, str]]


def operations(document: Mapping[str, Any]) -> dict[str, list[Operation]]:
    """All methods of all routes but ``HEAD``, by tag."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                told = methods[method]
                found.setdefault(told["tags"][0], []).append(_operation(method, path, told))
    return dict(sorted(found.items()))


def shapes(document: Mapping[str, Any]) -> list[Shape]:
    """All shapes but for those that are other ones with chosen fields."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    return [
        Shape(
            name,
            schema.get("description", "").replace("``", "`"),
            [(field, type_words(told)) for field, told in schema["properties"].items()],
        )
        for name, schema in schemas.items()
        if "properties" in schema and not name.endswith("Fields")
    ]


def type_words(schema: Mapping[str, Any]) -> str:
    """What a value is: ``list of TestInfo``, ``text or null``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_words(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"{value}" for value in schema["enum"] if value is not None)
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_words(schema['additionalProperties'])}"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, str(kind))


def _operation(method: str, path: str, told: Mapping[str, Any]) -> Operation:
    body = told.get("requestBody")
    sent = None if body is None else _content(body["content"]) + ("" if body["required"] else ", may be left out")
    return Operation(
        told["operationId"],
        method.upper(),
        path,
        told["summary"],
        told["description"],
        [
            Parameter(one["name"], _value(one), one.get("description", ""), one.get("required", False))
            for one in told["parameters"]
        ],
        sent,
        list(_answers(told["responses"])),
        [status for status in told["responses"] if int(status) >= 400],
    )


def _answers(responses: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for status, told in responses.items():
        content = told.get("content")
        if content is not None and "application/problem+json" not in content:
            yield status, _content(content)
        elif int(status) < 400:
            yield status, told["description"].lower()


def _content(content: Mapping[str, Any]) -> str:
    (media, told), *_others = content.items()
    schema = told["schema"]
    if "$ref" in schema or "anyOf" in schema:
        return type_words(schema).removesuffix(_CHOSEN_TOO.format(type_words(schema).partition(" ")[0]))
    return "a JSON object" if media == "application/json" else "bytes" if media == "*/*" else str(media)


def _value(parameter: Mapping[str, Any]) -> str:
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
    return text + several + (f"; `{schema['default']}`" if "default" in schema else "")
