"""Daemons that do not outlive their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.leftovers import end_processes_of
from tests.recorder.cli_recorder.daemons import Daemon


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project folder; recorders that were started in it are killed at the end."""
    yield tmp_path
    end_processes_of(tmp_path)


@pytest.fixture
def serve(project: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons for the project's folder; they are killed at the end."""
    started: list[Daemon] = []

    def start(*options: str | Path, folder: Path | None = None, **extra: str) -> Daemon:
        started.append(Daemon(folder or project / ".semantest", *options, **extra))
        return started[-1]

    yield start
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.communicate()
