"""``semantest open --datasette``: a real Datasette on a database that the real writer made."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener, url2pathname

import pytest

from semantest_recorder.core.views import VIEWS
from tests.missing import skip_or_fail
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import small_run
from tests.recorder.cli_recorder.daemons import wait_until

#: What Datasette 1.0 lets the user of its token do.
WRITES: dict[str, Any] = {
    "/-/execute-write": {"sql": "DELETE FROM runs"},
    "/-/create": {"table": "more", "row": {"id": 1}},
    "/runs/-/drop": {"confirm": True},
}


@pytest.fixture
def path_with_datasette() -> str:
    """``PATH`` with the folder of the program that ``SEMANTEST_DATASETTE`` names."""
    program = os.environ.get("SEMANTEST_DATASETTE") or shutil.which("datasette")
    if not program:
        skip_or_fail("MISSING: Datasette (`make test` installs it; else SEMANTEST_DATASETTE names the program)")
    return f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"


def browser() -> OpenerDirector:
    return build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))


def code_of(opener: OpenerDirector, url: str | Request) -> int:
    try:
        with opener.open(url, timeout=60) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def lines_until(process: subprocess.Popen[str], pattern: str) -> str:
    """What stands on stderr, up to the line in which the pattern is."""
    assert process.stderr is not None
    said = ""
    while not re.search(pattern, said):
        line = process.stderr.readline()
        assert line, f"it ended: {said}"
        said += line
    return said


def test_the_views_can_be_read_by_whoever_has_the_address(project: Project, path_with_datasette: str) -> None:
    small_run().store(project.folder)
    before = (project.folder / "semantest.db").read_bytes()
    project.environment["PATH"] = path_with_datasette
    process = project.popen("open", "--datasette", "--no-browser")
    assert process.stdout is not None
    lines_until(process, "Uvicorn running on http://127.0.0.1")
    address = process.stdout.readline().strip()
    root = address.partition("/-/")[0]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/-/auth-token\?token=\w+", address)

    stranger, user = browser(), browser()
    assert code_of(stranger, f"{root}/semantest/v_results.json") == 403
    assert code_of(stranger, f"{root}/semantest.json?sql=select+1") == 403
    assert code_of(user, address) == 200
    for place, asked in WRITES.items():  # Datasette 1.0 would do all of that
        request = Request(f"{root}/semantest{place}", json.dumps(asked).encode(), {"Content-Type": "application/json"})
        assert code_of(user, request) >= 400

    def got(place: str) -> Any:
        with user.open(f"{root}/semantest{place}", timeout=60) as answer:
            return json.load(answer)

    rows = got("/v_results.json?_shape=array")
    assert {row["test"]: row["state"] for row in rows}["b.py::test_flaky"] == "flaky"
    tables = got(".json")
    assert {table["name"] for table in tables["tables"] if not table["hidden"]} == set()
    assert {view["name"] for view in tables["views"]} == set(VIEWS)
    assert got("/flaky_1.json?_shape=array")[0]["test"] == "b.py::test_flaky"
    assert code_of(user, f"{root}/semantest.json?sql={quote('DELETE FROM runs')}") == 400

    process.send_signal(signal.SIGTERM)
    _out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (0, False)
    assert (project.folder / "semantest.db").read_bytes() == before


def test_no_argument_of_a_browser_that_is_opened_has_the_token(
    project: Project, path_with_datasette: str, tmp_path: Path
) -> None:
    """Every user of the machine sees the arguments of programs."""
    small_run().store(project.folder)
    told, program = tmp_path / "told", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{told}.part" && mv "{told}.part" "{told}"\n')
    program.chmod(0o700)
    project.environment |= {"PATH": path_with_datasette, "BROWSER": f"{program} %s"}
    screen, terminal = pty.openpty()
    process = project.popen("open", "--datasette", stdout=terminal)
    os.close(terminal)
    lines_until(process, "Uvicorn running on http://127.0.0.1")
    wait_until(told.exists, "the browser")
    token = os.read(screen, 10_000).decode().strip().partition("token=")[2]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    os.close(screen)
    page = Path(url2pathname(urlsplit(told.read_text().strip()).path))
    assert token
    assert token not in told.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert token in page.read_text()


@pytest.mark.slow
def test_datasette_ends_with_the_command_however_that_ends(project: Project, path_with_datasette: str) -> None:
    small_run().store(project.folder)
    project.environment["PATH"] = path_with_datasette
    process = project.popen("open", "--datasette", "--no-browser")
    said = lines_until(process, "Uvicorn running on http://127.0.0.1")
    process.kill()
    try:
        process.communicate(timeout=60)  # the pipes end when nobody has them any more
    except subprocess.TimeoutExpired:
        os.kill(int(re.findall(r"process \[(\d+)\]", said)[0]), signal.SIGKILL)
        raise


def test_without_datasette_it_says_how_to_get_it(tmp_path: Path) -> None:
    small_run().store(tmp_path)
    said = semantest("open", "--datasette", "--directory", tmp_path, env={"PATH": str(tmp_path)})
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("semantest: there is no Datasette: `pipx install datasette`")


def test_a_datasette_that_fails_is_told(tmp_path: Path) -> None:
    small_run().store(tmp_path)
    program = tmp_path / "datasette"
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o700)
    said = semantest("open", "--datasette", "--directory", tmp_path, env={"PATH": str(tmp_path)})
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[-1].startswith(f"semantest: {program} ended with exit code 7")


@pytest.mark.parametrize("wrong", [["--port", "1"], ["last", "--datasette"]])
def test_what_does_not_go_together_is_said(wrong: list[str], tmp_path: Path) -> None:
    said = semantest("open", *wrong, "--directory", tmp_path)
    assert (said.code, said.out) == (2, "")
