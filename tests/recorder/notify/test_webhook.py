"""Webhooks against real servers, kind and hostile ones."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.core.alerts.delivery import Answer
from semantest_recorder.core.alerts.settings import Channel
from semantest_recorder.notify.channel import NotSetUp
from semantest_recorder.notify.signing import signed_headers
from semantest_recorder.notify.webhook import WebhookChannel, retry_after_seconds

from .receiver import Receiver, Reply, receiving

SECRET_PATH = "/services/T0000/B1111/zzTopSecretzz"
KEY = b"0123456789abcdef0123456789abcdef"
NOW = 1_795_262_400.5


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(server: Receiver) -> Receiver:
    server.reply = lambda _request: Reply()
    return server


def webhook(receiver: Receiver | str, **more: Any) -> WebhookChannel:
    url = receiver if isinstance(receiver, str) else receiver.url + SECRET_PATH
    environment = {"URL": url, "SECRET": "whsec_" + base64.b64encode(KEY).decode()}
    settings = Channel(name="team", kind="webhook", url_env="URL", secret_env="SECRET", timeout_s=more.pop("s", 30.0))
    return WebhookChannel(settings, environment, clock=lambda: NOW, **more)


def send(channel: WebhookChannel, body: bytes = b'{"version":1}') -> Answer:
    return asyncio.run(channel.send("msg_1", body))


def test_what_is_sent_is_signed_over_id_time_and_body(receiver: Receiver) -> None:
    answer = send(webhook(receiver))
    assert answer == Answer(is_delivered=True, text="127.0.0.1 answered 200")
    got = receiver.next()
    assert (got.path, got.body) == (SECRET_PATH, b'{"version":1}')
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("semantest/")
    assert (got.headers["webhook-id"], got.headers["webhook-timestamp"]) == ("msg_1", "1795262400")
    version, _, signature = got.headers["webhook-signature"].partition(",")
    signed = hmac.new(KEY, b'msg_1.1795262400.{"version":1}', hashlib.sha256).digest()
    assert (version, base64.b64decode(signature)) == ("v1", signed)


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    channel = WebhookChannel(Channel(name="a", kind="webhook", url_env="URL"), {"URL": receiver.url})
    assert send(channel).is_delivered
    assert "webhook-signature" not in receiver.next().headers


@pytest.mark.parametrize(
    ("reply", "is_final", "retry_after_s"),
    [
        (Reply(500, body=b"broken"), False, None),
        (Reply(503, {"Retry-After": "120"}), False, 120.0),
        (Reply(429, {"Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT"}), False, 59.5),
        (Reply(404), True, None),
        (Reply(410), True, None),
        (Reply(401), True, None),
    ],
)
def test_refusals_are_tried_again_where_that_may_help(
    receiver: Receiver, reply: Reply, is_final: bool, retry_after_s: float | None
) -> None:
    receiver.reply = lambda _request: reply
    answer = send(webhook(receiver))
    assert not answer.is_delivered
    assert (answer.is_final, answer.retry_after_s) == (is_final, retry_after_s)
    assert answer.text == f"127.0.0.1 answered {reply.status}" + (": broken" if reply.body else "")
    receiver.next()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.reply = lambda _request: Reply(status, {"Location": f"{receiver.url}/elsewhere"})
    answer = send(webhook(receiver))
    assert (answer.is_delivered, answer.is_final) == (False, True)
    assert "redirect" in answer.text
    receiver.next()
    assert receiver.received.empty()


def test_a_receiver_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.reply = lambda _request: Reply(None)
    answer = send(webhook(receiver, s=0.2))
    assert answer == Answer(is_delivered=False, text="127.0.0.1 did not answer within 0.2 s")
    receiver.next()


def test_what_was_taken_is_delivered_whatever_becomes_of_the_words_behind_it(receiver: Receiver) -> None:
    receiver.reply = lambda _request: Reply(202, {"Content-Length": "10"})
    assert send(webhook(receiver)) == Answer(is_delivered=True, text="127.0.0.1 answered 202")
    receiver.next()


def test_a_refusal_that_breaks_off_is_still_that_refusal(receiver: Receiver) -> None:
    receiver.reply = lambda _request: Reply(410, {"Content-Length": "10"})
    assert send(webhook(receiver)) == Answer(is_delivered=False, text="127.0.0.1 answered 410", is_final=True)
    receiver.next()


def test_a_receiver_that_is_down() -> None:
    with receiving() as gone:
        channel = webhook(gone)
    answer = send(channel)
    assert (answer.is_delivered, answer.is_final) == (False, False)
    assert answer.text.startswith("127.0.0.1 cannot be reached: ")


def test_an_endless_answer_costs_a_kilobyte(receiver: Receiver) -> None:
    receiver.reply = lambda _request: Reply(500, body=b"x" * 50_000_000)
    began = time.process_time()
    answer = send(webhook(receiver))
    assert not answer.is_delivered
    assert len(answer.text) <= 300
    assert time.process_time() - began < 30
    receiver.next()


def test_no_text_holds_the_address_or_the_secret(receiver: Receiver) -> None:
    receiver.reply = lambda request: Reply(400, body=f"no route {request.path} for zzTopSecretzz\x1b[31m".encode())
    answer = send(webhook(receiver))
    assert "zzTopSecretzz" not in answer.text
    assert "[REDACTED]" in answer.text
    assert answer.text.isprintable()
    receiver.next()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "the variable URL holds no http or https address"),
        ("http://", "the variable URL holds no http or https address"),
        ("http://[::1", "the variable URL holds no http or https address"),
        ("http://host:port/", "the variable URL holds no http or https address"),
        ("http://evil.example/x", "evil.example is none of alerts.allow-hosts (*.corp.example, hooks.example)"),
        ("", "the variable URL is not set where the recorder runs: set it, and start the recorder again"),
    ],
)
def test_an_address_that_may_not_be_called_is_told_without_it(url: str, said: str) -> None:
    with pytest.raises(NotSetUp) as refused:
        webhook(url, allow_hosts=("*.corp.example", "hooks.example"))
    assert str(refused.value) == said


def test_hosts_that_are_allowed_may_be_called() -> None:
    webhook("https://a.corp.example/x", allow_hosts=("*.corp.example",))
    webhook("https://HOOKS.example/x", allow_hosts=("hooks.example",))


def test_a_secret_that_is_none() -> None:
    settings = Channel(name="a", kind="webhook", url_env="URL", secret_env="SECRET")
    with pytest.raises(NotSetUp, match="the variable SECRET holds no secret"):
        WebhookChannel(settings, {"URL": "http://h/", "SECRET": "whsec_!!"})


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("soon", None), ("-1", None), ("9" * 400, 999999999999.0)]
)
def test_odd_wishes(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_the_receiver_of_the_guide_takes_ours_and_nothing_else() -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "guide" / "alerts.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    is_genuine, now_s, body = found["is_genuine"], int(time.time()), b'{"version":1}'
    headers = signed_headers(KEY, "msg_1", now_s, body)
    assert is_genuine(headers, body, KEY)
    assert not is_genuine(headers, body + b" ", KEY)
    assert not is_genuine(headers, body, b"another")
    assert not is_genuine(headers | {"webhook-id": "msg_2"}, body, KEY)
    assert not is_genuine(signed_headers(KEY, "msg_1", now_s - 600, body), body, KEY), "a replay"
