"""Plugins of the recorder that a configuration enables, with what a real pytest tells."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Project, wait_for

#: A page class of one's own: what has these methods is a page (docs/guide/details.md).
PAGES = """
import pytest

class Page:
    def goto(self, url): ...
    def content(self): return "<h1>Sold out</h1>"
    def screenshot(self, **options): return b"\\x89PNG\\r\\n\\x1a\\n" + b"pixels" * 100

@pytest.fixture
def page(): return Page()
"""
TESTS = """
def test_bad(page, semantest):
    semantest.attach("beside it", name="note.txt")
    assert page.content() == "market"

def test_asks(page, semantest):
    semantest.screenshot(name="before paying")
"""


@pytest.fixture
def shop(project: Project) -> Project:
    (project.path / "conftest.py").write_text(PAGES)
    (project.path / "test_shop.py").write_text(TESTS)
    return project


def configured(project: Project, *lines: str) -> None:
    (project.path / "semantest.toml").write_text("\n".join(lines) + "\n")


def run_of(project: Project) -> str:
    """The id of the only run, once all of it is stored."""
    return str(project.report()["run"]["id"])


def index(project: Project) -> dict[str, Any]:
    path = project.directory / "reports" / f"{run_of(project)}.screenshots.json"
    wait_for(path.exists, "the index of the pictures")
    found: dict[str, Any] = json.loads(path.read_text())["tests"]
    return found


def artifacts(project: Project) -> list[Path]:
    return list(project.directory.glob("artifacts/??/*"))


def test_pictures_that_pytest_takes_are_indexed_and_named_in_the_log(shop: Project) -> None:
    configured(shop, "[plugins]", 'enabled = ["screenshots"]', "[plugins.screenshots]", 'keep = "all"')
    assert shop.pytest("-q", "test_shop.py")[0] == 1
    found = index(shop)
    assert list(found) == ["test_shop.py::test_bad", "test_shop.py::test_asks"]
    (bad,), (asked,) = found.values()
    assert (bad["name"], asked["name"]) == ("failure-page", "before paying")
    assert Path(bad["path"]).read_bytes().startswith(b"\x89PNG")
    assert bad["mediaType"] == "image/png"
    log = (shop.directory / "recorder.log").read_text()
    assert f"picture of test_shop.py::test_bad: {bad['path']}" in log
    assert "picture of test_shop.py::test_asks" not in log


def test_pictures_of_passed_tests_are_not_indexed_by_default(shop: Project) -> None:
    configured(shop, "[plugins]", 'enabled = ["screenshots"]')
    shop.pytest("-q", "test_shop.py")
    assert list(index(shop)) == ["test_shop.py::test_bad"]


def test_refused_pictures_leave_tombstones_and_files_that_a_cleanup_sweeps(shop: Project) -> None:
    configured(shop, "[plugins]", 'enabled = ["screenshots"]', "[plugins.screenshots]", 'keep = "none"')
    shop.pytest("-q", "test_shop.py")
    run_of(shop)
    marks = shop.rows("SELECT kind, reason FROM marks")
    assert marks == [("dropped", "plugin screenshots")] * 2
    kept = shop.rows("SELECT payload FROM events WHERE type = 'test/attachment'")
    assert [json.loads(payload)["name"] for (payload,) in kept] == ["note.txt"]
    assert len(artifacts(shop)) == 2, "one of the text, one of both pictures, which are alike"
    a_day_ago = time.time() - 90_000
    for path in artifacts(shop):
        os.utime(path, (a_day_ago, a_day_ago))
    assert shop.semantest("cleanup", "--keep", "9", "--yes").returncode == 0
    assert [path.read_text() for path in artifacts(shop)] == ["beside it"]


STORY = """
def test_bad(semantest):
    semantest.attach("a receipt", name="receipt.txt")
    with semantest.step("pay"):
        semantest.log("paying", amount=3)
        assert 0

def test_good(semantest):
    with semantest.step("look"):
        semantest.log("looking")
"""


def test_the_written_report_is_what_report_prints_with_steps_logs_and_attachments(project: Project) -> None:
    configured(project, "[plugins]", 'enabled = ["json-report"]')
    (project.path / "test_story.py").write_text(STORY)
    assert project.pytest("-q", "test_story.py")[0] == 1
    printed = project.report()
    path = project.directory / "reports" / f"{printed['run']['id']}.json"
    wait_for(path.exists, "the report of the run")
    written = json.loads(path.read_text())
    bad, good = written["tests"]
    (attempt,) = bad["attemptsDetail"]
    assert [step["name"] for step in attempt["steps"]] == ["pay"]
    assert [log["message"] for log in attempt["logs"]] == ["paying"]
    assert [Path(one["place"]).read_text() for one in attempt["attachments"]] == ["a receipt"]
    assert good["state"] == "passed"
    assert written == printed
