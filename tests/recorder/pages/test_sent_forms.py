"""What a page says of a form that was carried out: once, to who sent it, at an address that sends nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from semantest_recorder.core.access import OWNER, Identity, Role
from semantest_recorder.pages.told_once import ToldOnce
from tests.recorder.cli.recording import green_run
from tests.recorder.cli_recorder.daemons import Daemon
from tests.recorder.server.visiting import VISIT, Headers, ask, own, signed_in

SILENCE = {"minutes": "60", "rule": "red", "subject": "*", "reason": "known"}
TOKEN = {"name": "ci", "role": "read", "expires": "90"}


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("shop") / ".semantest"
    green_run().store(folder)
    daemon = Daemon(folder).ready()
    yield daemon
    daemon.end()


def sent(recorder: Daemon, cookie: str, path: str, form: dict[str, str]) -> str:
    """Where the browser is led by the answer to a form."""
    answer = ask(recorder, "POST", path, own(recorder, cookie), form)
    assert (answer.status, answer.text) == (303, "")
    return answer.headers["Location"]


def visit(cookie: str) -> Headers:
    return VISIT | {"Cookie": cookie}


def test_a_silence_is_said_once_and_a_reload_makes_no_other(recorder: Daemon) -> None:
    cookie = signed_in(recorder)
    place = sent(recorder, cookie, "/alerts/silence", SILENCE)
    assert re.fullmatch(r"/alerts\?told=[\w-]{16}", place)
    first, again = (ask(recorder, "GET", place, visit(cookie)) for _ in range(2))
    assert "Nobody is told of it until then." in first.text
    assert (again.status, "Nobody is told of it until then." in again.text) == (200, False)
    assert again.text.count("End it") == 1
    assert place.partition("?")[2] not in first.text, "links of the page are for later"


def test_a_new_token_is_shown_once_and_to_nobody_else(recorder: Daemon) -> None:
    cookie, other = signed_in(recorder), signed_in(recorder)
    place = sent(recorder, cookie, "/settings/tokens", TOKEN)
    assert "smt_" not in place
    assert "smt_" not in ask(recorder, "GET", place, visit(other)).text
    shown = ask(recorder, "GET", place, visit(cookie))
    (token,) = set(re.findall(r"smt_[\w-]{43}", shown.text))
    assert shown.headers["Cache-Control"] == "no-store"
    assert "smt_" not in ask(recorder, "GET", place, visit(cookie)).text
    assert ask(recorder, "GET", "/api/v1/status", {"Authorization": f"Bearer {token}"}).status == 200
    gone = ask(recorder, "GET", sent(recorder, cookie, "/settings/tokens/revoke", {"name": "ci"}), visit(cookie))
    assert "The token ci is revoked" in gone.text


def test_a_form_that_is_refused_is_answered_where_it_was_sent(recorder: Daemon) -> None:
    user = own(recorder, signed_in(recorder))
    for path, form, said in (
        ("/alerts/silence", SILENCE | {"minutes": "7"}, "choose for how long"),
        ("/alerts/unsilence", {"id": "none"}, "it was not there any more"),
        ("/settings/tokens", TOKEN | {"name": "owner"}, "is no name for a token"),
        ("/settings/tokens/revoke", {"name": "nobody"}, "there is no token named"),
    ):
        answer = ask(recorder, "POST", path, user, form)
        assert (answer.status, said in answer.text) == (400, True), path


def test_what_nobody_comes_back_for_is_forgotten() -> None:
    now_s = 0.0
    told = ToldOnce(lambda: now_s)
    ann = Identity("ann", frozenset({Role.READ}))
    key, late = told.leave(ann, {"said": "done"}), told.leave(ann, {"said": "late"})
    assert told.take(OWNER, key) == {}
    assert told.take(ann, key) == {"said": "done"}
    assert told.take(ann, key) == {}
    now_s = 60.0
    assert told.take(ann, late) == {}
    keys = [told.leave(ann, {"number": number}) for number in range(150)]
    assert [bool(told.take(ann, one)) for one in keys].count(True) == 100
