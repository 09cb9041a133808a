"""The tests, suites, timeline and details of a run in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from semantest_recorder.reports.exporters.formats import FORMATS
from tests.browsers.conftest import need_playwright
from tests.browsers.dashboard import ServedDashboard, Visitor
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project

RUN = "/runs/last"
SUITE = """
import pytest

HOSTILE = [
    "<script>alert(1)</script>", "javascript:alert(1)", "\\u202egnp.exe", "\\x1b[31mred",
    "'><img src=x onerror=alert(1)>",
]

@pytest.mark.parametrize("value", HOSTILE, ids=HOSTILE)
def test_hostile(value):
    print(value)
    assert not value, value

@pytest.mark.slow
def test_marked(): pass

class TestPrices:
    def test_error(self, broken): pass
    @pytest.fixture
    def broken(self): raise RuntimeError("no database")

@pytest.mark.parametrize("n", range(220))
def test_many(n): pass
"""

CRASHING = """
import os, time, warnings

def test_waits():
    warnings.warn("old <script>alert(3)</script>", DeprecationWarning)
    time.sleep(0.3)
def test_other(): time.sleep(0.2)
def test_dies():
    print("\\x1b[31mlast words <b>")
    os._exit(3)
"""


class Served(ServedDashboard):
    """A run with a crash, and the last one without."""

    crashed: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    need_playwright()
    project = Project(tmp_path_factory.mktemp("shop"))
    (project.root / "pytest.ini").write_text("[pytest]\nmarkers = slow: takes long\n")
    for folder in ("tests/unit", "tests/api/v1"):
        (project.root / folder).mkdir(parents=True)
    project.write("tests/unit/test_till.py", SUITE)
    project.write("tests/api/v1/test_api.py", "def test_fine(): pass")
    project.write("tests/api/v1/test_other.py", "def test_fine(): pass")
    project.write("crashing.py", CRASHING)
    project.pytest("-n2", "crashing.py", "--semantest-labels", "team=<b>javascript:alert(4)")
    project.pytest("--import-mode=importlib")
    crashed = project.json("runs")["runs"][1]["id"]
    project.close()
    served = Served(project.folder)
    served.crashed = f"/runs/{crashed}"
    yield served
    served.close()


def names(visitor: Visitor) -> list[str]:
    return list(visitor.page.locator("#tests .test-name").all_inner_texts())


def query(visitor: Visitor) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visitor.page.url).query)


def test_windows_of_tests_go_forth_and_back(visitor: Visitor) -> None:
    page = visitor.open(f"{RUN}/tests?sort=plan")
    first = names(visitor)
    assert len(first) == 100
    assert visitor.text(".windows .number") == "1 to 100 of 229"
    windows = page.get_by_role("navigation", name="Windows")
    windows.get_by_role("link", name="Next").click()
    page.get_by_text("101 to 200 of 229").wait_for()
    second = names(visitor)
    windows.get_by_role("link", name="Next").click()
    page.get_by_text("201 to 229 of 229").wait_for()
    third = names(visitor)
    assert len(set(first + second + third)) == 229
    windows.get_by_role("link", name="Previous").click()
    page.get_by_text("101 to 200 of 229").wait_for()
    assert names(visitor) == second
    windows.get_by_role("link", name="Last").click()
    page.get_by_text("130 to 229 of 229").wait_for()
    assert names(visitor)[-29:] == third
    page.go_back()
    page.get_by_text("101 to 200 of 229").wait_for()


def test_filters_apply_as_they_change_and_stand_in_the_address(visitor: Visitor) -> None:
    page = visitor.open(f"{RUN}/tests")
    page.get_by_role("link", name="5 failed").click()
    page.wait_for_url("**state=failed*")
    page.get_by_role("searchbox", name="Name or message").fill("SCRIPT")
    page.wait_for_url("**text=SCRIPT*")
    assert names(visitor) == [
        "tests/unit/test_till.py::test_hostile[<script>alert(1)</script>]",
        "tests/unit/test_till.py::test_hostile[javascript:alert(1)]",
    ]
    assert query(visitor) == {"state": ["failed"], "text": ["SCRIPT"], "sort": ["state"]}
    page.reload()
    assert len(names(visitor)) == 2
    visitor.open(f"{RUN}/tests?text=no+database")
    assert names(visitor) == ["tests/unit/test_till.py::TestPrices::test_error"]
    visitor.open(f"{RUN}/tests?marker=slow")
    assert names(visitor) == ["tests/unit/test_till.py::test_marked"]
    visitor.open(f"{RUN}/tests?suite=tests/api&worker=main")
    assert len(names(visitor)) == 2
    visitor.open(f"{RUN}/tests?suite=tests/ap")
    assert "No test of this run is like that" in visitor.text("#tests")


def test_the_states_of_a_run_read_alike_on_all_its_pages(visitor: Visitor) -> None:
    told = visitor.open(RUN).locator(".verdict .chip").all_inner_texts()
    assert [text.split()[-1] for text in told] == ["failed", "error", "passed"], "what is bad stands first"
    assert visitor.open(f"{RUN}/tests").locator(".chips .chip").all_inner_texts() == ["229 tests", *told]


def test_on_a_phone_the_tab_that_is_looked_at_is_seen(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 800})
    visitor.open(f"{RUN}/details")
    place = visitor.page.locator(".tabs [aria-current]").bounding_box()
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 390


def test_rows_are_reached_with_keys(visitor: Visitor) -> None:
    page = visitor.open(f"{RUN}/tests")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "text"
    page.keyboard.type("jk/")
    assert page.evaluate("document.activeElement.value") == "jk/"
    visitor.open(f"{RUN}/tests?sort=plan&suite=tests/api")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/test?id=tests%2Fapi%2Fv1%2Ftest_other.py%3A%3Atest_fine")


def test_the_tree_opens_level_by_level(visitor: Visitor) -> None:
    page = visitor.open(f"{RUN}/suites")
    assert page.locator("#suites .node-name").all_inner_texts() == ["tests/", "unit/test_till.py", "api/v1/"]
    page.get_by_role("button", name="Open api/v1").click()
    page.get_by_role("link", name="test_other.py", exact=True).wait_for()
    page.get_by_role("button", name="Open unit/test_till.py").click()
    page.get_by_role("link", name="TestPrices", exact=True).wait_for()
    page.get_by_role("button", name="Close api/v1").click()
    page.get_by_role("link", name="test_other.py", exact=True).wait_for(state="detached")
    page.get_by_role("link", name="unit/test_till.py", exact=True).click()
    page.wait_for_url("**under=tests%2Funit%2Ftest_till.py*")
    page.get_by_role("link", name="Tests of tests/unit/test_till.py::TestPrices").click()
    page.wait_for_url("**/tests?suite=*")
    assert names(visitor) == ["tests/unit/test_till.py::TestPrices::test_error"]


def test_they_are_as_people_need_them(visitor: Visitor, served: Served) -> None:
    last = "tests/unit/test_till.py::test_many"  # of a window of few tests: axe looks at each row
    paths = [f"{RUN}/tests?sort=plan&place=221&after={last}[210]", f"{RUN}/tests?state=failed&state=error"]
    paths += [RUN + path for path in ("/tests?text=nothing", "/suites", "/suites?under=tests/api/v1")]
    paths += [f"{served.crashed}/timeline", f"{served.crashed}/details", f"{RUN}/details?type=run/cancel"]
    assert {path: visitor.faults(path) for path in paths} == {path: [] for path in paths}


NONSENSE = {
    "/tests?state=nonsense": "state=nonsense is not one of passed, failed",
    "/tests?after=nothing": "no run has the test nothing",
    "/tests?place=0": "place=0 is no number from 1",
    "/suites?under=nowhere": "no folder, file or class nowhere",
    "/timeline?from=x": "from=x is no number of milliseconds",
    "/timeline?from=9&to=3": "from=9 is not before to=3",
    "/details?after=main:999": "this run has no event 999 of main",
    "/details?after=main": "after=main names no event",
    "/export?format=docx": "format=docx is not one of html, json",
    "x/export?format=json": "no run",
}


def test_what_makes_no_sense_is_told(visitor: Visitor) -> None:
    for path, said in NONSENSE.items():
        visitor.open(RUN + path)
        assert said in visitor.text("main"), path


def test_their_tables_can_be_taken_away(visitor: Visitor) -> None:
    page = visitor.open(f"{RUN}/tests?state=error")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("test,state,duration_ms")
    assert lines[1].startswith("tests/unit/test_till.py::TestPrices::test_error,error")
    assert len(lines) == 2
    page = visitor.open(f"{RUN}/suites")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "tests/unit/test_till.py::TestPrices,class,1," in Path(download.value.path()).read_text()


def test_the_timeline_tells_of_each_test_and_is_zoomed_with_keys(served: Served, visitor: Visitor) -> None:
    page = visitor.open(f"{served.crashed}/timeline")
    assert page.locator(".lane-picture").count() >= 2
    assert page.locator(".crash title").first.text_content()
    bar = page.locator(".lane-picture a[aria-label*='test_waits: passed']")
    bar.hover()
    assert "crashing.py::test_waits: passed" in visitor.text("#told")
    page.keyboard.press("+")
    page.wait_for_url("**/timeline?from=*")
    assert "after its begin" in visitor.text(".timeline-head")
    zoomed = page.url
    page.keyboard.press("]")
    page.wait_for_url(lambda url: url != zoomed)
    page.keyboard.press("0")
    page.wait_for_url("**/timeline")
    page.get_by_text("The whole run, ").wait_for()
    page.locator(".lane-picture a[tabindex='0']").first.focus()
    first = visitor.text("#told")
    page.keyboard.press("ArrowDown")
    assert visitor.text("#told") != first
    assert "crashed" in visitor.text("#timeline table")
    page.keyboard.press("Enter")
    page.wait_for_url("**/test?id=crashing.py*")


def test_the_details_tell_where_it_ran_and_what_went_wrong(served: Served, visitor: Visitor) -> None:
    page = visitor.open(f"{served.crashed}/details")
    assert "2 (load)" in visitor.text("#facts")
    assert "javascript:alert(4)" in visitor.text("#facts")
    processes = visitor.text("#processes")
    assert "crashing.py::test_dies" in processes
    assert "old <script>alert(3)</script>" in visitor.text("#warnings")
    page.get_by_label("Type").select_option("worker/crash")
    page.wait_for_url("**type=worker%2Fcrash*")
    page.locator(".log summary").first.click()
    assert '"runId"' in visitor.text(".log pre")
    assert set(page.locator(".log-type").all_inner_texts()) == {"worker/crash"}


def test_a_run_can_be_had_in_every_format(served: Served, visitor: Visitor, tmp_path: Path) -> None:
    """It is the file that ``semantest export`` writes."""
    for name in FORMATS:
        answer = visitor.page.request.get(f"{served.url}{RUN}/export?format={name}")
        assert answer.status == 200, name
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert name == "html" or b"test_error" in answer.body(), name
        if name in ("csv", "html", "junit"):
            file = tmp_path / "file"
            said = semantest("export", "--format", name, "-o", file, "--directory", served.folder)
            assert said.code == 0, said.err
            assert file.read_bytes() == answer.body()
