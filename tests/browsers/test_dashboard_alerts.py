"""The page of alerts in a real browser: what fires, silences, dead letters, and tests of channels."""

from __future__ import annotations

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
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDashboard]:
    """Of a project whose run failed, and whose only channel cannot be reached."""
    need_playwright()
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("semantest.toml", RULES)
    project.write("test_till.py", "def test_fails(): assert 0, '<img src=x onerror=alert(1)>'")
    project.folder.mkdir()
    served = ServedDashboard(project.folder)
    project.pytest()
    wait_until(
        lambda: '"dead":[]' not in project.semantest("alerts", "--json").stdout.replace(" ", ""), "a dead letter"
    )
    yield served
    project.close()
    served.close()


def test_what_fires_is_told_and_silenced_and_its_dead_letter_deleted(visitor: Visitor) -> None:
    assert visitor.faults("/alerts") == []
    page = visitor.open("/alerts")
    alert = page.locator(".alert")
    assert alert.count() == 1
    assert "1 of 1 tests failed" in alert.inner_text()
    assert "could not be told" in alert.inner_text()
    assert visitor.violations() == []
    page.get_by_role("link", name="1 message could not be told").click()
    page.wait_for_url("**/alerts#dead")
    alert.locator("summary").click()
    alert.get_by_label("Why").fill("known")
    alert.get_by_role("button", name="Silence it").click()
    assert page.get_by_role("status").inner_text() == "Nobody is told of it until then."
    assert "silenced" in page.locator(".alert").inner_text()
    page.get_by_role("button", name="End the silence").click()
    assert page.get_by_role("status").inner_text() == "The silence is over."
    page.get_by_role("button", name="Delete").click()
    assert page.get_by_role("status").inner_text() == "It is deleted."
    assert page.locator("#dead").count() == 0


def test_a_channel_is_tried_and_its_answer_told(visitor: Visitor) -> None:
    page = visitor.open("/alerts")
    page.get_by_role("button", name="Send a test to team").click()
    assert "not delivered" in page.get_by_role("status").inner_text()
    assert "A_VARIABLE_THAT_IS_NOT_SET" in page.get_by_role("status").inner_text()
