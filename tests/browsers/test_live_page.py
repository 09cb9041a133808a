"""The live page in a real browser: a run of a real pytest appears, goes on and ends in front of somebody."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsers.conftest import need_playwright
from tests.browsers.dashboard import ServedDashboard
from tests.browsers.html_pages import chromium
from tests.browsers.watched_page import PATIENCE_MS
from tests.recorder.cli.project import SECONDS, Project

#: A test that waits until somebody lets it go on, behind one with a hostile name and message.
SUITE = """
import os, pytest

@pytest.mark.parametrize("name", ["<script>alert(1)</script>"], ids=lambda name: name)
def test_bad(name):
    assert not name, "<img src=x onerror=alert(1)> \\x1b[31mred"

def test_waits():
    with open(os.environ["GATE"]) as gate:
        gate.read()

def test_last(): pass
"""


class Stage:
    """A project, its dashboard, a browser, and a gate at which its run waits."""

    def __init__(self, root: Path, browser: Any) -> None:
        self.project = Project(root)
        self.project.write("test_till.py", SUITE)
        self._gate = root / "gate"
        os.mkfifo(self._gate)
        self.project.environment["GATE"] = str(self._gate)
        self._git("init", "-q", "-b", "shop")
        self._git("commit", "-q", "--allow-empty", "-m", "Open the shop")
        self.commit = self._git("rev-parse", "HEAD")
        (root / ".semantest").mkdir(mode=0o700)
        self.served = ServedDashboard(self.project.folder)
        self.browser = browser

    def _git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        command = ["git", "-C", str(self.project.root), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def begin(self) -> None:
        self._run = self.project.background_pytest("-p", "no:randomly")

    def let_go(self) -> None:
        self._gate.write_text("go")
        self._run.communicate(timeout=SECONDS)

    def close(self) -> None:
        self.project.close()
        self.served.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    need_playwright()
    with chromium() as browser:
        stage = Stage(tmp_path, browser)
        yield stage
        stage.close()


def test_a_run_appears_goes_on_and_ends_in_front_of_somebody(stage: Stage) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 - it may be missing

    expect.set_options(timeout=PATIENCE_MS)
    visitor = stage.served.visitor(stage.browser)
    phone = stage.served.visitor(stage.browser, viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = visitor.open("/live")
    expect(page.locator("main")).to_contain_text("pytest --semantest")
    assert visitor.violations() == []
    stage.begin()
    expect(page.locator("[data-part=progress]")).to_have_text("1 of 3 tests")
    expect(page.locator("[data-part=running] a")).to_have_text("test_till.py::test_waits")
    breaks = page.locator("[data-part=running] a wbr")
    expect(breaks).to_have_count(3)
    expect(page.locator("[data-part=waiting] li")).to_have_text(["test_till.py::test_last"])
    failure = page.locator("[data-part=failures] li")
    expect(failure).to_contain_text("test_bad[<script>alert(1)</script>]")
    expect(failure).to_contain_text("<img src=x onerror=alert(1)> red")
    expect(page.locator("[data-part=link]")).to_have_text("Live")
    expect(page.locator("[data-part=log]")).to_contain_text("main starts test_till.py::test_waits")
    expect(page.locator("#run-head")).to_contain_text(stage.commit[:10])
    expect(page.locator("#run-head")).to_contain_text("shop")
    for one in (visitor, phone):
        one.open("/runs/last/live")
        assert one.violations() == []
        assert not one.is_too_wide()
    expect(breaks).to_have_count(3)
    stage.let_go()
    expect(page.locator("[data-part=over]")).to_contain_text("The run is over: failed.")
    expect(page.locator("#run-head")).to_contain_text("failed")
    expect(page.locator("[data-part=link]")).to_have_text("It is over. What comes late is shown, too.")
    expect(page.locator("[data-part=progress]")).to_have_text("3 of 3 tests")
    page.locator("[data-part=over] a").click()
    page.wait_for_url("**/runs/*")
    for one in (visitor, phone):
        assert one.wrong == []
    without = stage.browser.new_context(
        java_script_enabled=False, storage_state=phone.context.storage_state()
    ).new_page()
    without.goto(stage.served.url + "/live")
    for words in ("Nothing runs now", "3 of 3 tests", "test_bad[<script>alert(1)</script>]"):
        assert words in without.inner_text("main")
    for one in (visitor, phone):
        one.close()
