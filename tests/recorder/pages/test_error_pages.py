"""What a browser is shown when there is nothing to show: a page that says what is wrong, and leads on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recorder.cli.recording import START, Recording, small_run
from tests.recorder.cli_recorder.daemons import Daemon
from tests.recorder.pages.read_page import ReadPage
from tests.recorder.server.visiting import VISIT, Answer, ask, signed_in

FIRST, SECOND = "20261121-093000-a1b2c3", "20261121-094000-a1b2d4"


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("shop") / ".semantest"
    small_run(FIRST).store(folder)
    second = Recording(SECOND, start_ms=START + 600_000)
    second.start()
    second.add("main", "run/context", {"runId": SECOND, "git": {"branch": "main"}})
    second.test("a.py::test_ok")
    second.end(0)
    second.store(folder)
    daemon = Daemon(folder).ready()
    yield daemon
    daemon.end()


@pytest.fixture(scope="module")
def cookie(recorder: Daemon) -> str:
    return signed_in(recorder)


def visit(recorder: Daemon, cookie: str, path: str, method: str = "GET") -> Answer:
    return ask(recorder, method, path, VISIT | {"Cookie": cookie})


MISSING = {
    "/runs/20261121-0940": (200, ""),
    "/runs/20261121-09": (404, f"/runs/{FIRST}"),
    "/runs/20261121-093000-a1b2c4": (404, f"/runs/{FIRST}"),
    "/runs/20261121-093000-a1b2c4/export?format=csv": (404, f"/runs/{FIRST}"),
    "/runs/last/test?id=test_okk": (404, "/runs/last/test?id=a.py%3A%3Atest_ok"),
    f"/runs/{FIRST}/test?id=test_": (404, f"/runs/{FIRST}/test?id=a.py%3A%3Atest_bad"),
    "/trends?branch=mian": (404, "/runs?branch=main"),
    "/compare?before=nobody&after=last": (404, "/runs"),
}


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_leads_to_what_could_be_meant(recorder: Daemon, cookie: str, path: str) -> None:
    status, near = MISSING[path]
    answer = visit(recorder, cookie, path)
    assert answer.status == status
    page = ReadPage(answer.text)
    assert page.wrong == []
    if status == 404:
        assert {"/runs", near} <= set(page.links), page.links
        assert "`" not in answer.text, "it names no command where a link does"
        assert "Not there" in page.title


UNKNOWN = {
    "/compare?befor=last": "did you mean before?",
    "/runs?brnach=main": "did you mean branch?",
    "/runs/last?utm=x": "it has causes, drawn, format",
    "/settings?x=1": "no parameter x",
    "/api?x=1": "no parameter x",
    "/live?x=1": "no parameter x",
    "/api?format=csv": "no parameter format",
}


@pytest.mark.parametrize("path", UNKNOWN)
def test_a_parameter_that_a_page_does_not_know_is_said(recorder: Daemon, cookie: str, path: str) -> None:
    answer = visit(recorder, cookie, path)
    assert answer.status == 400
    assert UNKNOWN[path] in answer.text


@pytest.mark.parametrize(
    "path", ["/no-such-page", "/runs/last/nothing", f"/pictures/{'0' * 64}", "/runz", "/static/0/dashboard.css"]
)
def test_an_error_is_a_page_for_a_browser_and_a_problem_for_a_program(recorder: Daemon, cookie: str, path: str) -> None:
    seen = visit(recorder, cookie, path)
    assert (seen.status, seen.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert ReadPage(seen.text).wrong == []
    assert "/api/v1/" not in seen.text, "no list of all there is"
    told = ask(recorder, "GET", path, {"Cookie": cookie})
    assert (told.status, told.headers["Content-Type"]) == (404, "application/problem+json")


def test_who_asks_for_the_head_of_a_file_gets_what_it_would_be(recorder: Daemon, cookie: str) -> None:
    head, file = (visit(recorder, cookie, "/runs/last/export?format=json", method) for method in ("HEAD", "GET"))
    assert head.status == file.status == 200
    assert head.text == ""
    for name in ("Content-Length", "Content-Disposition", "Content-Type"):
        assert head.headers[name] == file.headers[name]
