"""The page of a really recorded suite in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.html.page import page_parts
from semantest_recorder.reports.inert import inert
from tests.browsers.html_pages import OpenPage, hash_of
from tests.recorder.cli.project import Project
from tests.recorder.reports.rows_of import attempt_row, result_row, run_rows

SCRIPT = "<script>document.title='hacked';new Image().src='http://127.0.0.1:9/x'</script>"
PICTURE = "<img src=http://127.0.0.1:9/y onerror=alert(1)>"
SUITE = f"""
import base64, os, pytest, warnings

HOSTILE = {SCRIPT + PICTURE!r}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

def test_passes(): pass

@pytest.mark.slow
def test_slow_one(): pass

def test_fails(semantest):
    print("weighing a parcel")
    with semantest.step("find a box"):
        semantest.log("too small", size=3)
        semantest.attach(PNG, name="box.png", media_type="image/png")
        assert 1 == 2, "the box does not fit"

@pytest.mark.parametrize("name", [HOSTILE, "</script>" + HOSTILE, "javascript:alert(1)"], ids=str)
def test_hostile(name, semantest, record_property):
    print("\\033[31mred\\033[0m \\u202egnp.exe \\033]8;;http://127.0.0.1:9\\007link" + name)
    record_property(name, name)
    warnings.warn(name)
    semantest.log(name, data=name)
    semantest.attach(HOSTILE.encode(), name=name + ".html", media_type="text/html")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    semantest.attach(svg, name="a.png", media_type="image/png")
    with semantest.step(name):
        raise RuntimeError(name)

def test_flaky(tmp_path_factory):
    place = tmp_path_factory.getbasetemp() / "was here"
    first = not place.exists()
    place.write_text("")
    assert not first, "cold"

class TestTill:
    def test_opens(self): pass

def test_skips(): pytest.skip("not today")

@pytest.mark.xfail(reason="planned")
def test_planned(): assert 0

@pytest.fixture
def broken(): raise OSError("no database")

def test_needs(broken): pass

@pytest.fixture
def untidy():
    yield
    raise OSError("left behind")

def test_untidy(untidy): assert 0, "first"

def test_dies():
    print("last words")
    os.kill(os.getpid(), 9)
