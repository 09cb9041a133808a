from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder.cli_recorder.daemons import Daemon
from tests.recorder.plugins.plugged_project import ENTRY_POINTS, MODULE, SETTINGS, path_of


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, and beside it a folder with a distribution that brings plugins."""
    info = tmp_path / "installed" / "our_plugins-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-plugins\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (info.parent / "our_plugins.py").write_text(MODULE)
    (tmp_path / "semantest.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def daemon(project: Path) -> Iterator[Daemon]:
    found = Daemon(project / ".semantest", PYTHONPATH=path_of(project)).ready()
    yield found
    if found.process.poll() is None:
        found.process.kill()
        found.process.communicate()
