"""Pictures of pages with a real headless Chromium, by Playwright and by Selenium, in recorded test processes."""

from __future__ import annotations

import struct
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.browsers.conftest import BROWSER, DRIVER
from tests.plugin.conftest import Record_, Recorded

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE = "data:text/html,<title>shop</title><h1>Sold out</h1>"

PLAYWRIGHT = f"""
import pytest
from playwright.sync_api import sync_playwright

@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path={BROWSER!r}, args={FLAGS!r})
        yield browser
        browser.close()

@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={{"width": 320, "height": 200}})
    page.goto({PAGE!r})
    yield page
    page.close()
"""

SELENIUM = f"""
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = {BROWSER!r}
    for flag in {FLAGS!r} + [f"--user-data-dir={{tmp_path_factory.mktemp('profile')}}", "--window-size=320,200"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service({DRIVER!r}))
    driver.get({PAGE!r})
    yield driver
    driver.quit()
"""


def picture(directory: Path, told: dict[str, Any]) -> tuple[int, int]:
    """Width and height of the PNG that an event names."""
    (path,) = directory.glob(f".semantest/sessions/*/artifacts/{told['sha256']}")
    data = path.read_bytes()
    assert len(data) == told["size"]
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", data[16:24])
    return int(width), int(height)


def taken(recorded: Recorded) -> list[tuple[str, str, str | None]]:
    return [
        (one["testId"].partition("::")[2], one["name"], one.get("omitted")) for one in recorded.of("test/attachment")
    ]


