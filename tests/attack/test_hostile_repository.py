"""A repository that somebody else set up: to look at it runs none of its programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_semantest.shipper.context import git_context

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
