"""Attachments of tests that are recorded against a server of somebody's own: taken, or kept and told of."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import aiohttp
import pytest
import websockets
from aiohttp import web

from semantest_recorder.embedding import OrchestratorIntegration, aiohttp_routes, create_orchestrator_integration
from semantest_recorder.store.reader import Reader
from tests.recorder.event_loop import in_loop
from tests.user_environment import WITHOUT_HYPOTHESIS

SUITE = "def test_a(semantest):\n    semantest.attach(b'things to do', 'notes')\n"
NAME = hashlib.sha256(b"things to do").hexdigest()


async def run(project: Path, system: OrchestratorIntegration, *command: str) -> str:
    """Runs a command in the project with the system's token; what it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEMANTEST")} | WITHOUT_HYPOTHESIS
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *command,
        cwd=project,
        env={**kept, "SEMANTEST_TOKEN": system.token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_it.py").write_text(SUITE)
    return folder


def check_recorded(database: Path) -> None:
    reader = Reader(database)
    assert [(row.test_id, row.state) for row in reader.results(reader.run("last").id)] == [
        ("test_it.py::test_a", "passed")
    ]


def test_a_server_of_web_sockets_takes_the_events_and_pytest_says_where_the_rest_is(
    tmp_path: Path, project: Path
) -> None:
    async def test() -> None:
        system = create_orchestrator_integration(tmp_path / "own.db")
        handlers = system.create_websocket_handlers()
        async with websockets.serve(handlers.serve, "127.0.0.1", 0, origins=[None]) as server:
            url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            said = await run(project, system, "pytest", "-p", "no:cacheprovider", "--semantest", "--semantest-url", url)
            assert "the server takes no attachments; 1 attachment is kept in" in said
            assert "not all shipped" not in said
            await run(project, system, "semantest_recorder.cli.semantest", "sync")
            (kept,) = (project / ".semantest" / "untaken").glob("*/*")
            assert (kept.name, kept.read_bytes()) == (NAME, b"things to do")
            assert list((project / ".semantest" / "sessions").iterdir()) == []
        await system.shutdown()

    in_loop(test())
    check_recorded(tmp_path / "own.db")


def test_an_aiohttp_server_takes_attachments_too(tmp_path: Path, project: Path) -> None:
    async def test() -> None:
        system = create_orchestrator_integration(tmp_path / "own.db")
        app = web.Application()
        app.add_routes(aiohttp_routes(system, tmp_path / "attached"))
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        said = await run(project, system, "pytest", "-p", "no:cacheprovider", "--semantest", "--semantest-url", url)
        assert "1 test recorded" in said
        assert "no attachments" not in said
        await check_doors(url, system.token)
        await system.shutdown()
        await runner.cleanup()

    in_loop(test())
    check_recorded(tmp_path / "own.db")
    assert (tmp_path / "attached" / "artifacts" / NAME[:2] / NAME).read_bytes() == b"things to do"


async def check_doors(url: str, token: str) -> None:
    """Who may not come in does not."""
    known = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session:
        for path in ("/ws", f"/api/v1/artifacts/{NAME}", "/api/v1/test-snapshot", "/api/v1/owed?run=last"):
            for headers, status in (({}, 401), ({**known, "Origin": "https://example.com"}, 403)):
                async with session.get(f"{url}{path}", headers=headers) as answer:
                    assert answer.status == status
        async with session.get(f"{url}/api/v1/artifacts/{NAME}", headers=known) as answer:
            assert await answer.read() == b"things to do"
        async with session.get(f"{url}/api/v1/owed?run=last", headers=known) as answer:
            assert ((await answer.json())["state"], answer.status) == ("passed", 200)
        async with session.get(f"{url}/api/v1/test-snapshot?run=build-7", headers=known) as answer:
            assert list((await answer.json())["tests"]) == ["test_it.py::test_a"]
