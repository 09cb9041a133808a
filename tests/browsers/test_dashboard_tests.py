"""Pages about tests over many runs, and the settings, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browsers.conftest import need_playwright
from tests.browsers.dashboard import ServedDashboard, Visitor
from tests.recorder.cli.project import Project
from tests.recorder.cli_recorder.daemons import answer_of

HOSTILE = "<img src=x onerror=alert(1)>"
SUITE = f"""
import pathlib, pytest

def test_passes(): pass

@pytest.mark.parametrize("name", ["{HOSTILE}"])
def test_hostile(name): assert not name, name

def test_flaky(request):
    place = pathlib.Path(request.config.rootpath, "cold")
    if not place.exists():
        place.write_text("")
        assert 0, "cold"
    place.unlink()

def test_breaks(request):
    place = pathlib.Path(request.config.rootpath, "broken")
    assert not place.exists(), "since the second run"
"""
PAGES = (
    "/tests",
    "/flaky",
    "/slowest?by=file&sort=total",
    "/slower?since=last",
    "/trends",
    "/settings",
    "/api",
    "/test?id=test_till.py::test_breaks",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDashboard]:
    need_playwright()
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("test_till.py", SUITE)
    project.pytest("--semantest-retries", "1")
    project.write("broken", "")
    project.pytest("--semantest-retries", "1")
    project.close()
    served = ServedDashboard(project.folder)
    yield served
    served.close()


def test_they_are_as_people_need_them_light_and_dark_and_on_a_phone(visitor: Visitor) -> None:
    assert {path: visitor.faults(path) for path in PAGES} == {path: [] for path in PAGES}


def test_a_test_is_found_and_its_page_says_with_which_run_it_broke(visitor: Visitor) -> None:
    page = visitor.open("/tests")
    page.get_by_role("searchbox").fill("breaks")
    page.wait_for_url("**/tests?q=breaks")
    page.get_by_role("link", name="test_breaks").click()
    page.wait_for_url("**/test?id=*")
    assert page.get_by_role("heading", level=1).inner_text() == "test_breaks"
    answer = visitor.text(".answer")
    assert answer.startswith("It passed last in ")
    assert "failed first in" in answer
    strip = page.locator(".strip a")
    assert [strip.nth(place).inner_text().split("\n")[0] for place in range(strip.count())] == ["✓", "F"]


def test_tests_are_found_whatever_the_case_and_page_by_page(visitor: Visitor) -> None:
    page = visitor.open("/tests?q=TEST_&limit=3")
    first = page.locator("tbody tr").all_inner_texts()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**after=*")
    second = page.locator("tbody tr").all_inner_texts()
    assert (len(first), len(second), len({*first, *second})) == (3, 1, 4)
    assert page.get_by_role("link", name="Next").count() == 0
    visitor.open("/tests?after=nonsense")
    assert "this is no cursor" in visitor.text(".notice")


def test_flaky_tests_are_on_their_board_with_their_error(visitor: Visitor) -> None:
    page = visitor.open("/flaky")
    row = page.locator("tbody tr")
    assert row.count() == 1
    assert "test_flaky" in row.inner_text()
    assert "cold" in row.inner_text()
    page.get_by_label("Judged by at least").fill("3")
    page.wait_for_url("**min_runs=3*")
    page.get_by_text("No test failed without its code being the reason").wait_for()


def test_a_test_says_how_often_it_is_flaky_and_how_sure_that_is(visitor: Visitor) -> None:
    visitor.open("/test?id=test_till.py::test_flaky")
    assert "100 % 2 of 2 runs, likely 34.2 % to 100 %" in visitor.text(".facts")
    visitor.open("/test?id=test_till.py::test_passes")
    assert "never in 2 runs; above 65.8 % is unlikely" in visitor.text(".facts")


def test_what_became_slower_is_asked_since_a_run_and_what_cannot_be_compared_is_said(visitor: Visitor) -> None:
    page = visitor.open("/slower?since=last")
    assert "against 1 run" in visitor.text(".hint")
    assert "Only 1 run before: too few to tell." in visitor.text(".empty")
    page.get_by_label("Since").select_option("7d")
    page.get_by_text("There is nothing to compare: no run started before that").wait_for()
    visitor.open("/slower?since=nope")
    assert "no run 'nope'" in visitor.text(".notice")


def test_a_branch_is_suggested_and_one_that_is_not_there_is_said(visitor: Visitor) -> None:
    page = visitor.open("/trends")
    assert page.locator("input[name=branch][list=branches]").count() == 1
    page.get_by_label("Branch").fill("nope")
    page.get_by_role("alert").get_by_text("no run of branch 'nope'").wait_for()
    assert page.locator("#found table").count() == 0
    page.get_by_label("Branch").fill("")
    page.locator("#found table").wait_for()
    assert "branch" not in page.url


def test_names_from_tests_do_nothing(visitor: Visitor) -> None:
    visitor.open("/tests?q=hostile")
    assert HOSTILE in visitor.text("tbody")
    page = visitor.open("/test?id=" + quote(f"test_till.py::test_hostile[{HOSTILE}]"))
    assert HOSTILE in page.get_by_role("heading", level=1).inner_text()
    assert page.locator("img[src=x]").count() == 0


def test_what_is_wrong_in_an_address_is_said(visitor: Visitor) -> None:
    for path, said in (
        ("/test", "say which test"),
        ("/test?id=no-such-test", "no test 'no-such-test'"),
        ("/flaky?window=3", "window=3 is not one of 20, 100"),
        ("/flaky?limit=0", "limit=0 is no number from 1 to 1000"),
        ("/trends?branch=nope", "no run of branch 'nope'"),
        ("/slowest?format=xml", "format=xml is not one of csv, json"),
    ):
        visitor.open(path)
        assert said in visitor.text(".notice"), path


def test_tables_can_be_taken_away(visitor: Visitor, served: ServedDashboard) -> None:
    for path in ("/flaky", "/slowest", "/trends", "/tests", "/test?id=test_till.py::test_flaky"):
        page = visitor.open(path)
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        assert len(Path(download.value.path()).read_text().splitlines()) > 1, path


def test_the_api_is_browsed_and_asked(visitor: Visitor) -> None:
    page = visitor.open("/api")
    page.get_by_text("Tests that fail without the code being the reason").click()
    flaky = page.locator("details[open]")
    assert flaky.locator(".call").inner_text().endswith('"$URL"/api/v1/analytics/flaky')
    flaky.get_by_role("link", name="FlakyList").click()
    page.wait_for_url("**/api#shape-FlakyList")
    assert page.locator("details:has(#shape-FlakyList) dl").is_visible()
    page.go_back()
    flaky.get_by_role("link", name="Ask").click()
    page.wait_for_url("**/api/v1/analytics/flaky")
    assert '"brokenRuns"' in page.content()


def test_a_token_is_made_shown_once_used_and_revoked(visitor: Visitor, served: ServedDashboard) -> None:
    page = visitor.open("/settings")
    page.get_by_label("Name").fill("ci runner")
    page.get_by_label("Name").evaluate("field => field.removeAttribute('pattern')")
    page.get_by_role("button", name="Make a token").click()
    assert "no name for a token" in page.get_by_role("alert").inner_text()
    page.get_by_label("Name").fill("ci")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator(".secret code").inner_text()
    assert answer_of(served.url, "GET", "/api/v1/status", token)[0] == 200
    page = visitor.open("/settings")
    assert token not in page.content()
    page.locator("summary", has_text="Revoke").click()
    page.get_by_role("button", name="Revoke ci").click()
    page.get_by_role("status").wait_for()
    assert answer_of(served.url, "GET", "/api/v1/status", token)[0] == 401
