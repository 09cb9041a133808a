"""Every link and form of the dashboard, followed by somebody who may read, over a small history with all there is."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit
from xml.sax.saxutils import escape, quoteattr

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli_recorder.daemons import DEADLINE_S, wait_until
from tests.recorder.pages.read_page import Form, ReadPage

HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)> javascript:alert(3) \u202egnp.exe"
PYTEST_INI = "[pytest]\nmarkers =\n    slow: takes long\n    api: of the API\n"
GOOD = """
import pytest

def test_turns_bad(): pass
def test_stays_good(): pass
def test_old(): raise KeyError("old")
"""
BAD = f"""
import base64, os, time, unittest, warnings
import pytest

HOSTILE = {HOSTILE!r}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

def test_turns_bad(semantest, record_property):
    record_property(HOSTILE, HOSTILE)
    with semantest.step(HOSTILE):
        with semantest.step("inner"):
            semantest.log(HOSTILE, level="error", data={{"of": HOSTILE}})
    semantest.attach(PNG, "shop.png", "image/png")
    semantest.attach(HOSTILE, HOSTILE + ".html", "text/html")
    print(HOSTILE)
    warnings.warn(HOSTILE)
    assert HOSTILE == ""

def test_stays_good(): pass
def test_old(): raise KeyError("old")

NAMES = ["a" * 500, HOSTILE, "/?&#%2F;=+ x"]

@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES, ids=NAMES)
@pytest.mark.parametrize("layer", ["unit", "e2e"])
def test_layers(name, layer): assert layer == "unit"

@pytest.mark.skip(reason=HOSTILE)
def test_skipped(): pass
@pytest.mark.xfail(reason="not built yet")
def test_expected(): assert 0
@pytest.mark.xfail
def test_unexpected(): pass

class TestPrices:
    def test_error(self, broken): pass
    @pytest.fixture
    def broken(self): raise RuntimeError(HOSTILE)

class TestCase(unittest.TestCase):
    def test_parts(self):
        for number in range(3):
            with self.subTest(number=number): assert number == 1

def test_twice():
    if not os.path.exists("tried"):
        open("tried", "w").close()
        raise OSError("the first time")

def test_quarantined(): assert False
"""
DYING = """
import os
def test_dies():
    print("last words <b>")
    os._exit(3)
"""
INTERRUPTED = """
def test_first(): pass
def test_stops(): raise KeyboardInterrupt
def test_never(): pass
"""
RUNNING = """
import os, time
def test_first(): pass
def test_waits():
    open("waits", "w").close()
    while True: time.sleep(0.05)
