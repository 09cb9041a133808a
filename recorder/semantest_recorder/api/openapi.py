"""The OpenAPI 3.1 description of the routes, from their table and the types that it names (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from semantest_recorder.api.fields import entry_type, field_names
from semantest_recorder.core.access import ANY_ROLE
from semantest_recorder.server.query import is_list, splits
from semantest_recorder.server.routes import Doc, Route

REF: Final = "#/components/schemas/{name}"
#: What stands for a part of a path; others are texts.
PARTS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "run": (
        "A run: its id, a unique beginning of one, or `last`.",
        {"type": "string", "minLength": 1, "examples": ["last"]},
    ),
    "test": (
        "A test: its id, its name, or a part that only one has; percent-encoded, `/` as `%2F`.",
        {"type": "string", "minLength": 1},
    ),
    "name": ("The name of a token.", {"type": "string", "minLength": 1}),
    "sha256": ("64 lower-case hexadecimal digits.", {"type": "string", "pattern": "^[0-9a-f]{64}$"}),
    "worker": ("A process of the run: `main`, `gw0`, ..., or its source.", {"type": "string"}),
}
_BINARY: Final = {"type": "string", "format": "binary"}


class ProblemDetails(msgspec.Struct, rename="camel"):
    """An error (RFC 9457); `code` is for programs, `detail` one line that says what to do.

    `requestId` names the request in the recorder's log.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str | msgspec.UnsetType = msgspec.UNSET


def openapi(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The document; routes without ``doc`` are no part of the API."""
    told = [(route, route.doc) for route in routes if route.doc is not None]
    types = list(dict.fromkeys(kind for _route, doc in told for kind in (doc.answer, doc.body) if _is_json(kind)))
    (_problem, *schemas), components = msgspec.json.schema_components([ProblemDetails, *types], ref_template=REF)
    schema_of = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route, doc in sorted(told, key=lambda one: (one[0].path, one[0].method)):
        operation = _operation(route, doc, schema_of, components)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
        if route.method == "GET":
            paths[route.path]["head"] = _head(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Semantest recorder",
            "version": version,
            "description": "What was recorded, and what may be changed from afar. "
            "Times in `...Ms` are milliseconds since the epoch, durations milliseconds.",
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def error_statuses(route: Route) -> list[int]:
    """The statuses of errors that a route may answer with."""
    doc = route.doc or Doc("")
    found = {*doc.errors, 415, 500}  # a compressed body is taken by none, and a fault of ours may be anywhere
    if route.roles is not None:
        found |= {401, 403}
    if doc.query is not None or doc.body is not None or "{" in route.path:
        found |= {400}
    return sorted(found)


def roles_text(route: Route) -> str:
    """The roles of which the client needs one, in words."""
    if route.roles is None:
        return "Open to all."
    if route.roles == ANY_ROLE:
        return "Needs a token."
    return f"Needs the role {' or '.join(sorted(role.value for role in route.roles))}."


def _operation(route: Route, doc: Doc, schema_of: Mapping[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": doc.summary,
        "description": roles_text(route),
        "tags": [_tag(route.path)],
        "security": [] if route.roles is None else [{"token": []}],
        "parameters": [*_path_parameters(route.path), *_query_parameters(doc, components)],
        "responses": _responses(route, doc, schema_of, components),
    }
    if doc.body is not None:
        media = {"application/octet-stream": {"schema": _BINARY}}
        if doc.body is not bytes:
            media = {"application/json": {"schema": schema_of[doc.body]}}
        operation["requestBody"] = {"required": doc.body_required, "content": media}
    return operation


def _responses(route: Route, doc: Doc, schema_of: Mapping[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status in doc.statuses:
        found[str(status)] = {"description": HTTPStatus(status).phrase}
        if status not in (204, 304) and doc.answer is not None:
            found[str(status)]["content"] = {doc.media: {"schema": _answer_schema(doc, schema_of, components)}}
    content = {"application/problem+json": {"schema": {"$ref": REF.format(name=ProblemDetails.__name__)}}}
    for status in error_statuses(route):
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    return found


def _answer_schema(doc: Doc, schema_of: Mapping[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    if not _is_json(doc.answer):
        return {"type": "string"} if doc.answer is str else dict(_BINARY)
    whole: dict[str, Any] = schema_of[doc.answer]
    if doc.entries is None:
        return whole
    return {"anyOf": [whole, _with_chosen_fields(doc, whole, components)]}


def _with_chosen_fields(doc: Doc, whole: Mapping[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """The answer, of whose entries no field has to be there; but each that is there has its type."""
    answer, entry = _name(whole), entry_type(doc.answer, doc.entries or "")
    name = next(key for key, found in components.items() if found.get("title") == entry.__name__)
    sparse, page = f"{name}Fields", f"{answer}Fields"
    components[sparse] = {**components[name], "title": sparse, "required": []}
    listed = dict(components[answer]["properties"])
    was = listed[doc.entries or ""]
    ref = {"$ref": REF.format(name=sparse)}
    listed[doc.entries or ""] = {"type": "array", "items": ref} if was.get("type") == "array" else ref
    components[page] = {**components[answer], "title": page, "properties": listed}
    return {"$ref": REF.format(name=page)}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    found = []
    for part in re.findall(r"{(\w+)}", path):
        text, schema = PARTS[part]
        found.append({"name": part, "in": "path", "required": True, "description": text, "schema": dict(schema)})
    return found


def _query_parameters(doc: Doc, components: dict[str, Any]) -> list[dict[str, Any]]:
    query = doc.query
    if query is None:
        return []
    (ref,), own = msgspec.json.schema_components([query], ref_template=REF)
    schemas = own.pop(_name(ref))["properties"]
    components |= own
    found = []
    for field in msgspec.structs.fields(query):
        schema = _without_null(schemas[field.encode_name])
        text = schema.pop("description", None)
        parameter: dict[str, Any] = {"name": field.encode_name, "in": "query", "schema": schema}
        if field.required:
            parameter["required"] = True
        if text is not None:
            parameter["description"] = text
        if field.encode_name == "fields" and doc.entries is not None:
            schema["items"] = {"enum": field_names(doc.answer, doc.entries)}
        if is_list(field.type):
            parameter |= {"style": "form", "explode": not splits(field.type)}
        found.append(parameter)
    return found


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is not null in a URL."""
    options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    found = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    if options:
        found |= options[0] if len(options) == 1 else {"anyOf": options}
    if "enum" in found:
        found["enum"] = [value for value in found["enum"] if value is not None]
    if schema.get("default") not in (None, []):
        found["default"] = schema["default"]
    return found


def _head(operation: Mapping[str, Any]) -> dict[str, Any]:
    responses = {status: {"description": told["description"]} for status, told in operation["responses"].items()}
    return {**operation, "operationId": f"head_{operation['operationId']}", "responses": responses}


def _operation_id(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *words])


def _tag(path: str) -> str:
    parts = path.removeprefix("/api/v1").strip("/").split("/")
    return parts[0] if path.startswith("/api/v1/") else "probes"


def _name(ref: Mapping[str, Any]) -> str:
    return str(ref["$ref"]).rpartition("/")[2]


def _is_json(kind: Any) -> bool:
    return kind is not None and kind not in (bytes, str)
