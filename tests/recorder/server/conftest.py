"""Running servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.recorder.server.running import RunningServer


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Starts servers with their own databases, with the limits that a test asks for."""
    running: list[RunningServer] = []

    def start(**options: object) -> RunningServer:
        running.append(RunningServer(tmp_path / f"{len(running)}.db", **options))  # type: ignore[arg-type]
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()