"""
#: How wide what is shown is, be it in sight or not.
WIDTH = """Math.max(...["html", ".app", ".views > *"].flatMap((name) =>
  [...document.querySelectorAll(name)].map(({ scrollWidth }) => scrollWidth)))"""
#: The states whose colours are on the canvas.
DRAWN = """() => {
  const canvas = document.querySelector(".lanes");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Set();
  for (let at = 0; at < data.length; at += 4) found.add(`rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`);
  const states = ["failed", "crashed", "passed", "lost", "skipped"];
  return states.filter((state) => {
    const sample = document.body.appendChild(document.createElement("i"));
    sample.className = `is-${state}`;
    const colour = getComputedStyle(sample).color;
    sample.remove();
    return found.has(colour);
  });
}"""
INI = "[pytest]\nmarkers =\n    slow: takes long\n"

Open = Callable[..., OpenPage]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A run with a test in nearly every state: its page, and its report as JSON."""
    root = tmp_path_factory.mktemp("shop")
    project = Project(root)
    try:
        project.write("pytest.ini", INI)
        project.write("test_shop.py", SUITE)
        labels = ("--semantest-labels", f"team={SCRIPT}")
        project.pytest("-n1", "--semantest-retries", "1", "--semantest-retry-match", "cold", *labels)
        done = project.semantest("export", "--format", "html", "-o", "report.html")
        assert done.returncode == 0, done.stderr
        yield root / "report.html", project.json("report")
    finally:
        project.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens a page; at the end none may have asked for anything, complained, or run what a test said."""
    pages: list[OpenPage] = []

    def open_page(file: Path, hash_: str = "", **context: Any) -> OpenPage:
        pages.append(OpenPage(browser, file, hash_, **context))
        return pages[-1]

    yield open_page
    assert [page.wrong for page in pages] == [[]] * len(pages)
    assert not [page for page in pages if page.page.title() == "hacked"]
    for page in pages:
        page.close()


def test_it_tells_what_the_report_tells_and_nothing_in_it_acts(
    opened: Open, recorded: tuple[Path, dict[str, Any]]
) -> None:
    file, report = recorded
    page = opened(file)
    counts = {state: number for state, number in report["counts"].items() if number and state != "total"}
    assert {"passed", "failed", "error", "skipped", "xfailed", "flaky", "crashed"} == set(counts)
    chips = page.page.locator(".chip").all_inner_texts()
    told = {word: number for *_, number, word in map(str.split, chips)}
    assert told == {"tests": str(report["counts"]["total"])} | {state: str(number) for state, number in counts.items()}
    assert page.text(".verdict").endswith("Failed")
    assert SCRIPT in page.text(".run-facts")
    assert len(page.rows()) == report["counts"]["total"]
    ids, shown = {test["id"] for test in report["tests"]}, dict[str, str]()
    assert page.shown() == "test_shop.py::test_dies"  # what is worst is there without a click
    for _ in ids:
        shown[page.shown()] = page.text("#pane")
        page.page.keyboard.press("n")
    assert set(shown) == ids
    assert "last words" in shown["test_shop.py::test_dies"]
    fails = shown["test_shop.py::test_fails"]
    untidy = shown["test_shop.py::test_untidy"]
    assert "first" in untidy.partition("The teardown failed, too")[0]
    assert "left behind" in untidy.partition("The teardown failed, too")[2]
    for words in ("the box does not fit", "weighing a parcel", "find a box", "too small", '{"size":3}', "box.png"):
        assert words in fails
    for test in ids:
        if "hostile" in test:
            assert "red gnp.exe link" in shown[test]
            assert f"RuntimeError: {test.partition('[')[2].removesuffix(']')}" in shown[test]
            assert "Not in this file" in shown[test]
    for view in ("suites", "timeline", "summary"):
        page.page.get_by_role("button", name=view.title(), exact=True).click()
        page.page.locator(f".{view}").wait_for()
        if view == "timeline":
            assert set(page.page.evaluate(DRAWN)) >= {"failed", "crashed", "passed"}
    assert "UserWarning: " + SCRIPT in page.text(".summary")
    assert not page.page.locator("a[href^='javascript']").count()


def test_search_states_and_sorting_are_in_the_address(opened: Open, recorded: tuple[Path, dict[str, Any]]) -> None:
    file, report = recorded
    page = opened(file)
    search = page.page.locator("#search")
    for words, found in [
        ("FITS OR not", []),
        ("box fit", ["test_fails"]),
        ("::test_s -skips", ["test_slow_one"]),
        ("marker:slow", ["test_slow_one"]),
        ('state:"crashed"', ["test_dies"]),
        ("message:today", ["test_skips"]),
    ]:
        search.fill(words)
        assert [name for name in page.rows() if "hostile" not in name] == found, words
    assert page.text("#count") == f"1 of {report['counts']['total']} tests"
    search.fill("")
    page.page.get_by_role("button", name="flaky").click()
    page.page.get_by_role("button", name="xfailed").click()
    assert page.rows() == ["test_flaky", "test_planned"]
    page.page.get_by_label("Sort").select_option("Order of the plan")
    page.page.get_by_label("Marker").select_option("xfail")
    assert page.rows() == ["test_planned"]
    assert page.page.locator(".chip", has_text="flaky").locator(".number").inner_text() == "0"
    page.page.wait_for_url(re.compile("marker=xfail&sort=plan"))
    again = opened(file, page.page.evaluate("location.hash"))
    assert again.rows() == ["test_planned"]
    assert again.page.get_by_role("button", name="xfailed").get_attribute("aria-pressed") == "true"
    page.page.go_back()
    page.wait_for_rows("test_flaky")
    page.page.evaluate("location.hash = '#q=no such test'")
    page.page.get_by_role("button", name="Show all tests").click()
    assert len(page.rows()) == report["counts"]["total"]


def test_a_test_has_an_address_and_its_attempts_stand_beside_each_other(
    opened: Open, recorded: tuple[Path, dict[str, Any]]
) -> None:
    file, _report = recorded
    page = opened(file, hash_of(test="test_shop.py::test_flaky"), viewport={"width": 1400, "height": 900})
    assert page.shown() == "test_shop.py::test_flaky"
    first, second = (card.bounding_box() for card in page.page.locator(".attempt").all())
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] <= second["x"]
    picture = opened(file, hash_of(test="test_shop.py::test_fails"))
    picture.page.locator(".picture img").wait_for()
    assert picture.page.evaluate("document.querySelector('.picture img').naturalWidth") == 1
    unknown = opened(file, hash_of(test="test_shop.py::test_gone"))
    unknown.page.get_by_text("This run has no test test_shop.py::test_gone").wait_for(state="attached")


def test_all_of_it_can_be_done_with_the_keyboard(opened: Open, recorded: tuple[Path, dict[str, Any]]) -> None:
    page = opened(recorded[0])
    press = page.page.keyboard.press
    focused = "document.activeElement.id"
    press("/")
    assert page.page.evaluate(focused) == "search"
    page.page.keyboard.type("test_f")
    press("ArrowDown")
    assert page.page.evaluate(focused) == "list"
    press("ArrowDown")
    press("ArrowDown")
    assert page.shown() == "test_shop.py::test_flaky"
    active = page.page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.ariaSelected"
    )
    assert active == "true"
    press("Enter")
    assert page.page.evaluate(focused) == "pane"
    press("Escape")
    assert page.page.evaluate(focused) == "list"
    press("2")
    page.page.locator("#suite-list").focus()
    rows, expanded = page.page.locator("#suite-list .row"), "aria-expanded"
    assert (rows.count(), rows.first.get_attribute(expanded)) == (2, "true")
    press("ArrowLeft")
    assert (rows.count(), rows.first.get_attribute(expanded)) == (1, "false")
    press("ArrowRight")
    assert (rows.count(), rows.first.get_attribute(expanded)) == (2, "true")
    press("Enter")
    assert page.page.evaluate("new URLSearchParams(location.hash.slice(1)).get('in')") == "test_shop.py"  # a step
    press("3")
    page.page.locator("#lanes").focus()
    press("ArrowRight")
    assert "on gw" in page.text("#lanes-told")
    press("+")
    press("Enter")
    assert page.shown().startswith("test_shop.py::")
    press("?")
    assert "back to the list" in page.text("dialog")
    page.page.get_by_label("Single letters and signs act as keys").uncheck()
    press("Escape")
    press("2")
    assert not page.page.locator(".suites").is_visible()


def test_colours_a_phone_and_paper(opened: Open, recorded: tuple[Path, dict[str, Any]]) -> None:
    file, _report = recorded
    page = opened(file, color_scheme="dark")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.page.evaluate(background)
    page.page.get_by_role("button", name="Theme").click()
    light = page.page.evaluate(background)
    assert (dark, light) == ("rgb(20, 23, 28)", "rgb(255, 255, 255)")
    page.page.reload()
    assert page.page.evaluate(background) == light  # it is remembered
    page.page.emulate_media(media="print")
    page.page.wait_for_selector("html[data-ready]", state="attached")
    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.page.set_viewport_size({"width": 700, "height": 900})  # of paper
    assert page.page.evaluate("document.querySelector('.chips').scrollWidth") <= 700
    paper = page.text("body")
    for words in ("the box does not fit", "no database", "last words", "cold", "Summary"):
        assert (words in paper) is (words != "Summary"), words
    page.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.page.locator("#print > *").count() == 0
    phone = opened(file, viewport={"width": 390, "height": 844}, has_touch=True)
    assert not phone.page.locator("#pane").is_visible()
    phone.page.locator("#list .row", has_text="test_fails").tap()
    assert phone.shown() == "test_shop.py::test_fails"
    assert phone.page.evaluate(WIDTH) == 390
    phone.page.go_back()
    phone.page.locator("#pane").wait_for(state="hidden")
    phone.page.locator("#list").press("ArrowDown")
    assert not phone.page.locator("#pane").is_visible()  # on a small screen a test is opened when it is asked for
    phone.page.locator("#list").press("Enter")
    phone.page.get_by_role("button", name="Back to the list").tap()
    for view in ("Suites", "Timeline", "Summary", "Tests"):
        phone.page.get_by_role("button", name=view, exact=True).tap()
        assert phone.page.evaluate(WIDTH) == 390, view
    assert phone.page.locator("#list").is_visible()
    assert not phone.page.locator("#pane").is_visible()


def test_axe_finds_nothing_that_keeps_anybody_out(opened: Open, recorded: tuple[Path, dict[str, Any]]) -> None:
    page = opened(recorded[0], hash_of(test="test_shop.py::test_fails"))
    page.shown()
    for act, rules in [("2", ()), ("3", ()), ("4", ()), ("1", ()), ("t", ("color-contrast",))]:
        page.page.keyboard.press(act)
        assert page.violations(*rules) == [], act


def test_twenty_thousand_tests_are_not_all_in_the_page(opened: Open, tmp_path: Path) -> None:
    number = 20_000
    names = [f"tests/test_{at % 300}.py::test_case[{at}]" for at in range(number)]
    rows = [result_row(name, "failed" if at % 300 == 7 else "passed", at) for at, name in enumerate(names)]
    attempts = [
        attempt_row(row.test_id, row.state, source=f"s.gw{at % 8}", worker=f"gw{at % 8}") for at, row in enumerate(rows)
    ]
    report = aggregate(run_rows(rows, attempts))
    file = tmp_path / "many.html"
    file.write_text("".join(page_parts(report, report.tests, None, pictures=True)))
    page = opened(file)
    assert page.text("#count") == "20,000 tests"
    nodes = "document.querySelectorAll('body *').length"
    assert page.page.evaluate(nodes) < 1500
    page.page.locator("#list").press("End")
    assert page.shown() == names[-1]
    page.page.locator("#search").fill("case[12345]")
    assert page.rows() == ["test_case[12345]"]
    page.page.locator("#search").fill("")
    page.page.locator("#list").focus()
    for view in ("2", "3", "4"):
        page.page.keyboard.press(view)
        assert page.page.evaluate(nodes) < 2500


def test_text_is_made_harmless_as_in_the_terminal(opened: Open, recorded: tuple[Path, dict[str, Any]]) -> None:
    page = opened(recorded[0])
    every = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x10000), *range(0xE0000, 0xE0100))))
    parts = [
        *("a".join(every[at : at + 4096]) for at in range(0, len(every), 4096)),
        "\x1b[31mred\x1b[0m",
        "\x1b]8;;http://x\x07link\x1b]8;;\x07",
        "\x1b]0;title\x1b\\rest",
        "\x9b2Jx\x9d0;y\x9cz",
        "\x1bPq\x1b[1m unterminated",
        "\x1b(Bx\x1b",
        "a\r\nb\rc\x0bd\x85e",
    ]
    made = page.page.evaluate("parts => parts.map((part) => inert(part))", parts)
    assert [(part, found) for part, found in zip(parts, made, strict=True) if found != inert(part)] == []
    assert page.page.evaluate("inert('a\\ud800b')") == "a\ufffdb"


def test_a_page_is_shown_as_far_as_it_can_be(
    browser: Any, recorded: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    text = recorded[0].read_text()
    at = text.index(">", text.index('data-index="0"')) + 100
    file = tmp_path / "damaged.html"
    file.write_text(text[:at] + "AAAA" + text[at + 4 :])
    page = browser.new_page()
    page.goto(file.as_uri())
    page.get_by_text("This report cannot be shown").wait_for()
    at = text.index(">", text.index('data-first="0"')) + 100
    file.write_text(text[:at] + "AAAA" + text[at + 4 :])
    page.reload()
    page.get_by_text("The attempts of this test cannot be read: the file is damaged.").wait_for()
    assert not page.locator("#notice").is_visible()
    frame = tmp_path / "frame.html"
    frame.write_text("<iframe sandbox='allow-scripts'></iframe>")
    page.goto(frame.as_uri())
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate("text => { document.querySelector('iframe').srcdoc = text; }", text)
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="flaky").click()
    assert inside.locator("#count").inner_text().startswith("1 of ")
    assert errors == []
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(recorded[0].as_uri())
    assert "failed. " in plain.inner_text("body")
    plain.context.close()
    page.close()