def test_later(): pass
"""
JUNIT = (
    f"<testsuite name={quoteattr(HOSTILE.strip())} timestamp='2026-01-01T00:00:00'>"
    f"<testcase classname='a.B' name={quoteattr(HOSTILE)} time='0.1'><failure type='E' message={quoteattr(HOSTILE)}>"
    f"{escape(HOSTILE)}</failure></testcase><testcase name='b'/></testsuite>"
)
QUARANTINE = """
[[quarantine]]
test = "test_shop.py::test_quarantined"
reason = "<b>gateway</b>"
owner = "ana"
expires = 2099-01-01
added = 2026-01-01
"""


class Visitor:
    """Somebody signed in with a token that may only read, at the recorder that the runs started."""

    def __init__(self, folder: Path) -> None:
        found = json.loads((folder / "recorder.json").read_text())
        self._connection = HTTPConnection(urlsplit(found["url"]).netloc, timeout=DEADLINE_S)
        token = semantest("token", "create", "--name", "ana", "--role", "read", "--directory", folder).out.strip()
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": found["url"]}
        answer = self._ask("POST", "/sign-in", form, urlencode({"token": token}))
        self._cookie = answer.headers["Set-Cookie"].partition(";")[0]

    def get(self, path: str) -> Answer:
        """What a browser gets that goes there."""
        return self._ask("GET", path, {"Accept": "text/html", "Cookie": self._cookie})

    def _ask(self, method: str, path: str, headers: dict[str, str], body: str | None = None) -> Answer:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode("utf-8", "replace"))

    def close(self) -> None:
        self._connection.close()


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    project = Project(tmp_path_factory.mktemp("shop"))
    record(project)
    visitor = Visitor(project.folder)
    yield visitor
    visitor.close()
    project.close()


def record(project: Project) -> None:
    """A good run, and one with all kinds of tests; an interrupted, an empty and an imported one; one that goes on."""
    project.write("pytest.ini", PYTEST_INI)
    project.write("test_shop.py", GOOD)
    project.pytest("test_shop.py", "--semantest-run-name", f"Nightly {HOSTILE}")
    project.write("test_shop.py", BAD)
    project.write("semantest-quarantine.toml", QUARANTINE)
    project.write("dying.py", DYING)
    options = (
        "-n2",
        "--semantest-quarantine-days",
        "36500",
        "--semantest-retries",
        "1",
        "--semantest-quarantine",
        "--semantest-labels",
        f"team={HOSTILE}",
    )
    project.pytest("test_shop.py", "dying.py", *options)
    project.write("test_interrupted.py", INTERRUPTED)
    project.pytest("test_interrupted.py")
    project.write("test_empty.py", "")
    project.pytest("test_empty.py")
    project.write("junit.xml", JUNIT)
    said = semantest("import", project.root / "junit.xml", "--directory", project.folder)
    assert said.code == 0, said.err
    project.write("test_running.py", RUNNING)
    project.background_pytest("test_running.py", "--semantest-run-name", "That goes on")
    wait_until((project.root / "waits").exists, "the run that goes on")


class Crawl:
    """Goes wherever pages lead, to one address of each shape; ``wrong`` is what it found, by address."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._waiting: deque[tuple[str, str]] = deque([("/", "")])
        self._shapes: set[Hashable] = {shape_of("/", "")}
        self._anchors: dict[str, tuple[str, str]] = {}
        self.pages: dict[str, ReadPage] = {}
        self.wrong: dict[str, list[str]] = defaultdict(list)

    def go(self) -> None:
        while self._waiting:
            address, source = self._waiting.popleft()
            self._visit(address, source)
        for address, (source, fragment) in self._anchors.items():
            page = self.pages.get(address) or self._read(address)
            if page is not None and fragment not in page.ids:
                self.wrong[address].append(f"there is no #{fragment}, to which {source} leads")

    def _visit(self, address: str, source: str) -> None:
        answer = self._visitor.get(address)
        if answer.status == 303:
            self._follow(address, answer.headers["Location"])
            return
        if answer.status == 403 and source == "/api":  # it leads to what others may do, and says who
            return
        if answer.status != 200:
            self.wrong[address].append(f"answers {answer.status}; {source} leads there")
        elif answer.headers.get_content_type() == "text/html" and "Content-Disposition" not in answer.headers:
            self.pages[address] = page = ReadPage(answer.text)
            self.wrong[address] += page.wrong
            for link in page.links:
                self._follow(address, link)
            for form in page.forms:
                self._send(address, form)

    def _read(self, address: str) -> ReadPage | None:
        answer = self._visitor.get(address)
        return ReadPage(answer.text) if answer.status == 200 else None

    def _follow(self, source: str, link: str) -> None:
        if urlsplit(link).scheme == "data":
            return
        whole = urlsplit(urljoin(f"http://here{source}", link))
        if whole.netloc != "here" or whole.scheme != "http":
            self.wrong[source].append(f"leads to {link}")
            return
        address = whole.path + (f"?{whole.query}" if whole.query else "")
        if whole.fragment:
            self._anchors.setdefault(address, (source, unquote(whole.fragment)))
        shape = shape_of(whole.path, whole.query)
        if shape not in self._shapes:
            self._shapes.add(shape)
            self._waiting.append((address, source))

    def _send(self, source: str, form: Form) -> None:
        """As it stands, and with a text that nothing has in its fields; a branch that no run has is said to be none."""
        goal = form.action or urlsplit(source).path
        self._follow(source, f"{goal}?{urlencode(form.fields)}")
        filled = set(form.texts) - {"branch"}
        told = [(name, "nobody <b>'\"" if name in filled else value) for name, value in form.fields]
        self._follow(source, f"{goal}?{urlencode(told)}")


def shape_of(path: str, query: str) -> Hashable:
    """Pages of one shape are drawn alike: what is typed does not matter, only that something is."""
    few = ("id", "sort", "by", "window", "format", "phase", "type", "causes", "all")
    told = [(name, value if name in few else bool(value)) for name, value in parse_qsl(query, keep_blank_values=True)]
    return re.sub(r"[0-9a-f]{64}", "<sha256>", path), frozenset(told)


def test_all_links_lead_somewhere_and_all_pages_are_whole(visitor: Visitor) -> None:
    crawl = Crawl(visitor)
    crawl.go()
    assert {address: wrong for address, wrong in crawl.wrong.items() if wrong} == {}
    titles: dict[str, set[object]] = defaultdict(set)
    for address, page in crawl.pages.items():
        told = dict(parse_qsl(urlsplit(address).query))
        titles[page.title].add((urlsplit(address).path, told.get("id"), "before" in told))
    assert {title: pages for title, pages in titles.items() if len(pages) > 1} == {}
    seen = {told["id"] for address in crawl.pages if (told := dict(parse_qsl(urlsplit(address).query))).get("id")}
    assert {"dying.py::test_dies", "test_shop.py::TestPrices::test_error", "test_shop.py::test_twice"} <= seen
    assert any("a" * 500 in test for test in seen)
