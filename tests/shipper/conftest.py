from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pytest_semantest.protocol.layout import RECORDER_LOCK
from pytest_semantest.shipper.spawn import shipper_environment, spawn_command
from tests.shipper.ingest_server import TOKEN, IngestServer

StartShipper = Callable[..., "subprocess.Popen[bytes]"]


def shipper_command(directory: Path, session: str | None, **options: str | float) -> list[str]:
    """The command of pytest, with further options: ``sync=True`` is ``--sync``, ``give_up=1`` is ``--give-up 1``."""
    command = spawn_command(str(directory), session or "any")
    if session is None:
        command = command[:-2]
    for name, value in options.items():
        command.append(f"--{name.replace('_', '-')}")
        if value is not True:
            command.append(str(value))
    return command


@pytest.fixture
def server() -> Iterator[IngestServer]:
    with IngestServer() as running:
        yield running


@pytest.fixture
def other() -> Iterator[IngestServer]:
    with IngestServer() as running:
        yield running


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / ".semantest"
    folder.mkdir()
    return folder


@pytest.fixture
def start_shipper(directory: Path, tmp_path: Path) -> Iterator[StartShipper]:
    """Starts real shipper processes, ends at the end of the test what still runs."""
    started: list[subprocess.Popen[bytes]] = []

    def start(
        session: str | None = None,
        *,
        environment: dict[str, str] | None = None,
        redact: tuple[str, ...] = (),
        **options: str | float,
    ) -> Any:
        process = subprocess.Popen(
            shipper_command(directory, session, **options),
            env=shipper_environment({**os.environ, **(environment or {})}, token=TOKEN, redact=redact),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def _no_other_recorder(directory: Path) -> Iterator[None]:
    """What is published here is the project's recorder, also while a shipper does not reach it."""
    with FileLock(directory / RECORDER_LOCK):
        yield
