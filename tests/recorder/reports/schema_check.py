"""Checks a value against the part of JSON Schema that our schema uses, independently of what wrote it."""

from __future__ import annotations

from typing import Any

_KNOWN = {
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "items",
    "anyOf",
    "default",
    "additionalProperties",
    "enum",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def violations(value: Any, schema: dict[str, Any], definitions: dict[str, Any], where: str = "$") -> list[str]:
    """What is wrong with ``value``; also a field that the schema does not name, and a keyword unknown here."""
    unknown = set(schema) - _KNOWN
    if unknown:
        return [f"{where}: the check does not know {sorted(unknown)}"]
    if "$ref" in schema:
        return violations(value, definitions[schema["$ref"].rpartition("/")[2]], definitions, where)
    if "anyOf" in schema:
        tries = [violations(value, option, definitions, where) for option in schema["anyOf"]]
        return [] if any(not found for found in tries) else [f"{where}: fits no alternative: {tries}"]
    wrong = _wrong_type(value, schema)
    if wrong:
        return [f"{where}: {wrong}"]
    if isinstance(value, dict):
        return _object(value, schema, definitions, where)
    if isinstance(value, list):
        found = [
            violations(item, schema.get("items", {}), definitions, f"{where}[{i}]") for i, item in enumerate(value)
        ]
        return [line for lines in found for line in lines]
    return []


def _wrong_type(value: Any, schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if kind is not None and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return f"{value!r} is no {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is none of {schema['enum']}"
    return ""


def _object(value: dict[str, Any], schema: dict[str, Any], definitions: dict[str, Any], where: str) -> list[str]:
    properties = schema.get("properties", {})
    found = [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in properties:
            found += violations(item, properties[name], definitions, f"{where}.{name}")
        elif isinstance(rest, dict):
            found += violations(item, rest, definitions, f"{where}.{name}")
        elif properties:
            found.append(f"{where}: {name} is not in the schema")
    return found
