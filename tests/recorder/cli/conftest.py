"""What the tests of the commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder.cli.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A user's project whose recorder is stopped at the end."""
    found = Project(tmp_path)
    yield found
    found.close()
