"""``make pictures``: the pictures of the dashboard in docs/pictures, of the example suite, really recorded.

The shop of examples/ gets a history: commits on its main branch, a run of pytest for each, and with one of them the bug
that its last run fails for. Then a browser signs in and looks at every page.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
BROWSER = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SIZE: Any = {"width": 1280, "height": 800}
PHONE: Any = {"width": 390, "height": 800}
RULES = """\
[alerts.rules.main-red]
kind = "run-failed"
branches = ["main"]
severity = "critical"

[alerts.rules.news]
kind = "new-failure"
branches = ["main"]
"""
BUG = 'return Decimal("4.90") if weight_grams < 2000 else Decimal("9.90")'
NO_BUG = BUG.replace("< 2000", "<= 2000")
#: What each commit says; the bug comes with the last one.
COMMITS = (
    ("Ana Ruiz", "A cart, and what is in it"),
    ("Ben Okafor", "Parcels up to two kilograms are small"),
    ("Ana Ruiz", "Discount codes"),
    ("Chi Tanaka", "The gateway remembers its connection"),
    ("Chi Tanaka", "Receipts have a number"),
    ("Ben Okafor", "Shipping: limits in one place"),
)
BROKEN_FROM = 5
LIVE = "dashboard-live"
_PYTEST = (sys.executable, "-m", "pytest", "--semantest", "-n", "4", "--semantest-retries", "1", "-q")
FAILED = "suite/test_cart.py::test_small_parcels_are_cheap[2000]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Records the shop, and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="record in this folder, which stays, instead of a temporary one")
    parser.add_argument("--to", type=Path, default=PICTURES, help="where the pictures go")
    parser.add_argument("--only", nargs="*", help="the names of the pictures to take")
    given = parser.parse_args(arguments)
    with _place(given.keep) as folder:
        shop = folder / "shop"
        if not shop.exists():
            record(shop)
        given.to.mkdir(parents=True, exist_ok=True)
        try:
            take(shop, given.to, given.only)
        finally:
            _run([sys.executable, "-m", "semantest_recorder.cli.recorder", "stop"], shop, check=False)


@contextmanager
def _place(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with TemporaryDirectory(prefix="semantest-pictures-") as place:
        yield Path(place)


def record(shop: Path) -> None:
    """The shop with its history."""
    shutil.copytree(ROOT / "examples", shop, ignore=shutil.ignore_patterns(".semantest", "__pycache__", "unsteady"))
    (shop / "semantest.toml").write_text(RULES)
    (shop / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n")
    _git(shop, "init", "-q", "-b", "main")
    cart = shop / "shop" / "cart.py"
    text = cart.read_text()
    for number, (author, subject) in enumerate(COMMITS):
        cart.write_text((text if number >= BROKEN_FROM else text.replace(BUG, NO_BUG)) + f"# {number}\n")
        _git(shop, "add", "-A")
        _git(shop, "-c", f"user.name={author}", "-c", "user.email=shop@example.org", "commit", "-q", "-m", subject)
        _run(_PYTEST, shop, check=False)


def take(shop: Path, place: Path, only: Sequence[str] | None) -> None:
    """Signs in and takes a picture of every page."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only for this

    address = _said([sys.executable, "-m", "semantest_recorder.cli.semantest", "open", "--no-browser"], shop)
    run_id = _said([sys.executable, "-m", "semantest_recorder.cli.semantest", "sql", "--csv", _LAST], shop).split()[-1]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=FLAGS)
        first = browser.new_context()
        page = first.new_page()
        page.goto(address)
        page.wait_for_url("**/runs")
        url, signed_in = address.partition("/sign-in")[0], first.storage_state()
        for name, path, size, scheme in _pictures(run_id):
            if only is None or name in only:
                _take(
                    browser.new_context(
                        viewport=size, is_mobile=size is PHONE, color_scheme=scheme, storage_state=signed_in
                    ),
                    url + path,
                    place / f"{name}.png",
                )
        if only is None or LIVE in only:
            _take_live(shop, browser.new_context(viewport=SIZE, storage_state=signed_in), url, place / f"{LIVE}.png")
        browser.close()


def _take_live(shop: Path, context: Any, url: str, place: Path) -> None:
    """While a run goes on, and one of its tests takes long."""
    page = context.new_page()
    page.goto(f"{url}/live")
    run = subprocess.Popen(_PYTEST, cwd=shop, env=_environment(), stdout=subprocess.DEVNULL)
    page.wait_for_selector("tr:not(.idle) .worker >> visible=true")
    page.wait_for_selector("tr:has-text('test_stock_is_counted_at_night') .for:has-text(' s')")
    page.screenshot(path=place)
    print(place)
    run.wait()
    context.close()


_LAST = "SELECT run FROM v_runs ORDER BY since_ms DESC LIMIT 1"


def _pictures(run_id: str) -> Iterator[tuple[str, str, Any, Any]]:
    """(name, path, size, scheme) of each picture."""
    run, test = f"/runs/{quote(run_id, safe='')}", quote(FAILED, safe="")
    pages = {
        "runs": "/runs",
        "run": run,
        "run-tests": f"{run}/tests",
        "run-suites": f"{run}/suites",
        "run-timeline": f"{run}/timeline",
        "run-details": f"{run}/details",
        "result": f"{run}/test?id={test}",
        "compare": f"/compare?after={quote(run_id, safe='')}",
        "test": f"/test?id={test}",
        "find-a-test": "/tests",
        "flaky": "/flaky",
        "slowest": "/slowest",
        "trends": "/trends",
        "alerts": "/alerts",
        "settings": "/settings",
    }
    for name, path in pages.items():
        yield f"dashboard-{name}", path, SIZE, "light"
    yield "dashboard-run-dark", run, SIZE, "dark"
    yield "dashboard-run-phone", run, PHONE, "dark"


def _take(context: Any, address: str, place: Path) -> None:
    page = context.new_page()
    answer = page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    if answer.status == 200:
        page.screenshot(path=place)
        print(place)
    else:
        print(f"{address} answers {answer.status}", file=sys.stderr)
    context.close()


def _environment() -> dict[str, str]:
    """The user's, without settings and CI of this very run."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SEMANTEST", "CI", "GITHUB"))}


def _git(folder: Path, *arguments: str) -> None:
    _run(["git", *arguments], folder)


def _run(command: Sequence[str], folder: Path, *, check: bool = True) -> None:
    subprocess.run(command, cwd=folder, env=_environment(), check=check, stdout=subprocess.DEVNULL)


def _said(command: Sequence[str], folder: Path) -> str:
    return subprocess.run(
        command, cwd=folder, env=_environment(), check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
