"""Pages of runs in a real browser: the list, a run, a result, and two runs compared."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsers.conftest import need_playwright
from tests.browsers.dashboard import ServedDashboard, Visitor
from tests.recorder.cli.project import Project

GOOD = """
def test_new(): pass
def test_fine(): pass
def test_old(): raise KeyError("old")
"""
BAD = """
import base64, os, time
import pytest

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3) \\x1b[31mred \\u202eevil"

def test_new(semantest, record_property):
    record_property("ticket", "<b>SHOP-1</b>")
    with semantest.step("open <i>the shop</i>"):
        with semantest.step("inner"):
            semantest.log("a line", data={"of": 1})
    semantest.attach(PNG, "shop.png", "image/png")
    semantest.attach("<script>alert(4)</script>", "page.html", "text/html")
    semantest.attach("<svg onload=alert(5) xmlns='http://www.w3.org/2000/svg'/>", "drawing.svg", "image/svg+xml")
    semantest.attach("<script>alert(6)</script>", "no-picture.png", "image/png")
    print(HOSTILE)
    assert HOSTILE == ""

def test_fine(): pass
def test_old(): raise KeyError("old")

@pytest.mark.parametrize("name", ["<script>alert(7)</script>", "javascript:alert(8)", "\\u202egnp.exe", "a" * 200])
def test_names(name): assert name == ""

def test_twice():
    if not os.path.exists("tried"):
        open("tried", "w").close()
        raise OSError("the first time")

def test_waits():
    while os.path.exists("wait"):
        time.sleep(0.05)
"""
PICTURES = ("shop.png", "page.html", "drawing.svg", "no-picture.png")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    need_playwright()
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("test_shop.py", GOOD)
    project.pytest("--semantest-run-name", "The first one")
    project.write("test_shop.py", BAD)
    project.pytest("--semantest-retries", "1", "--semantest-labels", "suite=nightly")
    yield project
    project.close()


@pytest.fixture(scope="module")
def served(project: Project) -> Iterator[ServedDashboard]:
    project.close()
    served = ServedDashboard(project.folder)
    yield served
    served.close()


def test_in_three_clicks_from_the_list_to_why_and_whether_it_is_new(visitor: Visitor) -> None:
    page = visitor.open("/runs")
    page.locator("tbody tr").first.get_by_role("link").first.click()
    page.wait_for_selector("#causes")
    assert "new" in page.locator("#causes").inner_text()
    first, old = page.locator(".cause").first, page.locator(".cause", has_text="KeyError")
    assert first.locator(".tag").inner_text() == "new", "what is new stands first"
    assert old.locator(".tag").inner_text() == "not new"
    assert "failing in every run that is known, 2 runs" in old.inner_text()
    assert "The first one" in page.locator("aside").inner_text()
    page.wait_for_selector("#changed .numbers")
    assert "newly failing" in page.locator("#changed").inner_text()
    page.get_by_role("link", name="test_shop.py::test_new", exact=True).click()
    page.wait_for_selector(".attempts")
    assert "it was good in" in page.locator(".newness").inner_text()
    assert page.locator(".traceback .error").first.inner_text().startswith("E  ")
    page.get_by_role("link", name="The first one").click()
    page.wait_for_selector("h1:has-text('test_new')")
    assert "It passed" in page.locator("main").inner_text()
    assert "The first one" in page.locator(".crumbs").inner_text()


def test_every_page_is_as_people_need_it_and_what_is_hostile_stays_inert(
    served: ServedDashboard, visitor: Visitor
) -> None:
    listed = visitor.page.request.get(served.url + "/runs?format=json").json()
    hostile = "/runs/last/test?id=test_shop.py::test_names[<script>alert(7)</script>]"
    paths = ["/runs", "/runs/last", "/runs/last/test?id=test_new", "/compare?after=last", "/runs?text=nobody"]
    paths += [f"/runs/{listed[-1]['run']}", "/compare", "/runs/last/test?id=test_twice", hostile]
    assert {path: visitor.faults(path) for path in paths} == {path: [] for path in paths}
    text = visitor.open("/runs/last/test?id=test_new").locator("main").inner_text()
    assert "<script>alert(2)</script>" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_result_has_its_attempts_files_and_pictures(visitor: Visitor, served: ServedDashboard) -> None:
    page = visitor.open("/runs/last/test?id=test_new")
    first = page.locator(".attempt").first
    for word in ("Steps", "open <i>the shop</i>", "inner", "a line", "stdout in call", "<b>SHOP-1</b>", "setup"):
        assert word in first.inner_text(), word
    assert page.locator(".attempt").count() == 2
    assert first.locator("figure").count() == 1, "one of the files is a picture"
    assert page.evaluate("document.querySelector('figure img').decode().then(() => true)")
    hashes = {
        name: first.get_by_role("link", name=name, exact=True).get_attribute("href").split("/")[-1] for name in PICTURES
    }
    got = {name: page.request.get(f"{served.url}/pictures/{of}") for name, of in hashes.items()}
    assert [name for name, answer in got.items() if answer.status != 404] == ["shop.png"]
    assert got["shop.png"].headers["content-type"] == "image/png"
    assert "sandbox" in got["shop.png"].headers["content-security-policy"]
    assert page.request.get(f"{served.url}/pictures/..%2Fsemantest.db").status == 404
    with page.expect_download() as download:
        first.get_by_role("link", name="page.html").click()
    assert download.value.suggested_filename == "page.html"
    assert "pytest --semantest test_shop.py::test_new" in page.get_by_text("Copy how").get_attribute("data-copy")
    rows = page.request.get(f"{served.url}/runs/last/test?id=test_twice&format=csv").text().splitlines()
    assert [row.split(",")[1] for row in rows] == ["outcome", "failed", "passed"]


def test_arrow_keys_go_from_one_bad_test_to_the_next(visitor: Visitor) -> None:
    page = visitor.open("/runs/last/test?id=test_new")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("h1:has-text('test_old')")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("h1:has-text('test_new')")
    assert page.get_by_role("link", name="Bad test before").count() == 0


def test_two_runs_are_chosen_and_compared(visitor: Visitor) -> None:
    page = visitor.open("/compare")
    page.get_by_role("button", name="Compare", exact=True).click()
    assert page.locator("input:invalid").count(), "a choice is missing: the browser says so"
    page.get_by_label("Runs with this").fill("shop")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**find=1*")
    page = visitor.open("/compare")
    page.get_by_label("Before").nth(1).check()
    page.get_by_label("After").first.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_selector("#newly-failing")
    assert "test_new" in page.locator("#newly-failing").inner_text()
    assert "KeyError" in page.locator("#still-failing").inner_text()
    assert page.locator("#added tbody tr").count() >= 1
    told = list(csv.DictReader(io.StringIO(page.request.get(page.url + "&format=csv").text())))
    assert ("newly-failing", "test_shop.py::test_new") in {(row["change"], row["test"]) for row in told}
    page.get_by_role("link", name="The other way").click()
    page.wait_for_selector("#fixed")
    page = visitor.open("/compare?q=first+one")
    assert page.locator("tbody tr").count() == 1
    assert page.request.get(page.url + "&format=csv").status == 400


def test_filters_apply_as_they_change_and_stand_in_the_address(visitor: Visitor, served: ServedDashboard) -> None:
    page = visitor.open("/runs")
    page.get_by_label("Text in").fill("FIRST")
    page.wait_for_url("**/runs?text=FIRST")
    assert page.locator("tbody tr").count() == 1
    page.reload()
    assert page.get_by_label("Text in").input_value() == "FIRST"
    page.get_by_label("Text in").fill("")
    page.get_by_label("Label").fill("suite=nightly")
    page.wait_for_url("**/runs?label=suite%3Dnightly")
    page.get_by_label("State").select_option("passed")
    page.wait_for_selector(".empty")
    visitor.open("/runs?limit=1").get_by_role("link", name="Older runs").click()
    page.wait_for_url("**after=*")
    assert page.locator("tbody tr").inner_text().count("The first one") == 1
    page.get_by_role("link", name="Newest runs").click()
    page.wait_for_url("**/runs?limit=1")
    wrong = ("/runs?after=x", "/runs?state=x", "/runs/last/test", "/runs/last?causes=x", "/compare?after=last&all=x")
    for path in wrong:
        assert page.request.get(served.url + path).status == 400, path
    for path in ("/runs/nobody/test?id=x", "/runs/last/test?id=nobody", "/compare?before=nobody&after=last"):
        assert page.request.get(served.url + path).status == 404, path


def test_it_works_without_scripts(served: ServedDashboard, browser: Any, visitor: Visitor) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=visitor.context.storage_state())
    page = context.new_page()
    page.goto(served.url + "/runs")
    page.get_by_label("Branch", exact=True).fill("nobody's")
    page.get_by_role("button", name="Filter").click()
    assert "No run is like that" in page.locator("main").inner_text()
    page.goto(served.url + "/runs/last")
    page.get_by_role("link", name="What changed").click()
    assert page.locator("#newly-failing").count() == 1
    context.close()


def test_the_list_stays_current_and_waits_for_who_reads_it(visitor: Visitor, project: Project) -> None:
    page = visitor.open("/runs")
    page.locator("tbody tr").first.hover()
    wait = project.root / "wait"
    wait.touch()
    running = project.background_pytest("-k", "waits", "--semantest-run-name", "The third one")
    button = page.get_by_role("button", name="1 new run: show it")
    button.wait_for()
    assert "The third one" not in page.locator("table").inner_text()
    button.click()
    page.wait_for_selector("tr:has-text('The third one') >> text=still running")
    page.locator("h1").hover()
    page.get_by_role("link", name="The third one").click()
    page.wait_for_selector("#verdict")
    assert page.locator(".tabs").get_by_role("link", name="Live", exact=True).count() == 1
    other = visitor.context.new_page()
    other.goto(page.url)
    page.go_back()
    page.locator("tr:has-text('The third one') >> text=still running").wait_for()
    wait.unlink()
    assert running.wait(60) == 0
    page.locator("tr:has-text('The third one') >> text=1 passed").wait_for()
    other.get_by_role("link", name="It is over: show all of it").click()
    other.wait_for_selector("#run-head >> text=passed")
    assert other.locator("#verdict").get_attribute("hx-get") is None
    other.close()
