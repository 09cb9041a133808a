"""The campaign of compare_suites.py in its shortest form: one small package of the index, bare and recorded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.compat.compare_suites import MODES, compare_mode
from tests.compat.packages import SHORT
from tests.compat.workbench import ROOT, IndexUnavailableError, Workbench, build_wheel, prepare


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The package in an environment of its own; without a package index a loud skip, in CI a failure."""
    folder: Path = tmp_path_factory.mktemp("compat")
    try:
        return prepare(SHORT, folder / SHORT.name, _wheel(folder / "wheel"))
    except IndexUnavailableError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NO PACKAGE INDEX: recording was not compared on {SHORT.pin}: {error}")


def _wheel(folder: Path) -> Path:
    """The one that `make test` has built, else a new one."""
    built = sorted((ROOT / "dist").glob("*.whl"))
    return built[0] if os.environ.get("SEMANTEST_TEST_WHEEL") == "1" and built else build_wheel(folder)


@pytest.mark.index
def test_recording_changes_nothing_and_its_report_agrees_with_junit(bench: Workbench) -> None:
    for mode, arguments in MODES.items():
        comparison = compare_mode(bench, mode, arguments)
        assert comparison.tests > 200
        assert comparison.differences == []
