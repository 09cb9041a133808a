"""The API in words: every route, and no name of a shape that leads nowhere."""

from __future__ import annotations

import shlex
from urllib.parse import parse_qs, urlsplit

from semantest_recorder.api.openapi import openapi
from semantest_recorder.api.reference import operations, shapes
from semantest_recorder.pages.api_reference import call_of
from semantest_recorder.role_table import served_routes

DOCUMENT = openapi(served_routes(), "1")


def test_every_route_is_told_once_with_shapes_that_are_told() -> None:
    told = [one for group in operations(DOCUMENT).values() for one in group]
    described = {(route.method, route.path) for route in served_routes() if route.doc is not None}
    assert {(one.method, one.path) for one in told} == described
    assert len(told) == len(described)
    names = {shape.name for shape in shapes(DOCUMENT)}
    for one in told:
        bodies = [answer for _status, answer in one.answers] + ([one.body] if one.body else [])
        for body in bodies:
            for name in body.partition(",")[0].split(" or "):
                assert name in names or not name[0].isupper(), (one.id, name)


def test_what_parameters_and_fields_may_be() -> None:
    (runs,) = [one for one in operations(DOCUMENT)["runs"] if one.path == "/api/v1/runs"]
    told = {parameter.name: parameter.value for parameter in runs.parameters}
    assert told["limit"] == "1 to 1000; `50`"
    assert told["sort"] == "`-duration`, `-started`, `duration`, `started`; `-started`"
    assert told["label"] == "text, repeatable"
    assert told["state"].endswith("`timeout`, several with commas")
    (page,) = [shape for shape in shapes(DOCUMENT) if shape.name == "RunPage"]
    assert dict(page.fields) == {"schema": "whole number", "runs": "list of RunSummary", "next": "text or null"}
    (problem,) = [shape for shape in shapes(DOCUMENT) if shape.name == "ProblemDetails"]
    assert [name for name, _value in problem.fields] == ["type", "title", "status", "code", "detail", "requestId"]


def test_what_a_query_must_have_is_in_the_call() -> None:
    must = {
        told["get"]["operationId"]: {
            one["name"] for one in told["get"]["parameters"] if one["in"] == "query" and one.get("required")
        }
        for told in DOCUMENT["paths"].values()
        if "get" in told
    }
    assert any(must.values())
    for one in (one for group in operations(DOCUMENT).values() for one in group if one.method == "GET"):
        assert set(parse_qs(urlsplit(shlex.split(call_of(one))[-1]).query)) == must[one.id], one.path


def test_how_curl_asks() -> None:
    calls = {one.id: shlex.split(call_of(one)) for group in operations(DOCUMENT).values() for one in group}
    assert calls["get_runs_run_results"][-1] == "$URL/api/v1/runs/last/results"
    assert calls["delete_tokens_name"][-3:] == ["--request", "DELETE", "$URL/api/v1/tokens/{name}"]
    assert "@body.json" in calls["post_tokens"]
    assert "@file" in calls["put_artifacts_sha256"]


def test_every_route_may_fail_by_a_fault_of_ours() -> None:
    told = [call for path in DOCUMENT["paths"].values() for call in path.values()]
    assert all("500" in call["responses"] for call in told)
