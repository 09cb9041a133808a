"""The hundred services of apprise, by the one that speaks to a server of ours."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import msgspec
import pytest

from semantest_recorder.core.alerts.alert import Alert
from semantest_recorder.core.alerts.delivery import Answer
from semantest_recorder.core.alerts.message import Change, Message, message_of, trial_message
from semantest_recorder.core.alerts.settings import AlertSettings, Channel, Rule
from semantest_recorder.notify.channel import Secrets
from semantest_recorder.notify.channels import Channels

from .mailbox import taking_mail
from .receiver import DEADLINE_S, Receiver, Reply, receiving

MESSAGE = trial_message("red", "run-failed", "critical", "msg_1", "https://rec.example", 1.0)
PASSWORD = "sEcReT99"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def channels(url: str, timeout_s: float = 30.0) -> Channels:
    settings = Channel(name="chat", kind="apprise", url_env="CHAT_URL", timeout_s=timeout_s)
    return Channels(AlertSettings(channels=(settings,)), {"CHAT_URL": url})


def send(found: Channels, message: Message = MESSAGE) -> Answer:
    return asyncio.run(found.send("chat", message.id, msgspec.json.encode(message)))


def json_url(receiver: Receiver) -> str:
    return f"{receiver.url.replace('http://', f'json://user:{PASSWORD}@')}/hook"


def test_a_message_reaches_the_service_with_its_severity(receiver: Receiver) -> None:
    receiver.reply = lambda _request: Reply()
    assert send(channels(json_url(receiver))) == Answer(is_delivered=True, text="the service took it")
    got = receiver.next().json
    assert (got["title"], got["message"], got["type"]) == (MESSAGE.title, MESSAGE.text, "failure")
    over = msgspec.structs.replace(MESSAGE, state="resolved")
    assert send(channels(json_url(receiver)), over).is_delivered
    assert receiver.next().json["type"] == "success"


def test_a_refusal_is_told_without_the_secrets_of_the_address(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.reply = lambda _request: Reply(500)
    answer = send(channels(json_url(receiver)))
    receiver.next()
    assert (answer.is_delivered, answer.is_final) == (False, False)
    assert answer.text.startswith("the service did not take it: ")
    assert "500" in answer.text
    for text in (answer.text, caplog.text, *capfd.readouterr()):
        assert PASSWORD not in text


def test_a_token_in_place_of_a_host_is_a_secret_and_a_host_is_none() -> None:
    said = Secrets("tgram://123456789:AbCdEfGhIj/4321").without("AbCdEfGhIj of 123456789 was refused")
    assert said == "[REDACTED] of [REDACTED] was refused"
    said = Secrets("mailtos://ann:sEcReT99@mail.example?to=team@shop.example").without("mail.example refused sEcReT99")
    assert said == "mail.example refused [REDACTED]"
    assert Secrets("http://localhost:8000/x").without("localhost answered 500") == "localhost answered 500"


def test_a_mail_reaches_whom_the_address_names_and_nobody_whom_a_test_names() -> None:
    name = "a.py::t[\r\nBcc: eve@evil.example\r\n\r\n<b>@all \u00e9]"
    alert = Alert(
        rule="news",
        subject=name,
        kind="new-failure",
        severity="warning",
        state="firing",
        since_ms=1.0,
        seen_ms=1.0,
        summary="AssertionError: <script>\nBcc: eve@evil.example",
        branch="main",
        test_id=name,
    )
    rule = Rule(name="news", kind="new-failure", channels=("chat",))
    told = message_of([Change(alert, False)], rule, "msg_1", "", 1.0)
    with taking_mail() as mailbox:
        url = f"mailto://{mailbox.address}?mode=insecure&from=recorder@shop.example&to=team@shop.example"
        assert send(channels(url), told) == Answer(is_delivered=True, text="the service took it")
        mail = mailbox.received.get(timeout=DEADLINE_S)
    assert mail.recipients == ["team@shop.example"]
    assert mail.message["Bcc"] is None
    assert "Bcc: eve@ evil.example" in told.title
    assert mail.message["Subject"].split() == told.title.split()
    body = mail.message.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines()[: len(told.text.splitlines())] == told.text.splitlines()


def test_a_service_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.reply = lambda _request: Reply(None)
    answer = send(channels(json_url(receiver), timeout_s=0.2))
    assert answer == Answer(is_delivered=False, text="the service did not answer within 0.2 s")
    receiver.next()


def test_what_cannot_be_used_says_what_to_do_and_is_no_reason_not_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = channels("nonsense://x")
    assert unknown.problems == {"chat": "the variable CHAT_URL holds no address that apprise knows"}
    assert send(unknown) == Answer(is_delivered=False, text=unknown.problems["chat"], is_final=True)
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert "pip install 'pytest-semantest[notify]'" in channels("json://localhost").problems["chat"]


def test_a_channel_that_is_gone_ends_what_waits_for_it() -> None:
    answer = asyncio.run(Channels(AlertSettings(), {}).send("old", "msg_1", b"{}"))
    assert answer == Answer(
        is_delivered=False, text="there is no channel old in the configuration any more", is_final=True
    )
