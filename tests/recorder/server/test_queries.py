"""Parameters of the server's own routes: what they do not know is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.recorder.cli.recording import small_run
from tests.recorder.cli_recorder.daemons import Daemon
from tests.recorder.server.visiting import ask


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("asked") / ".semantest"
    small_run().store(folder)
    daemon = Daemon(folder).ready()
    yield daemon
    daemon.end()


WRONG = {
    "/api/v1/status?verbose=1": "there is no parameter 'verbose'",
    "/api/v1/owed?run=last&rum=x": "did you mean 'run'?",
    "/api/v1/owed": "name the runs with ?run=ID",
    "/api/v1/owed?" + "&".join(["run=last"] * 1001): "from 1 to 1000 of them",
    "/api/v1/test-snapshot?runs=build-7": "did you mean 'run'?",
    "/api/v1/test-snapshot?run=a&run=b": "run is given twice",
}


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path[:40])
def test_a_parameter_that_is_not_known_is_refused(recorder: Daemon, path: str) -> None:
    token = {"Authorization": f"Bearer {recorder.discovery['token']}"}
    answer = ask(recorder, "GET", path, token)
    told = json.loads(answer.text)
    assert (answer.status, told["code"]) == (400, "INVALID_REQUEST")
    assert WRONG[path] in told["detail"]


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/owed?run=last", "/api/v1/test-snapshot?run=b%2C7"])
def test_those_that_are_known_are_taken(recorder: Daemon, path: str) -> None:
    assert ask(recorder, "GET", path, {"Authorization": f"Bearer {recorder.discovery['token']}"}).status == 200
