"""Daemons that do not outlive their test."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from semantest_recorder.discovery import read_discovery
from tests.recorder.cli_recorder.daemons import Daemon


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project folder; a recorder that was started in it is killed at the end."""
    yield tmp_path
    found = read_discovery(tmp_path / ".semantest")
    if found is not None:
        with suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGKILL)


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
