"""Pages of runs that go on, in a real browser: they stay current, and move under nobody who reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.browsers.conftest import need_playwright
from tests.browsers.dashboard import ServedDashboard, Visitor
from tests.browsers.watched_page import PATIENCE_MS
from tests.recorder.cli.project import SECONDS, Project

#: Tests that wait until somebody lets them go on.
SUITE = """
import os, pytest

@pytest.mark.parametrize("gate", ["first", "second"])
def test_waits(gate):
    with open(os.environ["GATES"] + gate) as opened:
        opened.read()

def test_last(): assert False, "<script>alert(1)</script>"
"""
TABS = ("tests", "suites", "timeline", "details")


class Stage(ServedDashboard):
    """A recorder, and runs that wait at two gates."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.project.write("test_till.py", SUITE)
        for gate in ("first", "second"):
            os.mkfifo(root / gate)
        self.project.environment["GATES"] = f"{root}/"
        (root / ".semantest").mkdir(mode=0o700)
        super().__init__(self.project.folder)
        self._runs = list[Popen[str]]()

    def begin(self, *options: str) -> None:
        self._runs.append(self.project.background_pytest("-p", "no:randomly", *options))

    def let_go(self, gate: str) -> None:
        (self.project.root / gate).write_text("go")

    def wait_for_end(self) -> None:
        for run in self._runs:
            run.communicate(timeout=SECONDS)

    def close(self) -> None:
        self.project.close()
        super().close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Stage]:
    need_playwright()
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def signed_in(served: Stage, browser: Any) -> Iterator[Visitor]:
    """One for each test: each has a recorder of its own."""
    visitor = served.visitor(browser)
    yield visitor
    visitor.close()


def test_tabs_stay_current_and_wait_for_who_reads_them(served: Stage, visitor: Visitor) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 - it may be missing

    expect.set_options(timeout=PATIENCE_MS)
    served.begin()
    page = visitor.open("/live")
    expect(page.locator("[data-part=running] a")).to_have_text("test_till.py::test_waits[first]")
    tabs: dict[str, Any] = {}
    for tab in TABS:
        tabs[tab] = page = visitor.context.new_page()
        page.goto(f"{served.url}/runs/last/{tab}")
        expect(page.locator("#as-of")).to_contain_text("As it was at")
    read = tabs["tests"]
    rows = read.locator("#tests tbody tr")
    search = read.get_by_role("searchbox", name="Name or message")
    search.fill("waits")
    read.wait_for_url("**text=waits*")
    expect(rows).to_have_count(2)
    search.press_sequentially("[")
    rows.first.hover()
    served.let_go("first")
    told = read.get_by_role("link", name="More has happened: show it")
    told.wait_for()
    assert "passed" not in rows.first.inner_text()
    told.click()
    expect(read.locator("#tests")).to_contain_text("passed")
    expect(search).to_have_value("waits[")
    assert "poll" not in read.content().replace("poll=1", "", 1), "only the script asks again and again"
    rows.first.hover()
    served.let_go("second")
    served.wait_for_end()
    for tab, part in (("suites", "1 bad"), ("timeline", "test_last: failed"), ("details", "run/end")):
        expect(tabs[tab].locator("#as-of")).to_contain_text("The run is over.")
        assert not tabs[tab].locator("#as-of a").is_visible()
        assert part in tabs[tab].locator(f"#{tab}").inner_html(), tab
        expect(tabs[tab].locator("#run-head")).to_contain_text("failed")
        assert tabs[tab].locator("[data-current]").count() == 0
    assert tabs["timeline"].locator(".lane-picture a[tabindex='0']").count() == 1, "arrows go along it"
    read.get_by_role("link", name="The run is over: show all of it").click()
    expect(read.locator("#as-of")).to_contain_text("The run is over.")


def test_a_filter_that_is_being_applied_is_not_lost(served: Stage, visitor: Visitor) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 - it may be missing

    expect.set_options(timeout=PATIENCE_MS)
    served.begin()
    page = visitor.open("/live")
    expect(page.locator("[data-part=running] a")).to_have_text("test_till.py::test_waits[first]")
    page = visitor.open("/runs/last/tests")
    held = list[Any]()
    page.route("**/tests?text=last*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright looks at the signature
    page.locator("h1").hover()
    page.get_by_role("searchbox", name="Name or message").fill("last")
    for _ in range(2):  # the first of them has been taken when the second one comes
        page.wait_for_event("response", lambda answer: "poll=1" in answer.url)
    held[0].continue_()
    expect(page.locator("#tests .test-name")).to_have_text(["test_till.py::test_last"])
    served.let_go("first")
    served.let_go("second")
    served.wait_for_end()


def test_without_scripts_a_link_shows_what_is_new(served: Stage, browser: Any, visitor: Visitor) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 - it may be missing

    expect.set_options(timeout=PATIENCE_MS)
    served.begin()
    expect(visitor.open("/live").locator("[data-part=running] a")).to_have_text("test_till.py::test_waits[first]")
    context = browser.new_context(java_script_enabled=False, storage_state=visitor.context.storage_state())
    page = context.new_page()
    page.goto(f"{served.url}/runs/last/tests?state=failed&sort=plan")
    assert "test_last" not in page.locator("#tests").inner_text()
    served.let_go("first")
    served.let_go("second")
    served.wait_for_end()
    page.get_by_role("link", name="Show it as it is now").click()
    expect(page.locator("#tests .test-name")).to_have_text("test_till.py::test_last")
    assert page.locator("#as-of").count() == 0
    context.close()


def test_several_runs_go_on_in_front_of_somebody(served: Stage, visitor: Visitor) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 - it may be missing

    expect.set_options(timeout=PATIENCE_MS)
    served.begin("-k", "first or last", "--semantest-run-name", "One run")
    served.begin("-k", "second", "--semantest-run-name", "Other run")
    expect(visitor.open("/runs").locator("tbody.running tr")).to_have_count(2)
    page = visitor.open("/live")
    expect(page.locator("h1")).to_have_text("2 runs go on")
    one = page.get_by_role("link", name="One run")
    expect(page.locator("li", has=one)).to_contain_text("1 running")
    one.focus()
    served.let_go("second")
    expect(page.locator("h1")).to_contain_text("One run")
    expect(page.locator("[data-part=progress]")).to_have_text("0 of 2 tests")
    served.let_go("first")
    expect(page.locator("[data-part=over-words]")).to_contain_text("The run is over")
    served.wait_for_end()
