"""What the tests of the commands share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from semantest_recorder.cli.health import startup_cost
from tests.leftovers import end_processes_of
from tests.recorder.cli.project import Project


@pytest.fixture(autouse=True)
def _nothing_runs_on(tmp_path: Path) -> Iterator[None]:
    """Commands that run in the test process start shippers, and those start recorders."""
    yield
    end_processes_of(tmp_path)


_measured = startup_cost._measured


@cache
def _measured_once(*modules: str) -> dict[str, float | str]:
    return _measured(list(modules))


@pytest.fixture(autouse=True)
def _the_start_of_pytest_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``doctor`` says of start-up costs is the same all over, and takes seconds to find out."""
    monkeypatch.setattr(startup_cost, "_measured", lambda modules: _measured_once(*modules))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A user's project whose recorder is stopped at the end."""
    found = Project(tmp_path)
    yield found
    found.close()
