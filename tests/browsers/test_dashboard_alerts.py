"""The page of alerts in a real browser: what fires, silences, dead letters, and tests of channels."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.browsers.conftest import need_playwright
from tests.browsers.dashboard import ServedDashboard, Visitor
from tests.recorder.cli.project import Project
from tests.recorder.cli_recorder.daemons import wait_until

RULES = """
[alerts.channels.team]
kind = "webhook"
url-env = "A_VARIABLE_THAT_IS_NOT_SET"

[alerts.rules.red]
kind = "run-failed"
severity = "critical"

[alerts.rules.news]
kind = "new-failure"
"""
GOOD = "import pytest\n@pytest.mark.parametrize('host', range(60))\ndef test_answers(host): pass\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDashboard]:
    """Of a project whose run failed, and whose only channel cannot be reached."""
    need_playwright()
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("semantest.toml", RULES)
    project.write("test_hosts.py", GOOD)
    project.write("test_till.py", "def test_fails(): assert 0, '<img src=x onerror=alert(1)>'")
    project.folder.mkdir()
    served = ServedDashboard(project.folder)
    project.pytest("test_hosts.py")
    project.write("test_hosts.py", GOOD.replace("pass", "assert 0, f'no answer of host-{host}'"))
    project.pytest()
    wait_until(
        lambda: len(json.loads(project.semantest("alerts", "dead", "--json").stdout)["dead"]) == 2,
        "both are dead letters",
    )
    yield served
    project.close()
    served.close()


def test_what_fires_is_told_and_silenced_and_its_dead_letter_deleted(visitor: Visitor) -> None:
    assert visitor.faults("/alerts") == []
    page = visitor.open("/alerts")
    assert page.locator(".alert").count() == 3
    alert = page.locator(".alert", has_text="Run failed")
    assert "61 of 61 tests failed" in alert.inner_text()
    assert "could not be told" in alert.inner_text()
    assert visitor.violations() == []
    page.get_by_role("link", name="messages could not be told").click()
    page.wait_for_url("**/alerts#dead")
    alert.locator("summary").click()
    alert.get_by_label("Why").fill("known")
    alert.get_by_role("button", name="Silence it").click()
    assert page.get_by_role("status").inner_text() == "Nobody is told of it until then."
    assert "silenced" in alert.inner_text()
    page.get_by_role("button", name="End the silence").click()
    assert page.get_by_role("status").inner_text() == "The silence is over."
    for said in ("2 messages", "1 message"):
        assert page.get_by_role("link", name=f"{said} could not be told").count() == 1
        page.get_by_role("button", name="Delete").first.click()
        assert page.get_by_role("status").inner_text() == "It is deleted."
    assert page.locator("#dead").count() == 0


def test_tests_that_fail_by_one_cause_are_one_card_and_silenced_together(visitor: Visitor) -> None:
    assert "None is over." in visitor.open("/alerts?state=resolved").locator("main").inner_text()
    page = visitor.open("/alerts?state=firing")
    hosts = page.locator(".alert", has_text="New failure: 60 tests")
    assert "AssertionError: no answer of host-0" in hosts.inner_text()
    hosts.get_by_text("Which ones").click()
    assert hosts.locator(".test-link").count() == 50
    assert "... and 10 more" in hosts.inner_text()
    hosts.locator("summary", has_text="Silence").click()
    assert hosts.get_by_label("Which of the rule news").input_value() == "test_hosts.py::test_answers[*] on (no branch)"
    hosts.get_by_role("button", name="Silence it").click()
    assert "silenced" in hosts.inner_text()
    assert "silenced" not in page.locator(".alert", has_text="test_till.py").inner_text()
    page.get_by_role("button", name="End the silence of news").click()


def test_a_whole_rule_is_silenced(visitor: Visitor) -> None:
    page = visitor.open("/alerts")
    rules = page.locator("section", has=page.locator("#rules"))
    rules.locator("li", has_text="news").locator("summary").click()
    assert visitor.violations() == []
    rules.get_by_role("button", name="Silence it").locator("visible=true").click()
    assert page.locator(".alert", has_text="silenced").count() == 2
    assert page.locator("section", has=page.locator("#silences")).locator("li").inner_text().startswith("news, until")
    page.get_by_role("button", name="End the silence of news").click()


def test_who_opened_a_silence_by_keyboard_sees_where_he_is_and_can_close_it(visitor: Visitor) -> None:
    page = visitor.open("/alerts")
    silence = page.locator("details.confirm", has=page.get_by_label("Silence news")).first
    silence.locator("summary").focus()
    page.keyboard.press("Enter")
    assert silence.locator("summary:focus").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert silence.get_attribute("open") is None
    assert silence.locator("summary:focus").is_visible()


def test_a_channel_is_tried_and_its_answer_told(visitor: Visitor) -> None:
    page = visitor.open("/alerts")
    page.get_by_role("button", name="Send a test to team").click()
    assert "not delivered" in page.get_by_role("status").inner_text()
    assert "A_VARIABLE_THAT_IS_NOT_SET" in page.get_by_role("status").inner_text()
