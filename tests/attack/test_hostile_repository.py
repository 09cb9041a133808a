"""A project that somebody else set up: to look at it, or at what was recorded there, runs none of its code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_semantest.protocol.layout import session_folders
from pytest_semantest.shipper.context import git_context
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, small_run

pytestmark = pytest.mark.hazard(34)


#: Before git looked at a file last.
LONG_AGO = (1.0, 1.0)


def test_git_runs_no_program_that_the_repository_names(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-C", str(tmp_path)]
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)

    harm = tmp_path / "harm"
    git("init", "-q")
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / ".gitattributes").write_text("*.txt filter=f diff=d\n")
    git("add", "-A")
    git("commit", "-q", "-m", "First one")
    for key in ("filter.f.clean", "filter.f.process", "core.fsmonitor", "diff.d.textconv", "gpg.program"):
        git("config", key, f"touch {harm}; cat")
    git("config", "log.showSignature", "true")
    git("config", "filter.f.required", "true")
    harm.unlink(missing_ok=True)
    os.utime(tmp_path / "a.txt", LONG_AGO)  # git has to look at what is in it
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    found = git_context(str(tmp_path), {**os.environ, **given})
    assert found is not None
    assert (found["subject"], found["dirty"]) == ("First one", False)
    assert not harm.exists()


_MODULES = '[plugins]\nmodules = ["harmful"]\n'
_FOLDER = '[plugins]\nenabled = ["json-report"]\n[plugins.json-report]\nfolder = "../harm"\n'


@pytest.mark.parametrize(
    ("place", "text", "told"),
    [(".semantest", _MODULES, "load modules"), (".", _FOLDER, "write to a folder")],
    ids=["modules in the folder itself", "a folder of reports beside it"],
)
def test_a_report_of_what_others_recorded_runs_and_writes_nothing_elsewhere(
    tmp_path: Path, place: str, text: str, told: str
) -> None:
    """Artifacts of CI are made by whoever opened the pull request."""
    project = Project(tmp_path)
    small_run().journal(project.folder)
    (tmp_path / place / "semantest.toml").write_text(text)
    (tmp_path / place / "harmful.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path)!r}, 'harm').mkdir()\n")
    try:
        said = project.semantest("report")
        assert (said.returncode, f"Run {RUN}: failed" in said.stdout) == (1, True), said.stderr
        assert "was read from its journals" in said.stderr
        assert f"by semantest.toml it would {told}" in said.stderr
        synced = project.semantest("sync")
        assert (synced.returncode, "when you trust that, run: semantest-recorder start" in synced.stderr) == (3, True)
        assert not (tmp_path / "harm").exists()
        assert not (project.folder / "recorder.json").exists()
        assert project.recorder("start").returncode == 0  # what is asked for by name
        assert "Run " in project.semantest("report").stdout
        assert session_folders(project.folder) == []
    finally:
        project.close()
    assert (tmp_path / "harm").exists()
