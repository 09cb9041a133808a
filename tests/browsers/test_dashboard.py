"""The dashboard in a real browser: signing in, the list of runs, and what every page has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsers.conftest import need_playwright
from tests.browsers.dashboard import ServedDashboard, Visitor
from tests.recorder.cli.project import Project

SUITE = """
def test_passes(): pass
def test_fails(): assert 1 == 2, "<script>alert(1)</script>"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDashboard]:
    need_playwright()
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("test_till.py", SUITE)
    project.pytest()
    project.close()
    served = ServedDashboard(project.folder)
    yield served
    served.close()


def test_semantest_open_leads_in_once(served: ServedDashboard, browser: Any) -> None:
    address = served.sign_in_address()
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.wait_for_url("**/runs")
    assert "code=" not in page.url
    other = browser.new_context().new_page()
    other.goto(address)
    other.wait_for_url("**/sign-in?wrong=code*")
    assert "used before" in other.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto(served.url + "/runs")
    assert "/sign-in?next=" in page.url


def test_it_is_as_people_need_it_light_and_dark_and_on_a_phone(visitor: Visitor) -> None:
    paths = ("/runs", "/runs/no-such-run", "/sign-in")
    assert {path: visitor.faults(path) for path in paths} == {path: [] for path in paths}


def test_the_theme_that_was_chosen_stays(visitor: Visitor) -> None:
    page = visitor.open("/runs")
    before = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    page.get_by_role("button", name="Theme").click()
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") != before


def test_by_keyboard_from_the_list_to_the_test_that_failed_and_past_the_menu(visitor: Visitor) -> None:
    page = visitor.open("/runs")
    page.keyboard.press("Tab")
    assert visitor.text(":focus") == "Skip to the content"
    page.keyboard.press("Enter")
    page.locator("tbody tr").first.get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#causes")
    page.get_by_role("link", name="test_till.py::test_fails").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('test_fails')")


def test_on_a_phone_escape_closes_the_menu_where_it_was_opened(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 800})
    page = visitor.open("/runs")
    page.locator("#menu > summary").focus()
    closed = page.locator("#menu > summary").bounding_box()
    page.keyboard.press("Enter")
    assert page.locator("#menu > summary").bounding_box() == closed, "who pressed it can press it again"
    page.get_by_role("link", name="Alerts").focus()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Alerts").is_visible()
    assert visitor.text(":focus") == "Menu"


def test_its_tables_can_be_taken_away(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open("/runs")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("run,name,state")
    assert len(lines) == 2
