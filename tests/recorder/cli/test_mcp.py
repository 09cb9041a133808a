"""``semantest mcp`` as a real process, asked by the client of the official SDK."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from semantest_recorder.mcp_server.tools import TOOLS
from tests.missing import skip_or_fail
from tests.recorder.cli.project import SECONDS
from tests.recorder.cli.recording import Recording
from tests.recorder.cli.suite_runs import FAILED, PASSED, record_run, run_id
from tests.user_environment import user_environment

CLIENT = Path(__file__).parents[1] / "mcp_server" / "sdk_client.py"


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of an environment with the extra, in which this distribution is installed."""
    return os.environ.get("SEMANTEST_MCP") or skip_or_fail(
        "MISSING: SEMANTEST_MCP, the Python of an environment with the extra `mcp` (`make test` makes one)"
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two runs in the database and one in journals only; no recorder runs."""
    root = tmp_path_factory.mktemp("project")
    folder = root / ".semantest"
    record_run(folder, 1, {"a.py::test_pay": PASSED, "a.py::test_other": PASSED})
    record_run(folder, 2, {"a.py::test_pay": FAILED, "a.py::test_other": PASSED})
    lonely = Recording("20261122-000000-ffffff", start_ms=1_795_353_400_000.0)
    lonely.start(rootdir=str(root), cwd=str(root))
    lonely.plan("b.py::test_hangs")
    lonely.begin("b.py::test_hangs")
    lonely.journal(folder)
    return root


def client(python: str, root: Path, *questions: tuple[str, dict[str, Any]]) -> Any:
    done = subprocess.run(
        [python, CLIENT, root],
        input=json.dumps(questions),
        env=user_environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_sdks_own_client_gets_answers_and_errors_that_help(python: str, root: Path) -> None:
    got = client(
        *(python, root),
        ("report", {"run": run_id(2)}),
        ("runs", {"limit": 5}),
        ("live", {}),
        ("history", {"test": "test_pya"}),
        ("report", {"rum": "last"}),
        ("diff", {"after": run_id(2)}),
        ("reprot", {}),
    )
    assert list(got["tools"]) == list(TOOLS)
    assert all(read_only and description for description, read_only, _schema in got["tools"].values())
    report, runs, live, mistyped, unknown, diff, no_tool = got["answers"]
    assert "| AssertionError: assert 1 == 2\n| a.py::test_pay\n" in report["text"]
    assert report["structured"]["causes"][0]["kind"] == "new"
    assert [run["id"] for run in runs["structured"]["runs"]] == ["20261122-000000-ffffff", run_id(2), run_id(1)]
    assert "was read from its journals" in live["text"]
    assert live["structured"]["state"] == "interrupted"
    assert (mistyped["error"], mistyped["text"]) == (True, "no test 'test_pya': did you mean a.py::test_pay?")
    assert (unknown["error"], unknown["text"]) == (True, "report: there is no argument 'rum': did you mean 'run'?")
    assert diff["structured"]["newlyFailing"][0]["id"] == "a.py::test_pay"
    assert "20261122-000000-ffffff" in diff["structured"]["notes"][0]
    assert no_tool == {"refused": "there is no tool 'reprot': did you mean 'report'?"}


def asked(process: subprocess.Popen[bytes], number: int, method: str, **params: Any) -> Any:
    """What the server answers to a client of before 2026."""
    assert process.stdin is not None
    assert process.stdout is not None
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())["result"]


def server(python: str, root: Path) -> subprocess.Popen[bytes]:
    """The server, once it has answered: then it is all there."""
    pipe = subprocess.PIPE
    command = [python, "-m", "semantest_recorder.cli.semantest", "mcp"]
    process = subprocess.Popen(command, cwd=root, env=user_environment(), stdin=pipe, stdout=pipe, stderr=pipe)
    told = asked(
        *(process, 1, "initialize"),
        protocolVersion="2025-06-18",
        capabilities={},
        clientInfo={"name": "test", "version": "1"},
    )
    assert told["serverInfo"]["name"] == "semantest"
    return process


def test_an_older_client_is_answered_no_port_is_open_and_the_end_of_stdin_is_its_end(python: str, root: Path) -> None:
    with server(python, root) as process:
        told = asked(process, 2, "tools/call", name="report", arguments={"run": run_id(2)})
        assert told["structuredContent"]["run"] == run_id(2)
        assert psutil.Process(process.pid).net_connections() == []
        said = process.communicate(timeout=SECONDS)
    assert (process.returncode, *said) == (0, b"", b"")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_without_a_word_when_it_is_told_to(python: str, root: Path, how: signal.Signals) -> None:
    with server(python, root) as process:
        process.send_signal(how)
        code = process.wait(SECONDS)
        assert process.stdout is not None
        assert process.stderr is not None
        assert (code, process.stdout.read(), process.stderr.read()) == (0, b"", b"")


def test_a_client_that_died_ends_it_without_a_traceback(python: str, root: Path) -> None:
    with server(python, root) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.close()
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}\n')
        process.stdin.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(SECONDS) == 1
