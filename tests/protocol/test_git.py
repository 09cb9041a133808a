"""A file as a git revision has it: read as it was committed, whatever the repository would like to run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_semantest.protocol.git import UnknownRevisionError, file_in_revision

MOST = 10_000


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """``sub/list.toml`` says ``old`` in the commit that ``base`` names, and ``new`` in the work tree."""
    folder = tmp_path / "r" / "sub"
    folder.mkdir(parents=True)
    (folder / "list.toml").write_text("old\n")
    git(folder, "init", "-q", "..")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "branch", "base")
    (folder / "list.toml").write_text("new\n")
    return folder


def read(folder: Path, revision: str, name: str = "list.toml", most: int = MOST) -> bytes | None:
    commit, data = file_in_revision(str(folder), os.environ, revision, name, most)
    assert len(commit) == 40
    return data


def test_the_file_is_that_of_the_revision(repository: Path) -> None:
    assert read(repository, "base") == b"old\n"
    assert read(repository, "HEAD", "other.toml") is None
    with pytest.raises(OSError, match="larger than 3 bytes"):
        read(repository, "base", most=3)


@pytest.mark.parametrize("revision", ["origin/main", "--output=x", "base:sub/list.toml", "", "a\0b"])
def test_what_is_no_revision_is_told_with_what_to_do(repository: Path, revision: str) -> None:
    with pytest.raises(UnknownRevisionError, match=r"in CI it has to be fetched first: `git fetch"):
        read(repository, revision)
    assert not list(repository.glob("x*"))
    assert not (repository.parent / "x").exists()


def test_a_name_that_may_mean_two_revisions_means_none(repository: Path) -> None:
    """git takes a tag for it, which whoever may push can put in the place of the branch."""
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert read(repository, "origin/main") == b"old\n"
    git(repository, "commit", "-qam", "second")
    git(repository, "tag", "origin/main")
    for revision in ("origin/main", "origin/main~0", "origin/main^{commit}", "origin/main@{0}"):
        with pytest.raises(UnknownRevisionError, match="refs/tags/origin/main and refs/remotes/origin/main"):
            read(repository, revision)
    assert read(repository, "refs/remotes/origin/main") == b"old\n"
    assert read(repository, "refs/tags/origin/main") == b"new\n"


def test_what_is_no_file_there_cannot_be_read_and_a_link_is_not_followed(repository: Path) -> None:
    (repository / "link.toml").symlink_to("list.toml")
    (repository / "folder.toml").mkdir()
    (repository / "folder.toml" / "x").touch()
    git(repository, "add", ".")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{git(repository, 'rev-parse', 'HEAD')},sub/m.toml")
    git(repository, "commit", "-qm", "second")
    for name, why in (("folder.toml", "git cannot read"), ("m.toml", "git cannot read"), ("link.toml", "is a link")):
        with pytest.raises(OSError, match=why):
            read(repository, "HEAD", name)


def test_a_repository_runs_nothing_and_replaces_nothing(repository: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (repository / ".gitattributes").write_text("*.toml diff=evil filter=evil text eol=crlf\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "second")
    for name in ("diff.evil.textconv", "diff.evil.command", "filter.evil.smudge", "core.fsmonitor", "core.pager"):
        git(repository, "config", name, f"touch {mark}; cat")
    old, new = (git(repository, "rev-parse", f"{name}:sub/list.toml") for name in ("base", "HEAD"))
    git(repository, "replace", old, new)
    assert read(repository, "base") == b"old\n"
    assert not mark.exists()
