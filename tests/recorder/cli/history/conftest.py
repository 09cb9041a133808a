from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.history.kept import run_of
from tests.recorder.cli.project import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three runs: of today, of ten days ago, of forty days ago."""
    found = tmp_path / ".semantest"
    for name, days in (("20261012-000000-000040", 40), ("20261111-000000-000010", 10), ("20261121-000000-000000", 0)):
        run_of(name, days).store(found)
    return found


@pytest.fixture
def served(project: Project, folder: Path) -> Project:
    """The project with a recorder that serves it."""
    started = project.recorder("start", "--idle-timeout", "3600")
    assert started.returncode == 0, started.stderr
    return project