@pytest.mark.usefixtures("playwright_is_here")
def test_playwright_pages_of_failed_tests(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(PLAYWRIGHT)
    pytester.makepyfile(
        """
        import pytest

        def test_fails(page, browser): assert page.title() == "market"

        def test_passes(page): assert page.title() == "shop"

        def test_skips(page): pytest.skip("no")

        @pytest.mark.xfail
        def test_expected(page): assert 0

        def test_closed(page):
            page.close()
            assert 0

        @pytest.fixture
        def logged_in(page): assert 0, "cannot log in"

        def test_setup(page, logged_in): pass

        def test_asks(page, semantest):
            semantest.screenshot(name="at the start")
            semantest.screenshot(page.locator("h1"), name="the heading")
            semantest.screenshot(page)
        """
    )
    recorded = record("-q", subprocess=True)
    assert recorded.result.ret == 1
    recorded.result.assert_outcomes(failed=2, passed=2, skipped=1, xfailed=1, errors=1)
    pictures = taken(recorded)
    assert [one[:2] for one in pictures] == [
        ("test_fails", "failure-page"),
        ("test_closed", "failure-page"),
        ("test_setup", "failure-page"),
        ("test_asks", "at the start"),
        ("test_asks", "the heading"),
        ("test_asks", "screenshot"),
    ]
    told = recorded.of("test/attachment")
    assert all(one["kind"] == "screenshot" and one["mediaType"] == "image/png" for one in told)
    assert "closed" in str(pictures[1][2])
    assert [picture(pytester.path, told[n]) for n in (0, 2, 3)] == [(320, 200)] * 3
    width, height = picture(pytester.path, told[4])
    assert width < 320
    assert height < 200


def test_each_attempt_has_its_picture_and_it_can_be_switched_off(pytester: pytest.Pytester, record: Record_) -> None:
    """By an object that does what a page does: none of it is up to the browser."""
    pytester.makepyfile(
        """
        import pytest

        class Page:
            def goto(self, url): ...
            def content(self): ...
            def screenshot(self, timeout=None): return b"\\x89PNG own"

        @pytest.fixture
        def page(): return Page()

        def test_fails(page): assert 0
        """
    )
    recorded = record("-q", "--semantest-retries=1")
    assert [one["attempt"] for one in recorded.of("test/attachment")] == [1, 2]
    recorded = record("-q", "--semantest-screenshots=off")
    assert len(recorded.of("test/attachment")) == 2


@pytest.mark.usefixtures("playwright_is_here")
def test_an_async_page_is_not_touched_and_an_explicit_one_is_explained(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makepyfile(
        f"""
        import asyncio
        import pytest
        from playwright.async_api import async_playwright

        @pytest.fixture
        def loop():
            loop = asyncio.new_event_loop()
            yield loop
            loop.close()

        @pytest.fixture
        def page(loop):
            async def start():
                started = await async_playwright().start()
                browser = await started.chromium.launch(executable_path={BROWSER!r}, args={FLAGS!r})
                return started, browser, await browser.new_page()
            started, browser, page = loop.run_until_complete(start())
            yield page
            loop.run_until_complete(browser.close())
            loop.run_until_complete(started.stop())

        def test_fails(loop, page, semantest):
            semantest.screenshot(page, name="cannot")
            semantest.attach(loop.run_until_complete(page.screenshot()), name="can.png")
            assert 0
        """
    )
    recorded = record("-q", subprocess=True)
    recorded.result.assert_outcomes(failed=1)
    assert taken(recorded) == [
        ("test_fails", "cannot", "an async page cannot be used from here: await its screenshot() and attach the bytes"),
        ("test_fails", "can.png", None),
    ]


@pytest.mark.usefixtures("selenium_is_here")
def test_selenium_drivers_of_failed_tests(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(SELENIUM)
    pytester.makepyfile(
        """
        from selenium.webdriver.common.by import By

        def test_fails(driver): assert driver.title == "market"

        def test_passes(driver, semantest):
            semantest.screenshot()
            semantest.screenshot(driver.find_element(By.TAG_NAME, "h1"), name="the heading")

        def test_gone(driver):
            driver.quit()
            assert 0
        """
    )
    recorded = record("-q", "-n1", subprocess=True)
    recorded.result.assert_outcomes(failed=2, passed=1)
    pictures = {one[:2]: one[2] for one in taken(recorded)}
    assert set(pictures) == {
        ("test_fails", "failure-driver"),
        ("test_passes", "screenshot-driver"),
        ("test_passes", "the heading"),
        ("test_gone", "failure-driver"),
    }
    assert pictures.pop(("test_gone", "failure-driver")) is not None
    assert set(pictures.values()) == {None}
    for told in recorded.of("test/attachment"):
        if "sha256" in told:
            assert picture(pytester.path, told)[0] > 0


def test_objects_that_are_no_pages_are_left_alone(pytester: pytest.Pytester, record: Record_) -> None:
    """A mock answers to every name, an own class may have the interface, and another may only look like it."""
    pytester.makepyfile(
        dedent(
            """
            import pytest
            from unittest import mock

            class OwnPage:
                def goto(self, url): ...
                def content(self): ...
                def screenshot(self, timeout=None): return b"\\x89PNG own"

            class Broken(OwnPage):
                def screenshot(self, timeout=None): raise SystemError("broken\\ndriver")

            class Leaving(OwnPage):
                def screenshot(self, timeout=None): pytest.fail("from inside")

            class Odd(OwnPage):
                def screenshot(self, timeout=None): return "text"

            class Loud:
                def __getattr__(self, name): raise AssertionError(name)

            @pytest.fixture
            def mocked(): return mock.MagicMock()
            @pytest.fixture
            def own(): return OwnPage()
            @pytest.fixture
            def same(own): return own
            @pytest.fixture
            def broken(): return Broken()
            @pytest.fixture
            def leaving(): return Leaving()
            @pytest.fixture
            def odd(): return Odd()
            @pytest.fixture
            def loud(): return Loud()

            def test_a(mocked, own, same, broken, leaving, odd, loud):
                assert 0, "the reason"
            """
        )
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(failed=1)
    assert "the reason" in recorded.end("test_a")["error"]["message"]
    assert taken(recorded) == [
        ("test_a", "failure-own", None),
        ("test_a", "failure-broken", "SystemError: broken"),
        ("test_a", "failure-leaving", "Failed: from inside"),
        ("test_a", "failure-odd", "Odd gives no picture as bytes"),
    ]
