"""What the tests of the commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leftovers import end_processes_of
from tests.recorder.cli.project import Project


@pytest.fixture(autouse=True)
def _nothing_runs_on(tmp_path: Path) -> Iterator[None]:
    """Commands that run in the test process start shippers, and those start recorders."""
    yield
    end_processes_of(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A user's project whose recorder is stopped at the end."""
    found = Project(tmp_path)
    yield found
    found.close()
