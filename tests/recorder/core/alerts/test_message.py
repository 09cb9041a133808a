"""What people read: what, where, since when, and how to look."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pytest_semantest.protocol.alert_keys import RULE_KINDS
from semantest_recorder.core.alerts.alert import Alert
from semantest_recorder.core.alerts.message import MOST_ALERTS, Change, Message, grouped, message_of
from semantest_recorder.core.alerts.settings import Rule

NOW = 1_795_262_400_000.0
TEST = "tests/test_cart.py::test_total[a b]"


def alert(**more: Any) -> Alert:
    told: dict[str, Any] = {
        "rule": "red",
        "subject": "main",
        "kind": "run-failed",
        "severity": "critical",
        "state": "firing",
        "since_ms": NOW,
        "seen_ms": NOW,
        "summary": "2 of 40 tests failed",
        "branch": "main",
        "run_id": "20261121-093000-a1b2c3",
    }
    return Alert(**{**told, **more})


def message(*alerts: Alert, is_repeated: bool = False, link: str = "https://rec.example") -> Message:
    rule = Rule(name="red", kind=alerts[0].kind, channels=("c",), severity="critical")
    return message_of([Change(one, is_repeated) for one in alerts], rule, "msg_1", link, NOW)


def test_a_failed_run() -> None:
    found = message(alert())
    assert found.title == "Run failed on main"
    assert found.text.splitlines() == [
        "main: 2 of 40 tests failed (since 2026-11-21 12:00 UTC)",
        "Run 20261121-093000-a1b2c3: https://rec.example/runs/20261121-093000-a1b2c3",
        "Look: semantest report 20261121-093000-a1b2c3",
        "Rule red (run-failed), critical",
    ]
    assert message(alert(), is_repeated=True).title == "Still: Run failed on main"
    assert message(alert(state="resolved")).title == "Over: Run failed on main"


def test_a_test_has_a_link_and_a_command_of_its_own() -> None:
    found = message(alert(kind="new-failure", test_id=TEST, subject=f"{TEST} on main"))
    assert found.title == f"New failure on main: {TEST}"
    (one,) = found.alerts
    assert one.test_url == "https://rec.example/test?id=tests%2Ftest_cart.py%3A%3Atest_total%5Ba%20b%5D"
    assert f"Look: semantest history '{TEST}'" in found.text
    assert message(alert(test_id=TEST), link="").alerts[0].test_url is None
    odd = "tests/test_mail.py::test_to[ann@shop.example]"
    assert "semantest history" not in message(alert(kind="new-failure", test_id=odd)).text, "there is no such test"


def test_many_are_counted_and_the_first_are_named() -> None:
    many = [alert(kind="new-failure", test_id=f"t::{number}", subject=f"t::{number}") for number in range(30)]
    found = message(*many)
    assert (found.title, len(found.alerts), found.more) == ("30 new failures on main", MOST_ALERTS, 30 - MOST_ALERTS)
    assert "... and 10 more" in found.text


@pytest.mark.parametrize("kind", RULE_KINDS)
def test_every_kind_has_words(kind: str) -> None:
    one, both = message(alert(kind=kind, test_id=TEST)), message(alert(kind=kind), alert(kind=kind, subject="b"))
    for found in (one, both):
        assert "{" not in found.title
        assert msgspec.json.decode(msgspec.json.encode(found), type=Message) == found


def test_what_a_test_says_calls_nobody_and_steers_nothing() -> None:
    run = "r1; rm -rf ~ $(id)\n`id`"
    assert "semantest report 'r1; rm -rf ~ $(id) `id`'" in message(alert(run_id=run)).text
    found = message(alert(summary="\x1b[31m<!channel> @everyone [click](http://evil) \u202e", branch="@here\n<@U1>"))
    for text in (found.title, *found.text.splitlines(), found.branch or ""):
        assert text.isprintable()
    for call in ("<!", "@everyone", "](", "@here", "<@"):
        assert call not in found.text + found.title


def test_one_message_is_of_one_run_and_state() -> None:
    alerts = [alert(), alert(subject="b"), alert(run_id="other"), alert(state="resolved")]
    groups = grouped([Change(one, False) for one in alerts])
    assert [len(group) for group in groups] == [2, 1, 1]
