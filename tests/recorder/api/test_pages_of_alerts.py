"""Alerts page by page: the worst of what fires first, each once, whatever changes between two pages."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.core.alerts.alert import Sighting
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.alerts.telling import Looked
from semantest_recorder.store.alerts import tell
from tests.recorder.api.asking import Api, served
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import green_run

ALERTS = "/api/v1/alerts"
NOW = time.time() * 1000
RULES = {
    severity: Rule(name=f"{severity}-ones", kind="new-failure", channels=("log",), severity=severity)
    for severity in ("info", "warning", "critical")
}
LONG = "tests/test_long.py::test_long[" + "x" * 3000


def see(folder: Path, severity: str, subjects: list[str], at_ms: float, *, firing: bool = True) -> None:
    seen = [Sighting(subject=subject, firing=firing, summary="no", run_id="r1") for subject in subjects]
    with closing(sqlite3.connect(folder / "semantest.db", isolation_level=None)) as connection:
        tell(connection, [Looked(RULES[severity], seen)], "", at_ms)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    """A server whose alerts fire since three moments; some of these came together, and one is over."""
    folder = tmp_path / ".semantest"
    green_run().store(folder)
    see(folder, "critical", ["oldest"], NOW - 3000)
    see(folder, "warning", [f"{LONG}{number}]" for number in range(7)], NOW - 2000)
    see(folder, "info", ["newest"], NOW)
    see(folder, "warning", ["newer", "over"], NOW - 1000)
    see(folder, "warning", ["over"], NOW - 500, firing=False)
    found = served(folder)
    yield found
    found.server.close()


def subjects(alerts: list[dict[str, str]]) -> list[str]:
    return [alert["subject"] for alert in alerts]


def test_what_is_worst_comes_first_and_pages_have_each_once(own: Api) -> None:
    whole = own.json(ALERTS)
    assert whole["next"] is None
    long_ones = [f"{LONG}{number}]" for number in range(7)]
    assert subjects(whole["alerts"]) == ["oldest", "newer", *long_ones, "newest", "over"]
    assert semantest("alerts", "--json", "--directory", own.folder).json == whole
    for limit in (1, 3, 11):
        pages = list(own.pages(ALERTS, "alerts", limit=limit))
        assert [alert for page in pages for alert in page] == whole["alerts"]
        assert {len(page) for page in pages[:-1]} <= {limit}
    text = semantest("alerts", "--directory", own.folder).out
    assert text.index("CRITICAL") < text.index("WARNING") < text.index("INFO") < text.index("over  ")


def test_alerts_of_one_state_with_some_fields(own: Api) -> None:
    assert own.json(ALERTS, state="resolved", fields="subject,state")["alerts"] == [
        {"subject": "over", "state": "resolved"}
    ]
    firing = [alert for page in own.pages(ALERTS, "alerts", state="firing", limit=4) for alert in page]
    assert len(firing) == 10
    assert own.json(ALERTS, state="firing,resolved") == own.json(ALERTS)
    status, code, detail = own.problem(ALERTS, state="over")
    assert (status, code) == (400, "INVALID_REQUEST")
    assert "'over' is none" in detail
    cursor = own.json(ALERTS, limit=1)["next"]
    assert "another question" in own.problem(ALERTS, state="firing", cursor=cursor)[2]
    assert "this is no cursor" in own.problem(ALERTS, cursor="WzFd")[2]


def test_nothing_is_left_out_when_the_last_one_of_a_page_is_over_before_the_next_is_asked_for(own: Api) -> None:
    page = own.json(ALERTS, state="firing", limit=4)
    last = page["alerts"][-1]["subject"]
    see(own.folder, "warning", [last], NOW + 1, firing=False)
    rest = own.json(ALERTS, state="firing", cursor=page["next"])["alerts"]
    assert {*subjects(page["alerts"]), *subjects(rest)} == {"oldest", "newer", "newest"} | {
        f"{LONG}{number}]" for number in range(7)
    }
