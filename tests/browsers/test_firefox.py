"""The dashboard in a real Firefox: every page, its keys, signing in, and a run that goes on in front of somebody."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browsers.conftest import need
from tests.browsers.dashboard import ServedDashboard
from tests.browsers.firefox import FIREFOX, Firefox, firefox, is_here
from tests.browsers.test_live_page import Stage
from tests.recorder.cli.project import Project

SUITE = """
import pytest

def test_breaks(): assert not (1, 2), "a reason"

@pytest.mark.parametrize("number", range(30))
def test_passes(number): print(number)
"""
PAGES = (
    "/runs",
    "/runs/last",
    "/runs/last/tests",
    "/runs/last/suites",
    "/runs/last/timeline",
    "/runs/last/details",
    "/runs/last/test?id=test_till.py::test_breaks",
    "/live",
    "/compare",
    "/compare?after=last",
    "/tests",
    "/test?id=test_till.py::test_breaks",
    "/flaky",
    "/slowest",
    "/slower",
    "/trends",
    "/alerts",
    "/api",
    "/settings",
)
#: Of every kind one: axe takes a second a page, and has looked at all of them in Chromium.
LOOKED_AT = ("/runs", "/runs/last", "/runs/last/tests", "/runs/last/timeline", "/live", "/trends", "/settings")


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    need(
        ([] if is_here() else [FIREFOX])
        + [name for name in ("websockets", "axe_playwright_python") if not find_spec(name)]
    )
    with firefox() as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Firefox) -> Iterator[ServedDashboard]:
    del browser  # without it nothing is made ready
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("test_till.py", SUITE)
    for _ in range(2):
        project.pytest("-p", "no:randomly")
    project.close()
    served = ServedDashboard(project.folder)
    yield served
    served.close()


@pytest.fixture
def visitor(served: ServedDashboard, browser: Firefox) -> Iterator[Firefox]:
    sign_in(browser, served)
    yield browser
    assert browser.wrong == []


def sign_in(browser: Firefox, served: ServedDashboard) -> None:
    browser.home = served.url
    browser.wrong.clear()
    browser.resize(1280, 800)
    browser.open(served.sign_in_address())
    browser.wait_for_page("/runs")


def test_every_page_can_be_read_also_on_a_phone(visitor: Firefox) -> None:
    found: dict[str, list[str]] = {}
    for path in PAGES:
        visitor.resize(1280, 800)
        visitor.open(path)
        faults = visitor.violations() if path in LOOKED_AT else []
        visitor.resize(360, 740)
        if visitor.tell("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            faults.append("it can be scrolled sideways")
        found[path] = faults
    assert found == {path: [] for path in PAGES}


def test_the_example_in_an_empty_field_can_be_read(visitor: Firefox) -> None:
    """Firefox fades it unless told otherwise, and axe does not look at it."""
    visitor.open("/runs")
    style = "getComputedStyle(document.querySelector('input[placeholder]'), '::placeholder')"
    assert visitor.tell(f"{style}.opacity") == "1"
    assert visitor.tell(f"{style}.color === getComputedStyle(document.querySelector('label')).color")


def test_keys_go_through_the_tests_and_the_time_of_a_run(visitor: Firefox) -> None:
    visitor.open("/runs/last/tests")
    visitor.press("/", *"breaks")
    visitor.until("location.search.includes('breaks') && document.querySelectorAll('tbody tr').length === 1")
    visitor.open("/runs/last/tests")
    visitor.press("j", "\ue007")
    visitor.wait_for_page("/test?id=test_till.py")
    assert "a reason" in visitor.tell("document.querySelector('main').innerText")
    visitor.open("/runs/last/timeline")
    visitor.press("+")
    visitor.until("location.search.includes('from=')")
    visitor.press("0")
    visitor.until("!location.search.includes('from=')")


def test_people_sign_out_and_in_with_a_token_of_their_own(visitor: Firefox, served: ServedDashboard) -> None:
    visitor.open("/settings")
    visitor.tell("document.querySelector('input[name=name]').focus()")
    visitor.press(*"firefox", "\ue007")
    visitor.wait_for_page("/settings?told=")
    token = visitor.tell("document.body.innerText.match(/smt_[\\w-]+/)[0]")
    visitor.tell("[...document.querySelectorAll('button')].find(one => one.innerText === 'Sign out').click()")
    visitor.wait_for_page("/sign-in")
    visitor.open("/flaky")
    visitor.wait_for_page("/sign-in?next=")
    visitor.tell("document.querySelector('input[name=token]').focus()")
    visitor.press(*token, "\ue007")
    visitor.wait_for_page("/flaky")
    visitor.open("/settings")
    assert "signed in as firefox with read" in visitor.tell("document.querySelector('main').innerText")


def test_a_run_appears_goes_on_and_ends_in_front_of_somebody(tmp_path: Path, browser: Firefox) -> None:
    stage = Stage(tmp_path, browser)
    sign_in(browser, stage.served)
    browser.open("/live")
    stage.begin()
    browser.until("document.querySelector('[data-part=progress]').innerText === '1 of 3 tests'")
    browser.until("document.querySelector('[data-part=running] a').innerText === 'test_till.py::test_waits'")
    browser.until("document.querySelector('[data-part=failures] li').innerText.includes('<img src=x')")
    stage.let_go()
    browser.until("document.querySelector('[data-part=over]').innerText.includes('The run is over: failed.')")
    browser.until("document.querySelector('[data-part=progress]').innerText === '3 of 3 tests'")
    assert browser.wrong == []
    stage.close()
