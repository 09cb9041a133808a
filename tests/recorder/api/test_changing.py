"""Tokens, policy and cancelling: by the rules that hold for commands and on the WebSocket."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest

from semantest_recorder.core.access import Role
from tests.recorder.api.asking import Api, served
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import green_run

TOKENS = "/api/v1/tokens"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server of this module's own: its policy and its tokens are changed."""
    folder = tmp_path_factory.mktemp("changing") / ".semantest"
    green_run().store(folder)
    found = served(folder)
    yield found
    found.server.close()


def test_a_token_is_shown_once_and_listed_as_the_command_does(own: Api) -> None:
    made = own.send("POST", TOKENS, {"name": "ci", "roles": ["read", "ingest"], "expiresInS": 3600})
    assert made.status == 201
    token = made.json["token"]
    assert token.startswith("smt_")
    assert made.json["roles"] == ["ingest", "read"]
    assert made.json["expiresMs"] - made.json["createdMs"] == 3_600_000.0
    assert made.headers["cache-control"] == "no-store"
    listed = own.json(TOKENS)["tokens"]
    assert listed == semantest("token", "list", "--json", "--directory", own.folder).json["tokens"]
    assert token not in own.get(TOKENS).body.decode()
    assert stat.S_IMODE((own.folder / "tokens.json").stat().st_mode) == 0o600

    taken = own.send("POST", TOKENS, {"name": "ci", "roles": ["read"]})
    assert (taken.status, taken.json["code"]) == (409, "NAME_TAKEN")
    assert own.send("DELETE", "/api/v1/tokens/ci").status == 204
    gone = own.send("DELETE", "/api/v1/tokens/ci")
    assert (gone.status, gone.json["code"]) == (404, "TOKEN_NOT_FOUND")
    assert own.json(TOKENS)["tokens"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "roles": []},
        {"name": "x", "roles": ["boss"]},
        {"name": "../x", "roles": ["read"]},
        {"name": "owner", "roles": ["read"]},
        {"name": "x", "roles": ["read"], "expiresInS": 0},
        {"name": "x", "roles": ["read"], "more": 1},
        [],
    ],
)
def test_what_makes_no_token(own: Api, body: object) -> None:
    answer = own.send("POST", TOKENS, body)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")
    assert own.json(TOKENS)["tokens"] == []


def test_a_body_is_json_and_is_said_to_be(own: Api) -> None:
    answer = own.send("POST", TOKENS, {"name": "x", "roles": ["read"]}, headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    answer = own.send("POST", f"{TOKENS}?name=x", {"name": "x", "roles": ["read"]})
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")


def test_unreadable_tokens_are_said_to_be(own: Api) -> None:
    (own.folder / "tokens.json").write_text("no json")
    try:
        for answer in (own.get(TOKENS), own.send("POST", TOKENS, {"name": "x", "roles": ["read"]})):
            assert (answer.status, answer.json["code"]) == (503, "STORE_ERROR")
    finally:
        (own.folder / "tokens.json").unlink()


def test_a_change_of_the_policy_holds_for_everybody_at_once(own: Api) -> None:
    before = own.json("/api/v1/policy")
    changed = own.send("PATCH", "/api/v1/policy", {"maxEventSize": 4096, "blockedEventTypes": ["custom/*"]})
    assert changed.status == 200
    assert changed.json == before | {"maxEventSize": 4096, "blockedEventTypes": ["custom/*"]}
    assert own.json("/api/v1/policy") == changed.json
    assert own.server.hub.security.policy.max_event_size == 4096
    wrong = own.send("PATCH", "/api/v1/policy", {"maxEventsiz": 1})
    assert wrong.status == 400
    assert "did you mean maxEventSize" in wrong.json["detail"]
    assert own.send("PATCH", "/api/v1/policy", {"maxEventSize": 1}).status == 400
    assert own.json("/api/v1/policy") == changed.json


def test_the_policy_is_for_all_who_may_read(own: Api) -> None:
    """The page of settings and ``getSecurityMetrics`` tell them the same."""
    for role, status in ((Role.READ, 200), (Role.ADMIN, 200), (Role.OPERATE, 403), (Role.INGEST, 403)):
        assert own.send("GET", "/api/v1/policy", token=own.server.token(f"one-{role}", role)).status == status
    reader = own.server.token("no-admin", Role.READ)
    assert own.send("PATCH", "/api/v1/policy", {"maxEventSize": 4096}, token=reader).status == 403


def test_a_run_is_cancelled_by_who_may(own: Api) -> None:
    client = own.server.connect()
    started = client.ask({"id": "1", "type": "startTestRun", "payload": {"runId": "manual/1"}})
    assert started["type"] == "testRunStarted"
    path = "/api/v1/runs/manual%2F1/cancel"
    assert own.send("POST", path, token=own.server.token("reader", Role.READ)).status == 403
    operator = own.server.token("operator", Role.OPERATE)
    cancelled = own.send("POST", path, {"reason": "enough"}, token=operator)
    assert cancelled.status == 200, cancelled
    assert (cancelled.json["state"], cancelled.json["stopReason"]) == ("cancelled", "enough")
    over = own.send("POST", path, token=operator)
    assert (over.status, over.json["code"]) == (404, "RUN_NOT_FOUND")
    client.close()


def test_a_recorder_that_stops_says_so(own: Api) -> None:
    own.server.call(lambda: setattr(own.server.hub, "accepting", False))
    try:
        answer = own.send("POST", "/api/v1/runs/r1/cancel")
        assert (answer.status, answer.json["code"]) == (503, "STOPPING")
    finally:
        own.server.call(lambda: setattr(own.server.hub, "accepting", True))
